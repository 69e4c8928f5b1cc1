"""Axes of one model find their partners in another."""

from __future__ import annotations

import numpy as np

from mtlbio.model.matching import effective_rank, match_axes


def latents(k: int = 5, n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, k))


def test_a_signed_permutation_is_undone():
    reference = latents()
    order, sign = np.array([3, 0, 4, 1, 2]), np.array([1, -1, -1, 1, -1.0])
    other = 2.5 * reference[:, order] * sign + 0.05 * latents(seed=1)
    matching = match_axes(reference, other)
    back = other @ matching.transfer
    assert (np.abs(matching.transfer) == np.eye(5)[order]).all()
    assert (np.diag(np.corrcoef(reference, back, rowvar=False)[:5, 5:]) > 0.99).all()
    assert (matching.correlation > 0.99).all() and matching.paired.all()
    assert len(matching.unmatched) == 0


def test_an_axis_too_many_stays_alone():
    reference = latents()
    other = np.concatenate([latents(1, seed=2), reference], axis=1)
    matching = match_axes(reference, other)
    assert matching.unmatched.tolist() == [0]
    assert (matching.transfer[0] == 0).all()
    np.testing.assert_allclose(matching.correlation, 1.0)


def test_a_missing_partner_gets_a_regression_in_its_place():
    reference = latents()
    reference[:, 4] = (reference[:, 0] - reference[:, 2]) / np.sqrt(2) + 0.2 * reference[:, 4]
    other = reference[:, :4]
    matching = match_axes(reference, other)
    assert matching.correlation[4] == 0 and matching.paired.tolist() == [True] * 4 + [False]
    np.testing.assert_array_equal(matching.transfer[:, :4], np.eye(4))
    standing_in = other @ matching.transfer[:, 4]
    assert np.corrcoef(standing_in, reference[:, 4])[0, 1] > 0.95
    np.testing.assert_allclose(matching.transfer[:, 4], [0.69, 0, -0.69, 0], atol=0.06)


def test_the_assignment_is_the_best_of_all_not_the_first():
    """Both reference axes like axis 0 best; only together is it clear who gets it."""
    n = 4000
    a, b, c = latents(3, n).T
    reference = np.stack([a, 0.9 * a + 0.1 * c], axis=1)
    other = np.stack([a, 0.8 * a + 0.6 * b], axis=1)
    matching = match_axes(reference, other)
    correlation = np.abs(np.corrcoef(reference, other, rowvar=False)[:2, 2:])
    assert np.isclose(matching.correlation.sum(), max(np.trace(correlation), np.trace(correlation[::-1])))


def test_effective_rank():
    independent = latents(8, 20_000)
    assert 7.98 < effective_rank(independent) <= 8
    collapsed = independent[:, :1] + 1e-4 * independent
    assert 1 <= effective_rank(collapsed) < 1.01
    two = np.concatenate([independent[:, :1]] * 4 + [independent[:, 1:2]] * 4, axis=1)
    np.testing.assert_allclose(effective_rank(two), 2.0, atol=0.01)


def test_effective_rank_of_constants():
    assert effective_rank(np.ones((10, 3))) == 0
    mixed = np.concatenate([np.ones((200, 2)), latents(2)], axis=1)
    assert 1.9 < effective_rank(mixed) <= 2
    assert np.isclose(effective_rank(latents(1)), 1)
