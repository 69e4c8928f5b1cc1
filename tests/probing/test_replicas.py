import numpy as np
import pytest

from mtlbio.probing.examinee import NOTHING, Examinee
from mtlbio.probing.replicas import replica_table, replicas, replicas_of_one_fold


class Two(Examinee):
    """Two seeds whose axes are the genes; the third dimension is supervised; fold 1 has collapsed."""

    dims, saw = ("z01", "z02", "z03"), NOTHING

    def __init__(self, x, fold):
        self.x, self.fold = x, fold

    def latents(self, fold):
        z = self.x[:, [0, 0, 2]] if fold == 1 else self.x
        return np.stack([z, z + [[0.0, 0.0, 1.0]] * z])


@pytest.mark.parametrize("fold", [0, 1])
def test_replica_table_shows_a_collapse(fold):
    x = np.random.default_rng(0).normal(size=(40, 3))
    donors, examinee = np.arange(40).astype(str), Two(x, np.arange(40) % 2)
    axes = np.array([True, True, False])
    found = replicas(examinee, donors, axes)
    assert found.folds.shape == (2, 40, 2) and found.train.sum(axis=1).tolist() == [20, 20]
    table = replica_table(examinee, found, axes)
    assert table["fold"].tolist() == [0, 0, 1, 1] and table["replica"].tolist() == [0, 1, 0, 1]
    assert (table["n_held_out"] == 20).all()
    row = table[table["fold"] == fold].iloc[0]
    if fold == 0:
        assert row["effective_rank"] > 1.9 and row["cka"] == pytest.approx(1) and row["correlation"] == pytest.approx(1)
    else:
        assert row["effective_rank"] == pytest.approx(1) and row["cka"] < 0.9 and row["effective_rank_all"] < 2.1


def test_replicas_of_one_fold_are_compared_with_their_mean():
    x = np.random.default_rng(0).normal(size=(200, 3))
    alike = replicas_of_one_fold(np.stack([x, 2 * x]))
    assert alike["replica"].tolist() == [0, 1] and alike["n_held_out"].tolist() == [200, 200]
    np.testing.assert_allclose(alike[["cka", "svcca", "correlation"]], 1.0, rtol=1e-6)
    collapsed = replicas_of_one_fold(np.stack([x, x[:, [0, 0, 0]]]))
    assert collapsed["effective_rank"].tolist() == collapsed["effective_rank_all"].tolist()
    assert collapsed["effective_rank"][0] > 2.9 and collapsed["effective_rank"][1] == pytest.approx(1)
    assert (collapsed["correlation"] < 1).all()
