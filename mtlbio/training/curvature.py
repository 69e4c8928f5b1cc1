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


def curvatures(features: torch.Tensor, weights: torch.Tensor, scale: torch.Tensor | None = None) -> torch.Tensor:
    """(q,) what :func:`curvature_of` gives of the samples (n, k) under each of the weights (q, n); 0 without samples.

    All weights share the products with the samples, whose second moments are never formed. ``scale`` (q,): of the
    features, beside which a bias is then learnt.
    """
    roots, columns = weights.sqrt().T, features.shape[1] + (scale is not None)
    bias = features.new_full((len(weights),), float(scale is not None))
    factor = features.new_ones(len(weights)) if scale is None else scale
    counts = (weights > 0).sum(1)

    def forth(vector: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return roots[:, at] * (features @ (vector[:-1] * factor[at]) + bias[at] * vector[-1])

    def back(moved: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        moved = moved * roots[:, at]
        return torch.cat([(features.T @ moved) * factor[at], bias[at] * moved.sum(0)[None]])

    found = features.new_zeros(len(weights))
    # the smaller of the two products has the same largest eigenvalue, but another start
    for at, of_samples in ((counts >= columns, False), ((counts > 0) & (counts < columns), True)):
        at = at.nonzero().ravel()
        if not len(at):
            continue
        if of_samples:
            present = (weights[at] > 0).T.to(features)
            vector = forth(back(present, at), at) + 1e-6 * present
        else:
            present = torch.cat([features.new_ones(features.shape[1], len(at)), bias[at][None]])
            vector = back(forth(present, at), at) + 1e-6 * present
        for _ in range(20):
            vector = forth(back(vector, at), at) if of_samples else back(forth(vector, at), at)
            vector = vector / vector.norm(dim=0).clamp_min(1e-20)
        vector = forth(back(vector, at), at) if of_samples else back(forth(vector, at), at)
        found[at] = 1.05 * vector.norm(dim=0)  # power iteration approaches from below
    return found


def pace_of_fold(features: torch.Tensor, train: torch.Tensor) -> torch.Tensor:
    """(s, t) what :func:`pace` gives of one fold: features (n, r), ``train`` (s, n, t)."""
    s, n, t = train.shape
    return 1 / curvatures(features, train.permute(0, 2, 1).reshape(s * t, n)).reshape(s, t).clamp_min(1.0)


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
