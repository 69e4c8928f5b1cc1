"""What the covariates alone predict: age, sex, batch and the rest, without a single gene.

A model that does not beat this arm has not shown that it reads anything but the design of the study.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo

# A level needs this many training donors to have a column of its own (103 chips of 12 arrays: few do).
MIN_DONORS = 3
KNOTS = 5


def usable_covariates(cohort: Cohort, task: str) -> list[CovariateInfo]:
    """The cohort's recorded covariates without the task itself, under its own or another name."""
    label = cohort.obs[task]
    recorded = [c for c in cohort.covariates.values() if not c.estimated]  # what is estimated are genes
    return [c for c in recorded if c.name != task and not _same(cohort.obs[c.name], label)]


def design(
    obs: pd.DataFrame, covariates: Sequence[CovariateInfo], train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Design matrices of training and test samples; everything in them is fitted on the training samples.

    A continuous covariate becomes a cubic spline (knots at training quantiles, constant beyond the range seen); its
    missing values take the training median and an indicator. A categorical one is one-hot; levels of fewer than
    :data:`MIN_DONORS` training donors, and levels that training has not seen, share the level `other`; missing is a
    level too. Columns are centred and scaled to sd 1; constant ones are dropped.

    ``obs`` has one row per sample, with ``donor`` and the covariates; ``train`` (n,) and ``test`` (m,) are row numbers.
    The matrices are (n, q) and (m, q) float64.
    """
    columns, donors = [np.empty((len(obs), 0))], obs["donor"].to_numpy().astype(str)
    for covariate in covariates:
        values = obs[covariate.name]
        continuous = covariate.kind == "continuous"
        columns.append(_continuous(values, train) if continuous else _categorical(values, donors, train))
    x = np.concatenate(columns, axis=1)
    mean, scale = x[train].mean(axis=0), x[train].std(axis=0)
    varies = scale > 1e-8
    x = (x[:, varies] - mean[varies]) / scale[varies]
    return x[train], x[test]


def _continuous(column: pd.Series, train: np.ndarray) -> np.ndarray:
    from sklearn.preprocessing import SplineTransformer

    values = column.to_numpy(dtype=float)
    missing = np.isnan(values)
    observed = values[train][~missing[train]]
    if len(observed) == 0:
        return np.empty((len(values), 0))
    filled = np.where(missing, np.median(observed), values)[:, None].clip(observed.min(), observed.max())
    columns = [filled, missing[:, None].astype(float)]
    # quantiles coincide where few values dominate (visit 1, 2, 3): so many bends are not to be had
    knots = np.unique(np.quantile(observed, np.linspace(0, 1, KNOTS)))
    if len(knots) >= 4:
        spline = SplineTransformer(knots=knots[:, None], degree=3, extrapolation="constant", include_bias=False)
        columns.append(spline.fit(filled[train]).transform(filled))
    return np.concatenate(columns, axis=1)


def _categorical(values: pd.Series, donors: np.ndarray, train: np.ndarray) -> np.ndarray:
    level = values.astype(object).where(values.notna(), "missing").astype(str).to_numpy()
    per_level = pd.DataFrame({"level": level[train], "donor": donors[train]}).groupby("level")["donor"].nunique()
    frequent = sorted(per_level.index[per_level >= MIN_DONORS])
    level = np.where(np.isin(level, frequent), level, "other")
    return (level[:, None] == np.array([*frequent, "other"], dtype=object)).astype(float)


def _same(covariate: pd.Series, label: pd.Series) -> bool:
    """Whether a covariate is the task under another name."""
    a, b = covariate.astype(object), label.astype(object)
    both = a.notna() & b.notna()
    return bool(both.any() and (a[both] == b[both]).all() and (b.notna() <= a.notna()).all())
