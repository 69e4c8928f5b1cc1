"""What is left of follow-up given columns that are held fixed, and hazard ratios beside them.

The columns have a Cox model of their own. Its ridge is chosen by marginal likelihood (MacKay 1992, Neural Comput.
4:415): thirty events do not bear the twenty columns that a hundred donors do. What the ridge leaves undone, the tests
do, which hold the same columns fixed in the dimension.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from mtlbio.labels.base import Effects
from mtlbio.labels.cox import Cox, fit_cox
from mtlbio.labels.proportional import proportional_hazards

RIDGES = (10.0, 1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)  # per event, on columns of standard deviation 1
LEVEL = 0.05  # of the interval

Times = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # time, event, entry (-inf: none), stratum


def covariate_model(times: Times, fixed: np.ndarray) -> tuple[Cox, float] | None:
    """The Cox model of the columns (n, r) that are held fixed and the ridge that it has; None without an event."""
    time, event, entry, stratum = times
    if not event.any():
        return None
    columns = _alike(fixed)
    fits: list[tuple[Cox, float]] = []
    for ridge in RIDGES:
        start = fits[-1][0] if fits else None
        fits.append((fit_cox(columns, time, event, entry, stratum, ridge=ridge, start=start), ridge))
    return max(fits, key=lambda pair: pair[0].evidence)


def residual_given(times: Times, fixed: np.ndarray) -> np.ndarray:
    """(n,) events that happened beyond those that the columns (n, r) let expect: martingale residuals; 0 without any.

    The score test of a dimension beside them is that of its covariance with this residual (Barlow & Prentice 1988,
    Biometrika 75:65; Therneau, Grambsch & Fleming 1990, Biometrika 77:147).
    """
    model = covariate_model(times, fixed)
    return np.zeros(len(times[0])) if model is None else model[0].martingale()


def hazard_ratios(times: Times, fixed: np.ndarray, z: np.ndarray, cluster: np.ndarray | None = None) -> Effects:
    """Log hazard ratios of dimensions, one by one, and whether they are proportional.

    What the columns leave of a dimension stands in a Cox model beside them. The interval is that of t with as many
    degrees of freedom as events are left beside the columns; ``cluster`` (n,): what is independent of each other, where
    it is not the donor; the covariance is then the sandwich of the clusters' scores (Lin & Wei 1989, J. Am. Stat.
    Assoc. 84:1074), with G / (G - 1).

    Parameters
    ----------
    fixed : (n, r) columns
    z : (n, D)

    Returns
    -------
    Effects
        Log hazard ratios per standard deviation of the dimension. The share is of what makes donors' times differ:
        b^2 / (1 + b^2), b the log hazard ratio (Kent & O'Quigley 1988, Biometrika 75:525), its error taken off. Where
        everybody is followed to the event it is nearly the share of the dimension that goes with the residual; who is
        not followed so far takes nothing from it.
    """
    time, event, entry, stratum = times
    model, rows = covariate_model(times, fixed), np.full((6, z.shape[1]), np.nan)
    if model is None:
        return Effects(*rows)
    columns, whole, spread = _alike(fixed), z - z.mean(axis=0), z.std(axis=0, ddof=1)
    left = whole - columns @ (columns.T @ whole) / len(z)
    told = np.linalg.norm(left, axis=0) > 1e-5 * np.maximum(np.linalg.norm(whole, axis=0), 1e-300)
    quantile = stats.t.isf(LEVEL / 2, max(model[0].events - model[0].freedom - 1, 1.0))
    ridge = np.append(1e-10, np.full(columns.shape[1], model[1]))
    for d in np.flatnonzero(told & (spread > 0)).tolist():
        fit = fit_cox(np.column_stack([left[:, d] / spread[d], columns]), time, event, entry, stratum, ridge=ridge)
        se = fit.se[0] if cluster is None else _clustered(fit, cluster)
        found, effect = proportional_hazards(fit), fit.coefficients[0]
        square = max(effect**2 - se**2, 0.0)
        ends = effect - quantile * se, effect + quantile * se
        rows[:, d] = effect, *ends, square / (1 + square), found.slope[0], found.p[0]
    return Effects(*rows)


def _alike(fixed: np.ndarray) -> np.ndarray:
    """(n, <= r) what the columns tell as uncorrelated columns of standard deviation 1: the ridge knows no direction."""
    centred = fixed - fixed.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    return u[:, s > 1e-6 * max(s.max(initial=0.0), 1e-300)] * np.sqrt(len(fixed))


def _clustered(fit: Cox, cluster: np.ndarray) -> float:
    """Standard error of the first coefficient from the scores of clusters (n,)."""
    codes = np.unique(cluster, return_inverse=True)[1]
    pull = fit.score_residuals() @ fit.covariance[:, 0]
    groups = codes.max() + 1
    return float(np.sqrt(np.square(np.bincount(codes, pull)).sum() * groups / max(groups - 1, 1)))
