"""Dimensions that are a covariate: a table may hold the weight that the run adjusts for, and one dimension is it.

With the covariate held fixed nothing of such a dimension is left, and what is estimated from the remains (rounding, a
level's score that differs between folds) says nothing about a task. No verdict depends on this; the sentences do.
"""

import numpy as np
import pandas as pd

from mtlbio.probing.design import orthonormal
from mtlbio.probing.trial import Trial

# Share of a dimension's variance within the folds that may be left where it is said to be the covariate.
_LEFT = 1e-3


def covariate_duplicates(trial: Trial, fold: np.ndarray) -> dict[str, str]:
    """Dimension -> the covariate that says all of it; dimensions of their own are left out.

    Within every fold, because every fold finds the scores of a category's levels on its own training samples: a number
    has to be linear in the covariate there, a category constant in each of its levels.

    ``fold``: (samples,) in which a sample is held out.
    """
    out: dict[str, str] = {}
    for info in trial.covariates.values():
        column = trial.obs[info.name]
        present = column.notna().to_numpy()
        residual, total, spent = np.zeros(len(trial.dims)), np.zeros(len(trial.dims)), 0
        for f in np.unique(fold[present]):
            rows = present & (fold == f)
            z = trial.z[rows] - trial.z[rows].mean(axis=0)
            factor = info.kind == "categorical"
            columns = pd.get_dummies(column[rows].astype(str)) if factor else column[rows].to_frame()
            columns = columns.to_numpy(dtype=float)
            basis = orthonormal(columns - columns.mean(axis=0))
            residual += np.square(z - basis @ (basis.T @ z)).sum(axis=0)
            total += np.square(z).sum(axis=0)
            spent += basis.shape[1]
        if spent > present.sum() / 2:  # as many levels as samples say all of anything
            continue
        for dim in np.flatnonzero((total > 0) & (residual <= _LEFT * total)):
            out.setdefault(trial.dims[dim], info.name)
    return out
