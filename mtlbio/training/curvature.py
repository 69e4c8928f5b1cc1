"""How long a step may be: the largest curvature of a mean loss that is linear in its features."""

from collections.abc import Iterator
from itertools import product

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
    factors = features.new_ones(len(train), train.shape[1], train.shape[3])
    for place, _, weighted in labelled_samples(features, train):
        factors[place] = 1 / curvature_of(weighted).clamp_min(1.0)
    return factors


def labelled_samples(
    features: torch.Tensor, train: torch.Tensor
) -> Iterator[tuple[tuple[int, int, int], torch.Tensor, torch.Tensor]]:
    """Fold, seed and task, the root of the weights (m, 1) of its labelled training samples, and those (m, r) times it;
    nothing of a task without any."""
    f, s, _, t = train.shape
    for fold, seed, task in product(range(f), range(s), range(t)):
        weight = train[fold, seed, :, task]
        root = weight[weight > 0].sqrt()[:, None]
        if len(root):
            yield (fold, seed, task), root, features[fold % len(features)][weight > 0] * root
