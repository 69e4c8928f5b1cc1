"""Labels as folds see them: what has to be spread evenly over them."""

from __future__ import annotations

import numpy as np

# Bins of a number for the stratification; fewer where a bin would hold less than a donor per fold.
_BINS = 5


def carried_classes(owner: np.ndarray, y: np.ndarray, owners: int) -> np.ndarray:
    """Which classes an owner carries, several where its samples differ; bool (owners, classes + 1), last: no label.

    Parameters
    ----------
    owner : (n,) 0 .. owners - 1
    y : (n,) codes, NaN where missing
    """
    known = ~np.isnan(y)
    values = np.unique(y[known])
    columns = [np.bincount(owner[known & (y == v)], minlength=owners) > 0 for v in values]
    return np.stack([*columns, _unlabelled(owner, known, owners)], axis=1)


def carried_values(owner: np.ndarray, y: np.ndarray, owners: int, folds: int) -> np.ndarray:
    """The quantile bin of an owner's mean; bool (owners, bins + 1), last: no label."""
    known = ~np.isnan(y)
    count = np.bincount(owner[known], minlength=owners)
    mean = np.bincount(owner[known], weights=y[known], minlength=owners) / np.maximum(count, 1)
    labelled = count > 0
    bins = int(np.clip(labelled.sum() // (2 * folds), 1, _BINS))
    edges = np.unique(np.quantile(mean[labelled], np.arange(1, bins) / bins)) if labelled.any() else np.empty(0)
    # equal ages that differ by rounding of their mean must fall into one bin on every machine
    bin_of = np.searchsorted(np.round(edges, 9), np.round(mean, 9), side="right")
    columns = [labelled & (bin_of == b) for b in range(len(edges) + 1)]
    return np.stack([*columns, _unlabelled(owner, known, owners)], axis=1)


def counted_classes(owner: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Samples of every class, and without one: (owners, classes + 1)."""
    known = ~np.isnan(y)
    groups = [known & (y == v) for v in np.unique(y[known])]
    return np.stack([np.bincount(owner, group) for group in [*groups, ~known]], axis=1)


def counted_values(owner: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Samples of every quarter of the values, and without one: (owners, quarters + 1)."""
    known = ~np.isnan(y)
    quarter = y
    if known.any():
        quarter = np.searchsorted(np.quantile(y[known], [0.25, 0.5, 0.75]), y).astype(float)
    return counted_classes(owner, np.where(known, quarter, np.nan))


def _unlabelled(owner: np.ndarray, known: np.ndarray, owners: int) -> np.ndarray:
    return np.bincount(owner[known], minlength=owners) == 0
