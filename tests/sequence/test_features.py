"""Profiles and embeddings: read chain by chain, told by a flag where missing, refused where they do not fit."""

import h5py
import numpy as np
import pytest

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
