"""Chains are held out by cluster, and nothing stands on both sides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_chains import run_of, table

from mtlbio.errors import InputError
from mtlbio.kinds.schemas.chains import ChainSplits
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.cluster import kmer_clusters
from mtlbio.sequence.letters import decode
from mtlbio.sequence.read import read_sources
from mtlbio.sequence.simulate import simulate_chains
from mtlbio.sequence.split import assign_parts, select


def chains_of(letters: list[np.ndarray], part: str = "", cluster: str = "") -> Chains:
    names = [f"c{i}" for i in range(len(letters))]
    obs = pd.DataFrame({"source": "own", "cluster": cluster, "part": part}, index=pd.Index(names, name="chain"))
    lengths = [len(x) for x in letters]
    return Chains(obs.assign(length=lengths), np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(letters))


@pytest.fixture
def families():
    """Ten families of four chains: a founder and three relatives that differ in a fifth of their residues."""
    rng = np.random.default_rng(1)
    letters = []
    for _ in range(10):
        founder = rng.integers(0, 20, 150).astype(np.uint8)
        for _ in range(4):
            own = founder.copy()
            places = rng.permutation(150)[:30]
            own[places] = rng.integers(0, 20, 30)
            letters.append(own)
    return letters


def test_homologues_share_a_cluster_and_strangers_do_not(families):
    found = kmer_clusters(chains_of(families))
    assert found.tolist() == np.repeat(np.arange(10), 4).tolist()
    assert kmer_clusters(chains_of([families[0], families[4][:3]])).tolist() == [0, 1]


def test_clusters_are_dealt_out_whole_and_in_their_shares(families):
    chains, qc = assign_parts(chains_of(families), ChainSplits(test_share=0.2, validation_share=0.1))
    part = chains.obs["part"].to_numpy().reshape(10, 4)
    assert (part == part[:, :1]).all() and not qc.rows
    counts = chains.obs["part"].value_counts()
    assert (counts["test"], counts["validation"], counts["train"]) == (8, 4, 28)
    again, _ = assign_parts(chains_of(families), ChainSplits(test_share=0.2, validation_share=0.1))
    assert (again.obs["part"] == chains.obs["part"]).all()


def test_relatives_of_a_given_part_follow_it(families):
    chains = chains_of(families)
    chains.obs.loc["c0", "part"] = "test"
    found, _ = assign_parts(chains, ChainSplits())
    assert found.obs["part"].iloc[:4].tolist() == ["test"] * 4


def test_one_sequence_in_two_parts_is_an_error(tmp_path):
    frame = table()
    frame.loc[3, "sequence"] = frame.loc[0, "sequence"]
    frame.to_csv(tmp_path / "chains.csv", index=False)
    chains, _ = read_sources(run_of(tmp_path / "chains.csv"))
    with pytest.raises(InputError, match=r"a1 \(train\) and c1 \(test\) are one sequence in two parts"):
        assign_parts(chains, ChainSplits())


def test_one_cluster_in_two_parts_is_an_error(tmp_path):
    frame = table().assign(family=["f", "g", "h", "f"])
    frame.to_csv(tmp_path / "chains.csv", index=False)
    run = run_of(tmp_path / "chains.csv")
    source = run.chains["own"].model_copy(update={"cluster": "family"})
    chains, _ = read_sources(run.model_copy(update={"chains": {"own": source}}))
    with pytest.raises(InputError, match=r"cluster f \(a1, c1\) is in two parts \(train, test\)"):
        assign_parts(chains, ChainSplits())


def test_a_repeated_sequence_of_one_part_is_kept_once_with_most_labels(tmp_path):
    frame = table(site="")
    frame.loc[1, "sequence"] = frame.loc[0, "sequence"]
    frame.to_csv(tmp_path / "chains.csv", index=False)
    chains, _ = read_sources(run_of(tmp_path / "chains.csv"))
    found, qc = assign_parts(chains, ChainSplits())
    assert found.names.tolist() == ["a2", "b1", "c1"]
    assert qc.rows == [("a1", "chain", "repeated sequence", "kept: a2")]


def test_a_part_without_chains_is_an_error(families):
    with pytest.raises(InputError, match="no chain of part validation; splits.validation names the values"):
        assign_parts(chains_of(families, part="train", cluster="one"), ChainSplits())
    with pytest.raises(ValueError, match="splits.test: 'a' belongs to train already"):
        ChainSplits(train=["a"], test=["a"])


def test_some_of_the_chains(families):
    chains = chains_of(families)
    few = select(chains, np.array([3, 0]))
    assert few.names.tolist() == ["c3", "c0"] and few.offsets.tolist() == [0, 150, 300]
    assert (few.letters[:150] == families[3]).all()
    assert len(replace(few, labels={})) == 2


def test_planted_chains_have_states_that_their_letters_tell():
    frame = simulate_chains(20, seed=3)
    assert (frame["sequence"].str.len() == frame["q8"].str.len()).all()
    assert set(frame["split"]) == {"train", "validation", "test"}
    helix = "".join(s for row in frame.itertuples() for s, q in zip(row.sequence, row.q3, strict=True) if q == "H")
    strand = "".join(s for row in frame.itertuples() for s, q in zip(row.sequence, row.q3, strict=True) if q == "E")
    assert helix.count("E") / len(helix) > 5 * strand.count("E") / len(strand)
    assert frame.equals(simulate_chains(20, seed=3)) and decode(np.array([0])) == "A"
