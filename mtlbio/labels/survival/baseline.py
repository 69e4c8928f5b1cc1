"""The cumulative hazard of somebody whose log hazard is 0, from log hazards that a model gave."""

import numpy as np

from mtlbio.labels.risk_sets import RiskSets


def cumulative_hazard(
    time: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray,
    log_hazard: np.ndarray,
    weights: np.ndarray,
    at: np.ndarray,
) -> np.ndarray:
    """(k,) baseline cumulative hazard at the times ``at`` (k,), events at that very time included.

    ``time``, ``event`` (bool), ``entry`` (-inf: none), ``log_hazard`` and ``weights`` (n,) of one stratum. Without ties
    that is Breslow's estimate, and with log hazards of 0 Nelson's and Aalen's; ties are Efron's.

    Examples
    --------
    >>> time, event, nobody = np.array([1.0, 2, 3]), np.array([True, False, True]), np.full(3, -np.inf)
    >>> cumulative_hazard(time, event, nobody, np.zeros(3), np.ones(3), np.array([0.5, 1, 3])).round(3).tolist()
    [0.0, 0.333, 1.333]
    """
    sets, sums = _sums(time, event, entry, np.zeros(len(time), dtype=int), log_hazard, weights)
    ((times, hazard),) = sets.steps(sums.jumps)
    return np.append(0.0, hazard * np.exp(-log_hazard.max()))[np.searchsorted(times, at, side="right")]


def null_residuals(time: np.ndarray, event: np.ndarray, entry: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """(n,) events that happened beyond those that were to be expected of everybody alike, within strata.

    The martingale residuals of the Cox model without any term (Therneau, Grambsch & Fleming 1990, Biometrika 77:147):
    of mean 0 in every stratum, 1 at most; what is positive died early.

    Examples
    --------
    >>> time, event, nobody = np.array([1.0, 2, 3]), np.array([True, False, True]), np.full(3, -np.inf)
    >>> null_residuals(time, event, nobody, np.zeros(3, int)).round(3).tolist()
    [0.667, -0.333, -0.333]
    """
    sets, sums = _sums(time, event, entry, stratum, np.zeros(len(time)), np.ones(len(time)))
    return sets.event - sums.risk * sums.hazard


def _sums(time, event, entry, stratum, log_hazard, weights):
    late = entry if np.isfinite(entry).any() else None
    sets = RiskSets(time, event, late, stratum, weights)
    return sets, sets.at(np.empty((len(time), 0)), log_hazard)
