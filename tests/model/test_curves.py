"""Random Fourier features approximate a Gaussian kernel."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.model.curves import Curves


def uncentred(curves: Curves, axes: np.ndarray) -> np.ndarray:
    return np.cos(axes @ curves.frequencies + curves.phase)


@pytest.mark.parametrize("k", [1, 4, 15])
def test_inner_products_are_a_gaussian_kernel(k):
    axes = np.random.default_rng(k).standard_normal((40, k))
    curves = Curves.of(axes, 40_000, seed=0)
    features = uncentred(curves, axes)
    distance = ((axes[:, None] - axes[None]) ** 2).sum(axis=2)
    # frequencies of variance 1 / k: a kernel of width sqrt(k), the typical distance of two donors
    kernel = np.exp(-distance / (2 * k))
    np.testing.assert_allclose(2 * features @ features.T / 40_000, kernel, atol=0.04)


def test_mean_is_zero_on_the_training_samples_and_kept_for_others():
    rng = np.random.default_rng(0)
    axes = rng.standard_normal((50, 3))
    curves = Curves.of(axes, 20, seed=0)
    np.testing.assert_allclose(curves.transform(axes).mean(axis=0), 0, atol=1e-12)
    others = rng.standard_normal((5, 3))
    np.testing.assert_allclose(curves.transform(others), uncentred(curves, others) - uncentred(curves, axes).mean(0))


def test_the_seed_decides():
    axes = np.random.default_rng(0).standard_normal((50, 3))
    first, same, other = (Curves.of(axes, 20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.frequencies, same.frequencies)
    np.testing.assert_array_equal(first.phase, same.phase)
    assert np.abs(first.frequencies - other.frequencies).min() > 0


def test_a_linear_model_on_curves_reads_what_no_line_can():
    rng = np.random.default_rng(1)
    axes = rng.standard_normal((400, 3))
    y = axes[:, 0] ** 2 - 1 + axes[:, 1] * axes[:, 2]
    curves = Curves.of(axes[:300], 500, seed=0)

    def r2(features: np.ndarray) -> float:
        train, test = features[:300], features[300:]
        weights = np.linalg.solve(train.T @ train + 0.1 * np.eye(train.shape[1]), train.T @ y[:300])
        return 1 - ((y[300:] - test @ weights) ** 2).mean() / y[300:].var()

    assert r2(axes) < 0.1
    assert r2(curves.transform(axes)) > 0.8
