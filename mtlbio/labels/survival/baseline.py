"""The cumulative hazard of somebody whose log hazard is 0, from log hazards that a model gave (Breslow 1974).

With log hazards of 0 it is that of Nelson and Aalen.
"""

import numpy as np


def cumulative_hazard(
    time: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray,
    log_hazard: np.ndarray,
    weights: np.ndarray,
    at: np.ndarray,
) -> np.ndarray:
    """(k,) baseline cumulative hazard at the times ``at`` (k,), events at that very time included.

    ``time``, ``event`` (bool), ``entry`` (-inf: none), ``log_hazard`` and ``weights`` (n,) of one stratum. Ties are
    counted as Breslow does (Biometrics 30:89): each event of a time against all who are at risk then.

    Examples
    --------
    >>> time, event, nobody = np.array([1.0, 2, 3]), np.array([True, False, True]), np.full(3, -np.inf)
    >>> cumulative_hazard(time, event, nobody, np.zeros(3), np.ones(3), np.array([0.5, 1, 3])).round(3).tolist()
    [0.0, 0.333, 1.333]
    """
    taking = weights > 0
    time, event, entry = time[taking], event[taking], entry[taking]
    hazards, weights = weights[taking] * np.exp(log_hazard[taking]), weights[taking]
    times = np.unique(time[event])
    by_time, by_entry = np.argsort(time, kind="stable"), np.argsort(entry, kind="stable")
    still = _suffix(hazards[by_time])[np.searchsorted(time[by_time], times, side="left")]
    waiting = _suffix(hazards[by_entry])[np.searchsorted(entry[by_entry], times, side="left")]
    ended = np.bincount(np.searchsorted(times, time[event]), weights[event], len(times))
    steps = np.concatenate([[0.0], np.cumsum(ended / np.maximum(still - waiting, 1e-300))])
    return steps[np.searchsorted(times, at, side="right")]


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
    residuals = np.zeros(len(time))
    for one in np.unique(stratum):
        own = stratum == one
        parts, level = (time[own], event[own], entry[own]), np.zeros(own.sum())
        expected = cumulative_hazard(*parts, level, level + 1, np.concatenate([time[own], entry[own]]))
        residuals[own] = event[own] - expected[: own.sum()] + expected[own.sum() :]
    return residuals


def _suffix(values: np.ndarray) -> np.ndarray:
    """(n + 1,) sums of what follows a place, itself included."""
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)
