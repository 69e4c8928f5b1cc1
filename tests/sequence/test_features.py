"""Profiles and embeddings: read chain by chain, told by a flag where missing, refused where they do not fit."""

import h5py
import numpy as np
import pytest

from mtlbio import reading
from mtlbio.errors import InputError
from mtlbio.sequence.features import letter_table, open_embeddings, open_profiles, wide_of
from mtlbio.sequence.letters import MASKED, PADDING, UNKNOWN


def test_letters_as_input():
    one_hot, blosum = letter_table("one_hot"), letter_table("blosum62")
    assert one_hot.shape == blosum.shape == (PADDING + 1, 22)
    assert (one_hot[:20, :20] == np.eye(20)).all() and blosum[17, 17] == 11 / 4
    for table in (one_hot, blosum):
        assert not table[PADDING].any() and table[UNKNOWN, 20] == table[MASKED, 21] == 1


def test_profiles_are_found_by_chain(tmp_path):
    values = np.arange(14.0).reshape(7, 2)
    np.savez(tmp_path / "p.npz", ids=["a", "b"], offsets=[0, 3, 7], pssm=values, hmm=values[:, :1])
    source = open_profiles(tmp_path / "p.npz", ["pssm", "hmm"])
    assert source.width == 3 and source.has("b") and not source.has("c")
    assert wide_of("b", 4, {"profiles": source}).tolist()[0] == [6.0, 7.0, 6.0, 1.0]
    assert not wide_of("c", 5, {"profiles": source}).any()
    with pytest.raises(InputError, match="chain a has 3 rows; its sequence has 4 residues"):
        wide_of("a", 4, {"profiles": source})
    with pytest.raises(InputError, match="no array hmmm; found ids, offsets, pssm, hmm"):
        open_profiles(tmp_path / "p.npz", ["hmmm"])
    np.savez(tmp_path / "q.npz", ids=["a"], offsets=[0, 3], pssm=values)
    with pytest.raises(InputError, match=r"pssm has shape \(7, 2\); expected \(3 residues, columns\)"):
        open_profiles(tmp_path / "q.npz", ["pssm"])


def test_embeddings_are_found_by_chain(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["a"] = np.ones((3, 5), dtype=np.float16)
    source = open_embeddings(tmp_path / "e.h5")
    assert wide_of("a", 3, {"embeddings": source}).shape == (3, 6)
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a"], file["b"] = np.ones((3, 5)), np.ones((3, 4))
    with pytest.raises(InputError, match=r"b has shape \(3, 4\); expected \(length, width\) of one width"):
        open_embeddings(tmp_path / "f.h5")
    (tmp_path / "g.h5").write_text("no")
    with pytest.raises(InputError, match="not an HDF5 file"):
        open_embeddings(tmp_path / "g.h5")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offsets": [0, 5, 3, 7]}, r"offsets of shape \(4,\) for ids of shape \(2,\); expected whole numbers from 0"),
        ({"offsets": [0, 9, 7]}, "expected whole numbers from 0 that do not fall, one more than chains"),
        ({"offsets": [-2, 3, 7]}, "expected whole numbers from 0 that do not fall"),
        ({"offsets": [0.0, 3.0, 7.0]}, "expected whole numbers from 0 that do not fall"),
        ({"ids": ["a", "a"]}, "ids name a chain twice; expected each once"),
        ({"pssm": np.array([["x"] * 2] * 7)}, "pssm is of type <U1; expected numbers"),
        ({"pssm": np.full((7, 2), np.nan)}, "pssm has values that are no numbers"),
        ({"pssm": np.array(7.0)}, r"pssm has shape \(\); expected \(7 residues, columns\)"),
    ],
)
def test_profiles_that_do_not_fit_are_one_line(tmp_path, changes, words):
    arrays = {"ids": ["a", "b"], "offsets": [0, 3, 7], "pssm": np.ones((7, 2))} | changes
    np.savez(tmp_path / "p.npz", **arrays)
    with pytest.raises(InputError, match=f"p.npz: .*{words}"):
        open_profiles(tmp_path / "p.npz", ["pssm"])


def test_a_single_array_is_no_npz(tmp_path):
    np.save(tmp_path / "p.npy", np.ones(3))
    with pytest.raises(InputError, match="p.npy: not an npz file of arrays"):
        open_profiles(tmp_path / "p.npy", ["pssm"])


def test_profiles_that_expand_beyond_the_memory_are_not_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "p.npz", ids=["a"], offsets=[0, 100_000], pssm=np.zeros((100_000, 2)))
    monkeypatch.setattr(reading, "memory_bytes", lambda: 1_000_000)
    with pytest.raises(InputError, match="p.npz: what is packed in it needs 0.0 GB of memory; there are 0.0 GB here"):
        open_profiles(tmp_path / "p.npz", ["pssm"])


def test_embeddings_that_are_no_numbers_are_named(tmp_path):
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file["a"], file["b"] = np.full((3, 2), np.inf), np.ones((3, 2))
    source = open_embeddings(tmp_path / "e.h5")
    assert source.read("b").sum() == 6
    with pytest.raises(InputError, match="e.h5: chain a has values that are no numbers"):
        source.read("a")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["a"] = np.array([["x"]], dtype="S1")
    with pytest.raises(InputError, match=r"t.h5: a is of type \|S1; expected numbers"):
        open_embeddings(tmp_path / "t.h5")
