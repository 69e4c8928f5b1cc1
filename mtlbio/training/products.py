"""One wide matrix product per fold for all the networks that read the same features."""

import torch


def wide_product(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(F, n, m) features (f, n, k) times weights (F, k, m), where several label sets may share the features of a fold:
    entries i, i + f, i + 2f, ... of the weights read those of fold i.

    A batch of narrow products reads the features once for each of them, and takes five to ten times as long.
    """
    f, n, k = features.shape
    sets, m = len(weights) // f, weights.shape[2]
    if sets == 1:
        return features @ weights
    joined = weights.reshape(sets, f, k, m).permute(1, 2, 0, 3).reshape(f, k, sets * m)
    return (features @ joined).reshape(f, n, sets, m).permute(2, 0, 1, 3).reshape(sets * f, n, m)
