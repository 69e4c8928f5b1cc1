"""How long a step may be: the largest curvature of a mean loss that is linear in its features."""

from __future__ import annotations

import torch


def curvature_of(weighted: torch.Tensor) -> torch.Tensor:
    """Largest eigenvalue of the second moment of samples (n, k), each times the root of its weight.

    It bounds the curvature of a regression; that of a logistic loss is at most a quarter of it.
    """
    gram = weighted @ weighted.T if len(weighted) < weighted.shape[1] else weighted.T @ weighted
    vector = gram.sum(1) + 1e-6
    for _ in range(20):
        vector = gram @ vector
        vector = vector / vector.norm().clamp_min(1e-20)
    # power iteration approaches from below
    return 1.05 * (gram @ vector).norm()


def pace(features: torch.Tensor, train: torch.Tensor) -> torch.Tensor:
    """By how much each task's step must be shortened: (f, s, t), 1 where not at all.

    The features (f, n, r) are scaled so that the strongest direction of *all* training samples has variance 1. A task
    with few labels sits on a subset, on which one direction can be many times stronger; with a single labelled
    sample an unshortened step diverges, and takes the other tasks of its network along. ``train`` (f, s, n, t) weighs
    the labelled training samples; several label sets may share the features of a fold.
    """
    f, s, _, t = train.shape
    factors = features.new_ones(f, s, t)
    for fold in range(f):
        for seed in range(s):
            for task in range(t):
                weight = train[fold, seed, :, task]
                used = features[fold % len(features)][weight > 0] * weight[weight > 0].sqrt()[:, None]
                if len(used):
                    factors[fold, seed, task] = 1 / curvature_of(used).clamp_min(1.0)
    return factors
