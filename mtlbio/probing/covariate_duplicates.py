"""Dimensions that are a covariate: a table may hold the weight that the run adjusts for, and one dimension is it.

With the covariate held fixed nothing of such a dimension is left, and what is estimated from the remains (rounding, a
level's score that differs between folds) says nothing about a task. No verdict depends on this; the sentences do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.probing.trial import Trial

# Share of a dimension's variance within the folds that may be left where it is said to be the covariate.
_LEFT = 1e-3


def covariate_duplicates(trial: Trial, fold: np.ndarray) -> dict[str, str]:
    """Dimension -> the covariate that says all of it; dimensions of their own are left out.

    Within every fold, because every fold finds the scores of a category's levels on its own training samples: a number
    has to be linear in the covariate there, a category constant in each of its levels.

    Parameters
    ----------
    fold : (samples,) in which a sample is held out
    """
    found: dict[str, str] = {}
    for info in trial.covariates.values():
        column = trial.obs[info.name]
        known = column.notna().to_numpy()
        residual, total, spent = np.zeros(len(trial.dims)), np.zeros(len(trial.dims)), 0
        for f in np.unique(fold[known]):
            rows = known & (fold == f)
            z = trial.z[rows] - trial.z[rows].mean(axis=0)
            basis = _basis(column[rows], info)
            residual += np.square(z - basis @ (basis.T @ z)).sum(axis=0)
            total += np.square(z).sum(axis=0)
            spent += basis.shape[1]
        if spent > known.sum() / 2:  # as many levels as samples say all of anything
            continue
        for dim in np.flatnonzero((total > 0) & (residual <= _LEFT * total)):
            found.setdefault(trial.dims[dim], info.name)
    return found


def _basis(column: pd.Series, info: CovariateInfo) -> np.ndarray:
    """(samples, k) orthonormal columns of a covariate, centred."""
    if info.kind == "continuous":
        columns = column.to_numpy(dtype=float)[:, None]
    else:
        columns = pd.get_dummies(column.astype(str)).to_numpy(dtype=float)
    left, size, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    return left[:, size > 1e-9 * max(size.max(initial=0.0), 1e-300)]
