"""Where the axes of a fold come from: they are found without labels, on the training donors only."""

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features
from mtlbio.config import Training
from mtlbio.model.axes import Axes, sparse_axes, sparse_axes_of_moments
from mtlbio.model.parallel import count_axes, generous
from mtlbio.model.rotation import rotated_start, rotated_start_of_moments


def axes_of_genes(cohort: Cohort, features: Features, x: np.ndarray, train: np.ndarray, options: Training) -> Axes:
    """Gene-sparse axes of the training samples x (n, p), standardised, whose rows in the cohort are ``train`` (n,)."""
    if options.axes == "auto":
        n_axes = generous(count_axes(x, cohort.donors[train], options.seed), len(x), options.max_axes)
    else:
        n_axes = min(options.axes, len(x) - 1, x.shape[1])
    return sparse_axes(x, rotated_start(x, n_axes), options.sparsity)


def axes_of_moments(
    second: np.ndarray,
    eigen: tuple[np.ndarray, np.ndarray],
    x: np.ndarray,
    donors: np.ndarray,
    options: Training,
) -> Axes:
    """The same axes, from mean products ``second`` (p, p) of fewer columns than samples.

    Parameters
    ----------
    eigen : eigenvalues (p,), ascending, and eigenvectors (p, p) of ``second``
    x : (n, p) float32, read only to count the axes: donors' values are exchanged for that
    donors : (n,) of the training samples
    """
    values, vectors = eigen
    if options.axes == "auto":
        observed = values[::-1] * len(x)
        n_axes = generous(count_axes(x, donors, options.seed, eigenvalues=observed), len(x), options.max_axes)
    else:
        n_axes = min(options.axes, len(x) - 1, x.shape[1])
    start = rotated_start_of_moments(second, values, vectors, n_axes)
    return sparse_axes_of_moments(second, len(x), start, options.sparsity)


def most_axes(cohort: Cohort, columns: int, options: Training) -> int:
    """More axes than this no fold of the cohort has, ``columns`` of whose measurements are used."""
    limit = options.max_axes if options.axes == "auto" else options.axes
    return max(1, min(limit, len(cohort.obs), columns))
