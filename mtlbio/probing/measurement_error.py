"""Covariates that are recorded with error: the columns that a test holds fixed in the place of the recorded ones.

Of a covariate X the cohort holds W = X + U, and ``reliability`` is var(X) / var(W). Held fixed as it is recorded, W
leaves a part of X in every dimension that goes with X, and the label of a test goes with that part: the label's effect
is biased, and with donors enough the bias is significant (Fuller 1987, Measurement Error Models, ch. 1).

With T the label, C all else that is held fixed, z = g(X) + T b + C c + e, and an error that says nothing of z that X
does not say,

    E[z | W, T, C] = E[g(X) | W, T, C] + T b + C c.

So the columns of g (a spline, its products with the batches) are replaced by their expectations given W, T *and* C,
and every test of the trial stays what it is: b is estimated without bias, and what the nuisance leaves of z has mean
zero under the null for every (W, T, C), which is what flips and exchanges need. This is regression calibration with the
label among its predictors (Carroll, Ruppert, Stefanski & Crainiceanu 2006, Measurement Error in Nonlinear Models,
ch. 4); without the label it rescales W, and corrects nothing. Of a straight line and a normal X it is the estimator by
corrected moments (Fuller 1987, ch. 2; Buonaccorsi 2010, Measurement Error, ch. 5), which fails where X acts in a curve.

The standard errors take the distribution of X as known. Where X acts in a line that does not show; where it acts in a
curve, 300 donors have a level of .07 in place of .05 (``benchmarks/calibration/errors_in_age.py`` counts bias and
level, and compares SIMEX and corrected moments).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.probing.deconvolution import distribution
from mtlbio.probing.design import spline
from mtlbio.probing.units import Units


def corrected_columns(
    obs: pd.DataFrame,
    covariates: Sequence[CovariateInfo],
    units: Units,
    tested: np.ndarray,
    fixed: Sequence[np.ndarray],
    coded: dict[str, np.ndarray],
    df: int,
) -> dict[str, np.ndarray]:
    """Columns (samples, k) of every covariate that is recorded with error: of its true values, as far as tested columns
    (units, k) and all else that is held fixed tell them.

    ``fixed``: (units, k) columns beside the covariates; ``coded``: (samples, k) of every covariate as it is recorded.
    Of other numbers the straight line tells something, and of factors the levels.
    """
    out = {}
    for info in [c for c in covariates if c.reliability < 1]:
        others = [(coded[c.name], c.kind) for c in covariates if c.name in coded and c.name != info.name]
        known = [units.mean(columns[:, :1] if kind == "continuous" else columns) for columns, kind in others]
        estimated = obs[[c.name for c in covariates if c.estimated]].to_numpy(dtype=float)  # held fixed as it is
        told = np.column_stack([units.mean(estimated), *known, *fixed])
        values = pd.to_numeric(obs[info.name]).to_numpy(dtype=float)
        out[info.name] = expected_columns(values, obs["donor"], info.reliability, units, df, tested, told)
    return out


def expected_columns(
    values: np.ndarray, donors: pd.Series, reliability: float, units: Units, df: int, label: np.ndarray, others
) -> np.ndarray:
    """Columns of a continuous covariate over all samples, as :func:`mtlbio.probing.design.code` has them, of its true
    values as far as they are known.

    Parameters
    ----------
    values, donors : (samples,)
    reliability : share of the variance of the donors' means that is true; over all donors, whatever the units are
    df : degrees of freedom of the spline
    label, others : (units, k), (units, p) as in :func:`distribution`; donors that hold several units have their means
    """
    known, mask, donors = ~np.isnan(values), units.mask, donors.to_numpy().astype(str)
    error = float(np.sqrt((1 - reliability) * _means(values[known], donors[known]).var(ddof=1)))
    recorded, donor = _means(values[mask], donors[mask]), np.unique(donors[mask], return_inverse=True)[1]
    of_unit = donors[units.average.indices[units.average.indptr[:-1]]]  # relatives are not sorted by their names
    label, others = (_means(columns, of_unit) for columns in (label, others))
    weights = distribution(recorded, error, label, others)
    basis = expected_spline(values[mask], donor, df, recorded, *weights)
    columns = np.zeros((len(values), basis.shape[1]))
    columns[mask] = basis
    return columns


def expected_spline(
    values: np.ndarray, donor: np.ndarray, df: int, knots_from: np.ndarray, grid: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Expectation of a spline (:func:`mtlbio.probing.design.spline`) of the true values of samples.

    The error is the donor's: what a sample differs from its donor's mean (a second visit) is taken as it is recorded.

    Parameters
    ----------
    values : (samples,) recorded
    donor : (samples,) codes 0 .. donors - 1
    grid, weights : (m,), (donors, m) of :func:`distribution` of the donors' means

    Returns
    -------
    (samples, <= df)
    """
    counts = np.maximum(np.bincount(donor, minlength=len(weights)), 1)
    inside = values - (np.bincount(donor, values, minlength=len(weights)) / counts)[donor]
    basis = spline((inside[:, None] + grid).ravel(), df, knots_from)
    return np.einsum("smk,sm->sk", basis.reshape(len(values), len(grid), -1), weights[donor])


def _means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Mean of values (n, ...) in every group, in their order."""
    group = np.unique(groups, return_inverse=True)[1]
    sums = np.zeros((group.max() + 1, *values.shape[1:]))
    np.add.at(sums, group, values)
    return sums / np.bincount(group).reshape(-1, *[1] * (values.ndim - 1))
