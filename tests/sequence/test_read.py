"""What a user may get wrong about chains is one line that names file, chain, column and what is valid."""

import numpy as np
import pytest
from small_chains import table

from mtlbio.errors import InputError
from mtlbio.sequence.chains import read_chains, write_chains
from mtlbio.sequence.prepare import prepare, read_checked
from mtlbio.sequence.read import read_sources
from mtlbio.sequence.records import read_fasta
from mtlbio.tables import QC, SPLITS, read_table

WRONG = [
    ({"sequence": "ARNDC1"}, "chain a1: '1' at position 6 is no amino acid; valid: the twenty letters"),
    ({"q8": "HHH"}, "chain a1: q8 has 3 states; the sequence has 22 residues"),
    ({"q8": "Z" * 22}, "chain a1: q8: 'Z' at position 1 is no state"),
    ({"rsa": "0.1 0.2"}, "chain a1: rsa has 2 values; the sequence has 22 residues"),
    ({"rsa": " ".join(["1.2"] * 22)}, "chain a1: rsa: 1.2 is outside 0 to 1"),
    ({"rsa": " ".join(["-0.1"] * 22)}, "chain a1: rsa: -0.1 is outside 0 to 1"),
    ({"rsa": " ".join(["x"] * 22)}, "chain a1: rsa: 'x' is no number"),
    ({"site": "2" * 22}, "chain a1: site: 2 is neither 0 nor 1"),
    ({"id": "c1"}, "chain c1: occurs twice"),
]


@pytest.mark.parametrize("changed, message", WRONG, ids=[m[9:40] for _, m in WRONG])
def test_a_wrong_chain_is_one_clear_line(written, changed, message):
    with pytest.raises(InputError) as caught:
        read_sources(written(changed))
    assert message in str(caught.value) and "chains.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_missing_columns_and_values_are_named(written):
    run = written(chains={"own": {"path": written().chains["own"].path, "split": "fold"}})
    with pytest.raises(InputError, match="chains.own: no column 'fold'; found id, sequence, q8"):
        read_sources(run)
    run = written(chains={"own": {"path": written().chains["own"].path, "split": "split", "keep": {"id": ["zz"]}}})
    with pytest.raises(InputError, match="chains.own.keep.id: 'zz' does not occur; found a1, a2, b1, c1"):
        read_sources(run)


def test_labels_are_masked_where_missing_and_q3_is_filled_in(written):
    chains, _ = read_sources(written({"q8": "?" * 22, "site": ""}))
    assert len(chains) == 4 and chains.lengths.tolist() == [22] * 4
    first = chains.rows(0)
    assert (chains.labels["structure"][first] == 255).all() and (chains.q3["structure"][first] != 255).all()
    assert np.isnan(chains.labels["site"][first]).all() and np.isnan(chains.labels["exposure"][21])
    assert chains.labels["exposure"][0] == pytest.approx(0.25)
    assert chains.labelled("site").tolist() == [False, True, True, True]
    # Q3 follows from Q8 where that is known, whatever the column says
    assert chains.q3["structure"][chains.rows(1)][:5].tolist() == [2, 0, 0, 0, 0]


def test_residues_that_were_not_resolved_have_no_label(written, tmp_path):
    run = written()
    table().assign(mask=["0" * 10 + "1" * 12] + ["1" * 22] * 3).to_csv(tmp_path / "chains.csv", index=False)
    source = run.chains["own"].model_copy(update={"mask": "mask"})
    chains, _ = read_sources(run.model_copy(update={"chains": {"own": source}}))
    assert not chains.known("structure")[:10].any() and chains.known("structure")[10:22].all()
    assert np.isnan(chains.labels["exposure"][:10]).all()


def test_prepare_writes_what_later_steps_read(written, tmp_path):
    run = written(qc={"min_length": 5})
    prepare(run, tmp_path / "results")
    chains = read_chains(tmp_path / "results/cohort.h5ad")
    again, _ = read_checked(run)
    assert chains.names.tolist() == ["a1", "a2", "b1", "c1"]
    assert (chains.letters == again.letters).all() and chains.tasks == again.tasks
    for name, values in again.labels.items():
        assert np.array_equal(chains.labels[name], values, equal_nan=values.dtype.kind == "f")
    splits = read_table(tmp_path / "results/splits.tsv", SPLITS)
    assert splits["fold"].tolist() == [-1, -1, -1, 0] and splits["part"].tolist() == [
        "train",
        "train",
        "validation",
        "test",
    ]
    assert read_table(tmp_path / "results/qc.tsv", QC).empty


def test_chains_that_are_too_long_are_listed(written):
    with pytest.raises(InputError, match="chains: none left of "):
        read_sources(written(qc={"max_length": 21}))


def test_a_file_that_is_no_set_of_chains_is_refused(tmp_path, written):
    chains, _ = read_sources(written())
    write_chains(chains, tmp_path / "x.h5ad")
    assert len(read_chains(tmp_path / "x.h5ad")) == 4
    with pytest.raises(InputError, match="run `mtlbio prepare` first"):
        read_chains(tmp_path / "none.h5ad")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "empty; expected sequences in FASTA format"),
        ("ACD\n", "line 1: not FASTA"),
        (">\nACD\n", "line 1: an entry without a name"),
        (">a\n>b\nAC\n", "chain a has no sequence"),
        (">a\nAC\n>a\nAC\n", "chain a occurs twice"),
    ],
)
def test_wrong_fasta_is_one_clear_line(tmp_path, text, message):
    path = tmp_path / "x.fasta"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_fasta(path)


def test_fasta_names_end_at_the_first_space(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">sp|P1 human\nAC D\nEF\n\n>b\nGG\n")
    assert read_fasta(path) == [("sp|P1", "ACDEF"), ("b", "GG")]
