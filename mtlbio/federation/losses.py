"""The loss of a linear head over a site's donors, with its two derivatives: what sums over sites is added up from.

Every site has an intercept of its own, or strata of its own, which are found at the site: the loss is that of the
slopes with the best intercept that there is (profile likelihood), and its second derivative the exact one, the Schur
complement. So neither an intercept nor a baseline hazard leaves the site. With a shared intercept the first column is 1
everywhere, and nothing is found at the site.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.special import expit

from mtlbio.labels import Label
from mtlbio.labels.risk_sets import RiskSets

_STEPS, _CLOSE = 100, 1e-15
Moments: TypeAlias = tuple[float, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Loss:
    """A loss of slopes (q,) over given rows.

    Attributes
    ----------
    at : slopes -> value, gradient (q,) and curvature (q, q)
    weight : what a penalty is multiplied by: the weights of all, of a time the events
    quadratic : whether the derivatives at one place tell everything
    """

    at: Callable[[np.ndarray], Moments]
    weight: float
    quadratic: bool


def loss_of(label: Label, x: np.ndarray, y: np.ndarray, weights: np.ndarray, own: bool) -> Loss:
    """The loss of a kind of label: squared error (half), logistic, or Cox's with the ties of Efron.

    Parameters
    ----------
    x : (n, q); y : (n,) labels of a cohort, none missing; weights : (n,)
    own : whether the site's intercept is found here
    """
    times = label.follow_up(y)
    if times is not None:
        return _cox(x, times, weights)
    if label.classes:
        return Loss(lambda b: _logistic(x, y, weights, b, own)[0], float(weights.sum()), False)
    target = label.transform(y)
    return Loss(lambda b: _squared(x, target, weights, b, own)[0], float(weights.sum()), True)


def intercept_of(label: Label, x: np.ndarray, y: np.ndarray, weights: np.ndarray, slopes: np.ndarray) -> float:
    """The site's own intercept given the slopes; 0 of a time, where the hazard is relative."""
    if label.follow_up(y) is not None:
        return 0.0
    if label.classes:
        return _logistic(x, y, weights, slopes, True)[1]
    return _squared(x, label.transform(y), weights, slopes, True)[1]


def held_out(label: Label, x, y, weights, inside: np.ndarray, slopes: np.ndarray, own: bool) -> float:
    """Loss of the donors that are not ``inside`` (n,) the training part, whose intercept they get.

    Of a time it is what the likelihood of all gains over that of the training part (Verweij & van Houwelingen 1993,
    Stat. Med. 12:2305).
    """
    if label.follow_up(y) is not None:
        whole, training = (loss_of(label, x[r], y[r], weights[r], own) for r in (slice(None), inside))
        return whole.at(slopes)[0] - training.at(slopes)[0]
    level = intercept_of(label, x[inside], y[inside], weights[inside], slopes) if own else 0.0
    eta, w = level + x[~inside] @ slopes, weights[~inside]
    if label.classes:
        return float(w @ (np.logaddexp(0, eta) - y[~inside] * eta))
    return float(w @ np.square(label.transform(y[~inside]) - eta)) / 2


def _squared(x, y, weights, slopes, own) -> tuple[Moments, float]:
    share = weights / weights.sum()
    level = float(share @ (y - x @ slopes)) if own else 0.0
    middle = share @ x if own else np.zeros(x.shape[1])
    residual, centred = level + x @ slopes - y, x - middle
    value = float(weights @ np.square(residual)) / 2
    return (value, x.T @ (weights * residual), centred.T @ (weights[:, None] * centred)), level


def _logistic(x, y, weights, slopes, own) -> tuple[Moments, float]:
    linear = x @ slopes
    level = _level(linear, y, weights) if own else 0.0
    eta = linear + level
    fitted = expit(eta)
    value = float(weights @ (np.logaddexp(0, eta) - y * eta))
    spread = weights * fitted * (1 - fitted)
    centred = x - (spread @ x) / max(spread.sum(), 1e-300) if own else x
    return (value, x.T @ (weights * (fitted - y)), centred.T @ (spread[:, None] * centred)), level


def _level(linear: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Where fitted probabilities sum up to the sick: Newton's method between bounds that close in."""
    share = float(weights @ y / weights.sum())
    logit = np.log(share / (1 - share))
    low, high = logit - linear.max(), logit - linear.min()
    level = min(max(logit - float(weights @ linear / weights.sum()), low), high)
    for _ in range(_STEPS):
        fitted = expit(linear + level)
        excess = float(weights @ (fitted - y))
        low, high = (low, level) if excess > 0 else (level, high)
        step = excess / max(float(weights @ (fitted * (1 - fitted))), 1e-300)
        tried = level - step
        tried = tried if low <= tried <= high else (low + high) / 2
        if abs(tried - level) <= _CLOSE * max(1.0, abs(level)):
            return tried
        level = tried
    return level


def _cox(x, times, weights) -> Loss:
    time, event, entry, stratum = times
    codes = np.unique(stratum, return_inverse=True)[1]
    sets = RiskSets(time, event > 0, entry if np.isfinite(entry).any() else None, codes, weights)

    def at(slopes: np.ndarray) -> Moments:
        sums = sets.at(x, x @ slopes)
        residual = sets.weights * (sets.event - sums.risk * sums.hazard)
        return -sums.loglik, -(x.T @ residual), sets.information(x, sums)

    return Loss(at, float(sets.counts.sum()), False)
