"""Labels as folds see them: what has to be spread evenly over them."""

import numpy as np

# Bins of a number for the stratification; fewer where a bin would hold less than a donor per fold.
_BINS = 5


def carried_classes(owner: np.ndarray, y: np.ndarray, owners: int) -> np.ndarray:
    """Which classes an owner carries, several where its samples differ; bool (owners, classes + 1), last: no label.

    ``owner`` (n,) is 0 .. owners - 1, ``y`` (n,) are codes, NaN where missing.
    """
    labelled = ~np.isnan(y)
    columns = [np.bincount(owner, y == value, owners) > 0 for value in np.unique(y[labelled])]
    return np.stack([*columns, np.bincount(owner, labelled, owners) == 0], axis=1)


def carried_values(owner: np.ndarray, y: np.ndarray, owners: int, folds: int) -> np.ndarray:
    """The quantile bin of an owner's mean; bool (owners, bins + 1), last: no label."""
    present = ~np.isnan(y)
    count = np.bincount(owner, present, owners)
    mean = np.bincount(owner[present], y[present], owners) / np.maximum(count, 1)
    labelled = count > 0
    bins = int(np.clip(labelled.sum() // (2 * folds), 1, _BINS))
    edges = np.unique(np.quantile(mean[labelled], np.arange(1, bins) / bins)) if labelled.any() else np.empty(0)
    # equal ages that differ by rounding of their mean must fall into one bin on every machine
    bin_of = np.searchsorted(np.round(edges, 9), np.round(mean, 9), side="right")
    columns = [labelled & (bin_of == b) for b in range(len(edges) + 1)]
    return np.stack([*columns, ~labelled], axis=1)


def counted_classes(owner: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Samples of every class, and without one: (owners, classes + 1)."""
    labelled = ~np.isnan(y)
    groups = [y == value for value in np.unique(y[labelled])]
    return np.stack([np.bincount(owner, group) for group in [*groups, ~labelled]], axis=1)


def counted_values(owner: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Samples of every quarter of the values, and without one: (owners, quarters + 1)."""
    labelled = ~np.isnan(y)
    if labelled.any():
        quarter = np.searchsorted(np.quantile(y[labelled], [0.25, 0.5, 0.75]), y)
        y = np.where(labelled, quarter, np.nan)
    return counted_classes(owner, y)
