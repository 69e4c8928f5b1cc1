"""PCA, varimax, promax: rotations change the view, not the data."""

from __future__ import annotations

import numpy as np
import pytest
from programmes import best_r2, plant

from mtlbio.model.rotation import principal_components, promax, rotated_start, varimax


def varimax_criterion(loadings: np.ndarray) -> float:
    return float((loadings**2).var(axis=0).sum())


def test_components_are_the_best_approximation_of_their_rank():
    x, _, _ = plant()
    scores, loadings = principal_components(x, 5)
    np.testing.assert_allclose(scores.T @ scores / len(x), np.eye(5), atol=1e-9)
    left, singular, right = np.linalg.svd(x, full_matrices=False)
    np.testing.assert_allclose(scores @ loadings.T, (left[:, :5] * singular[:5]) @ right[:5], atol=1e-8)
    assert ((loadings**3).sum(axis=0) > 0).all()


def test_varimax_is_orthogonal_and_raises_its_criterion():
    _, loadings = principal_components(plant()[0], 6)
    rotation = varimax(loadings)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(6), atol=1e-10)
    reached = varimax_criterion(loadings @ rotation)
    assert reached > 1.3 * varimax_criterion(loadings)
    # a maximum: no small rotation in any plane goes higher
    for a in range(6):
        for b in range(a):
            for angle in (-0.02, 0.02):
                turn = np.eye(6)
                turn[[a, b], [a, b]] = np.cos(angle)
                turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
                assert varimax_criterion(loadings @ rotation @ turn) <= reached + 1e-6


def test_varimax_undoes_a_rotation_of_sparse_loadings():
    loadings = plant()[2]
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    rotated = loadings @ turn
    found = rotated @ varimax(rotated)
    assert (np.abs(np.corrcoef(loadings, found, rowvar=False)[:4, 4:]).max(axis=1) > 0.99).all()


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_promax_keeps_the_variance_and_what_scores_and_loadings_say_together(correlation):
    x, _, _ = plant(correlation=correlation)
    scores, loadings = principal_components(x, 6)
    oblique = promax(loadings)
    turned, pattern = scores @ np.linalg.inv(oblique).T, loadings @ oblique
    np.testing.assert_allclose((turned**2).mean(axis=0), 1.0, atol=1e-9)
    np.testing.assert_allclose(turned @ pattern.T, scores @ loadings.T, atol=1e-9)


def test_start_is_the_components_seen_from_another_side():
    x, _, _ = plant()
    scores, loadings = rotated_start(x, 6)
    plain_scores, plain_loadings = principal_components(x, 6)
    np.testing.assert_allclose(scores @ loadings.T, plain_scores @ plain_loadings.T, atol=1e-9)
    np.testing.assert_allclose((scores**2).mean(axis=0), 1.0, atol=1e-12)


def test_oblique_axes_follow_correlated_programmes_better():
    gain = []
    for seed in range(3):
        x, activity, _ = plant(correlation=0.6, seed=seed)
        scores, loadings = principal_components(x, 4)
        gain.append((best_r2(rotated_start(x, 4)[0], activity) - best_r2(scores @ varimax(loadings), activity))[:2])
        assert best_r2(rotated_start(x, 4)[0], activity).min() > 0.85
    assert np.mean(gain) > 0.03


def test_order_of_the_samples_does_not_matter():
    x, _, _ = plant()
    order = np.random.default_rng(1).permutation(len(x))
    scores, loadings = rotated_start(x, 4)
    other_scores, other_loadings = rotated_start(x[order], 4)
    np.testing.assert_allclose(other_scores, scores[order], atol=1e-6)
    np.testing.assert_allclose(other_loadings, loadings, atol=1e-6)
