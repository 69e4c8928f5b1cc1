"""Planted data: a few sparse programmes, noise, and how well they were found again."""

from __future__ import annotations

import numpy as np


def plant(
    n: int = 200, p: int = 300, k: int = 4, size: int = 40, correlation: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Standardised data (n, p), activities (n, k), of which the first two may correlate, and loadings (p, k)."""
    rng = np.random.default_rng([seed, 7])
    activity = rng.standard_normal((n, k))
    if k > 1:
        activity[:, 1] = correlation * activity[:, 0] + np.sqrt(1 - correlation**2) * activity[:, 1]
    loadings = np.zeros((p, k))
    for j in range(k):
        genes = rng.choice(p, size, replace=False)
        loadings[genes, j] = rng.choice([-1.0, 1.0], size) * rng.gamma(4.0, 0.25, size)
    x = activity @ loadings.T + rng.standard_normal((n, p))
    scale = x.std(axis=0)
    return (x - x.mean(axis=0)) / scale, activity, loadings / scale[:, None]


def best_r2(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(k,) squared correlation of every true activity (n, k) with the best of the found axes (n, m)."""
    k = truth.shape[1]
    return (np.corrcoef(truth, found, rowvar=False)[:k, k:] ** 2).max(axis=1)
