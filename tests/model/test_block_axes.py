"""Axes that several blocks share: the plain ones where nobody lacks a block, and what a gap may not change."""

import numpy as np
import pytest

from mtlbio.model.axes import sparse_axes
from mtlbio.model.block_axes import block_axes
from mtlbio.model.rotation import rotated_start

N, FEATURES = 120, (60, 40)
OF_FEATURE = np.repeat([0, 1], FEATURES)


@pytest.fixture(scope="module")
def planted():
    """Standardised data of two blocks, and three programmes: in the first, in the second, in both."""
    rng = np.random.default_rng(0)
    truth, loadings = rng.normal(size=(N, 3)), np.zeros((100, 3))
    loadings[:25, 0] = loadings[60:80, 1] = 1.0
    loadings[30:50, 2] = loadings[82:97, 2] = -1.0
    x = truth @ loadings.T + rng.normal(size=(N, 100))
    return (x - x.mean(axis=0)) / x.std(axis=0), truth


def gaps(rng, share: float = 0.3) -> np.ndarray:
    """(N, 2) every sample has one of the blocks at least."""
    present = np.ones((N, 2), dtype=bool)
    lacking = rng.permutation(N)[: int(share * N)]
    present[lacking, np.arange(len(lacking)) % 2] = False
    return present


def test_axes_of_samples_that_lack_nothing_are_the_plain_ones(planted):
    x, _ = planted
    start, everything = rotated_start(x, 5), np.ones((N, 1), dtype=bool)
    plain = sparse_axes(x, start)
    found = block_axes(x, everything, np.zeros(100, dtype=int), start)
    np.testing.assert_allclose(found.loadings, plain.loadings, atol=1e-10)
    np.testing.assert_allclose(found.encode(x, everything), x @ plain.encoder, atol=1e-10)
    # two blocks that everybody has are one model too, whose axes come in another order
    split = block_axes(x, np.ones((N, 2), dtype=bool), OF_FEATURE, start)
    order = [int(np.abs(plain.loadings.T @ axis).argmax()) for axis in split.loadings.T]
    assert sorted(order) == list(range(plain.n_axes))
    np.testing.assert_allclose(np.abs(split.loadings), np.abs(plain.loadings[:, order]), atol=1e-10)


def test_programmes_are_found_in_their_blocks_when_donors_lack_one(planted):
    x, truth = planted
    present = gaps(np.random.default_rng(1))
    seen = np.where(present[:, OF_FEATURE], x, 0.0)
    axes = block_axes(seen, present, OF_FEATURE, rotated_start(seen, 5))
    z = axes.encode(seen, present)
    whole = present.all(axis=1)
    r = np.abs(np.corrcoef(z[whole].T, truth[whole].T)[: axes.n_axes, axes.n_axes :])
    assert axes.n_axes == 3 and (r.max(axis=0) ** 2 > 0.9).all()
    first, second, shared = (axes.loadings[:, int(best)] for best in r.argmax(axis=0))
    strength = np.array([[np.square(column[OF_FEATURE == b]).sum() for b in (0, 1)] for column in (first, second)])
    assert strength[0, 1] < 0.02 * strength[0, 0] and strength[1, 0] < 0.02 * strength[1, 1]
    assert all(np.square(shared[OF_FEATURE == b]).sum() > 1 for b in (0, 1))


def test_a_sample_is_the_posterior_mean_given_its_blocks(planted):
    """Equal to the mean of the joint normal distribution given the features that are there."""
    x, _ = planted
    present = gaps(np.random.default_rng(1))
    seen = np.where(present[:, OF_FEATURE], x, 0.0)
    axes = block_axes(seen, present, OF_FEATURE, rotated_start(seen, 4))
    row = int(np.flatnonzero(~present[:, 1])[0])
    raw, there = axes.loadings / axes.size, OF_FEATURE == 0
    spread = raw[there] @ raw[there].T + np.diag(axes.noise[there])
    expected = raw[there].T @ np.linalg.solve(spread, x[row, there]) / axes.size
    np.testing.assert_allclose(axes.encode(seen, present)[row], expected, atol=1e-8)


def test_what_stands_in_a_gap_is_not_read_and_order_is_nothing(planted):
    x, _ = planted
    rng = np.random.default_rng(1)
    present = gaps(rng)
    seen = np.where(present[:, OF_FEATURE], x, 0.0)
    start = rotated_start(seen, 4)
    axes = block_axes(seen, present, OF_FEATURE, start)
    z = axes.encode(seen, present)
    np.testing.assert_array_equal(axes.encode(np.where(present[:, OF_FEATURE], x, np.nan), present), z)
    rows, columns = rng.permutation(N), rng.permutation(100)  # samples in any order, features of blocks 1 and 0
    swapped = block_axes(
        seen[np.ix_(rows, columns)],
        present[rows][:, ::-1],
        1 - OF_FEATURE[columns],
        (start[0][rows], start[1][columns]),
    )
    np.testing.assert_allclose(swapped.encode(seen[:, columns], present[:, ::-1]), z, atol=1e-8)
    np.testing.assert_allclose(swapped.loadings, axes.loadings[columns], atol=1e-8)
