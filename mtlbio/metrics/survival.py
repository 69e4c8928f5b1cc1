"""How well log hazards and risks foretell times to an event, of some only seen until they were censored.

``y`` is (n, 4): time, event (0/1), entry (-inf: followed from the beginning), stratum; only those of one stratum are
compared with each other. What is censored before a horizon has no truth there; those of whom it is known stand for
them, weighted by one over the probability of not being censored until then (IPCW; Kaplan and Meier's, of all samples
together).
"""

from collections.abc import Callable

import numpy as np

from mtlbio.metrics.metric import Metric, register
from mtlbio.metrics.ranking import auroc
from mtlbio.metrics.recalibration import calibration_slope
from mtlbio.metrics.values import mean
from mtlbio.metrics.weights import over_draws

# Comparisons of pairs that are held at once.
_PAIRS = 4_000_000


@over_draws
def concordance(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Harrell's C: of pairs in which it is known who had the event first, the share where that one has more hazard.

    Ties of the prediction count one half; two events at one time are no pair. Source: Harrell et al. 1996 (Stat. Med.
    15:361).

    Examples
    --------
    >>> y = [[1, 1, -np.inf, 0], [2, 0, -np.inf, 0], [3, 1, -np.inf, 0], [4, 0, -np.inf, 0]]
    >>> concordance(y, [3.0, 2.0, 0.0, 1.0])
    0.75
    """
    return _concordance(y, pred, weights, y[:, 1])


def uno_concordance(last: float) -> Callable:
    """Metric: Uno's C of events before the time ``last``, which does not depend on who was censored when.

    Every pair is weighted by one over the squared probability of not being censored before its event. Source: Uno et
    al. 2011 (Stat. Med. 30:1105).

    Examples
    --------
    >>> y = [[1, 1, -np.inf, 0], [2, 0, -np.inf, 0], [3, 1, -np.inf, 0], [4, 0, -np.inf, 0]]
    >>> round(uno_concordance(3.5)(y, [3.0, 2.0, 0.0, 1.0]), 3)
    0.571
    """

    @over_draws
    def metric(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        early = (y[:, 1] > 0) & (y[:, 0] < last)
        return _concordance(y, pred, weights, early / np.square(uncensored(y, y[:, 0], before=True)))

    return metric


def auroc_at(horizon: float) -> Callable:
    """Metric: AUROC of those who had the event by the horizon against those who had not (cumulative and dynamic).

    Source: Uno et al. 2007 (J. Am. Stat. Assoc. 102:527); Hung & Chiang 2010 (Can. J. Stat. 38:8).

    Examples
    --------
    >>> y = [[1, 1, -np.inf, 0], [2, 0, -np.inf, 0], [3, 1, -np.inf, 0], [4, 0, -np.inf, 0]]
    >>> round(auroc_at(3)(y, [3.0, 2.0, 0.0, 1.0]), 3)
    0.4
    """

    @over_draws
    def metric(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        happened, share = known_at(y, horizon)
        return np.atleast_1d(auroc(happened, pred, weights * share))

    return metric


def brier_at(horizon: float) -> Callable:
    """Metric: mean squared error of the risk at the horizon. Source: Graf et al. 1999 (Stat. Med. 18:2529).

    Examples
    --------
    >>> y = [[1, 1, -np.inf, 0], [2, 0, -np.inf, 0], [3, 1, -np.inf, 0], [4, 0, -np.inf, 0]]
    >>> brier_at(1.5)(y, [0.5, 0.5, 0.0, 0.0])
    0.125
    """

    @over_draws
    def metric(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        happened, share = known_at(y, horizon)
        return mean(share * np.square(happened - pred), weights)

    return metric


def integrated_brier(horizons: tuple[float, ...]) -> Callable:
    """Metric: mean over the time from the first to the last horizon of the Brier score, by trapezoids; ``pred``
    (n, horizons) are risks.

    Examples
    --------
    >>> y = [[1, 1, -np.inf, 0], [2, 0, -np.inf, 0], [3, 1, -np.inf, 0], [4, 0, -np.inf, 0]]
    >>> integrated_brier((1.5, 1.75))(y, [[0.5, 0.5], [0.5, 0.5], [0.0, 0.0], [0.0, 0.0]])
    0.125
    """

    @over_draws
    def metric(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        scores = np.stack([brier_at(h)(y, pred[:, k], weights) for k, h in enumerate(horizons)])
        if len(horizons) == 1:
            return scores[0]
        return np.trapezoid(scores, horizons, axis=0) / (horizons[-1] - horizons[0])

    return metric


def calibration_slope_at(horizon: float) -> Callable:
    """Metric: slope of the logistic recalibration of the risk at the horizon; 1 is ideal, below it risks are too
    extreme.

    Examples
    --------
    >>> y = [[t, 1, -np.inf, 0] for t in (5, 5, 5, 1, 1, 1, 1, 5)]
    >>> round(calibration_slope_at(2)(y, [0.1] * 4 + [0.9] * 4), 2)
    0.5
    """

    @over_draws
    def metric(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        happened, share = known_at(y, horizon)
        return calibration_slope(happened, pred, weights * share)

    return metric


def observed_to_expected_at(horizon: float) -> Callable:
    """Metric: the risk at the horizon that Kaplan and Meier find over the mean of those that were predicted; 1 is
    ideal, above it risks are too small.

    Examples
    --------
    >>> y = [[1, 1, -np.inf, 0], [2, 0, -np.inf, 0], [3, 1, -np.inf, 0], [4, 0, -np.inf, 0]]
    >>> observed_to_expected_at(2)(y, [0.2, 0.2, 0.05, 0.05])
    2.0
    """

    @over_draws
    def metric(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return (1 - surviving(y, horizon, weights)) / mean(pred, weights)

    return metric


def surviving(y: np.ndarray, horizon: float, weights: np.ndarray) -> np.ndarray:
    """(draws,) Kaplan and Meier's share without the event by the horizon, for weights (draws, n)."""
    time, event, entry = y[:, 0], y[:, 1] > 0, y[:, 2]
    early = event & (time <= horizon)
    times, which = np.unique(time[early], return_inverse=True)
    at_risk = _weight_from(time, times, weights) - _weight_from(entry, times, weights)
    order = np.argsort(which, kind="stable")
    firsts = np.searchsorted(which[order], np.arange(len(times)))
    ended = np.add.reduceat(weights[:, early][:, order], firsts, axis=1) if len(times) else at_risk
    return np.prod(1 - np.divide(ended, at_risk, out=np.zeros_like(ended), where=ended > 0), axis=1)


def _weight_from(values: np.ndarray, times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draws, times) weight of those whose value (n,) is not below a time."""
    order = np.argsort(values, kind="stable")
    sums = np.zeros((len(weights), len(values) + 1))
    np.cumsum(weights[:, order[::-1]], axis=1, out=sums[:, 1:])
    return sums[:, len(values) - np.searchsorted(values[order], times, side="left")]


def uncensored(y: np.ndarray, at: np.ndarray, before: bool = False) -> np.ndarray:
    """(k,) Kaplan and Meier's probability of not being censored by the times ``at`` (k,), or before them.

    Who has the event at the time of somebody's censoring had it first.
    """
    time, event, entry = y[:, 0], y[:, 1] > 0, y[:, 2]
    times, lost = np.unique(time[~event], return_counts=True)
    ordered = np.sort(time)
    at_risk = len(time) - np.searchsorted(ordered, times, side="left")
    at_risk = at_risk - (len(time) - np.searchsorted(np.sort(entry), times, side="left"))
    same = np.sort(time[event])
    at_risk = at_risk - (np.searchsorted(same, times, side="right") - np.searchsorted(same, times, side="left"))
    left = np.append(1.0, np.cumprod(1 - lost / np.maximum(at_risk, lost)))
    found = left[np.searchsorted(times, at, side="left" if before else "right")]
    # where everybody was censored nothing stands for them; the last share that is known does
    return np.where(found > 0, found, left[left > 0].min())


def known_at(y: np.ndarray, horizon: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether the event happened by the horizon (n,), and for how many everybody stands of whom it is known (n,)."""
    happened, not_yet = (y[:, 1] > 0) & (y[:, 0] <= horizon), y[:, 0] > horizon
    share = happened / uncensored(y, y[:, 0], before=True) + not_yet / uncensored(y, np.array([horizon]))
    return happened.astype(float), share * (y[:, 2] < horizon)


def _concordance(y: np.ndarray, pred: np.ndarray, weights: np.ndarray, pair_weight: np.ndarray) -> np.ndarray:
    """(draws,) share of concordant pairs; ``pair_weight`` (n,) of those whose event came first, 0 of others."""
    time, event, entry, stratum = y.T
    right, total = np.zeros((2, len(weights)))
    first = np.flatnonzero(pair_weight > 0)
    size = max(1, _PAIRS // len(y))
    for rows in (first[start : start + size, None] for start in range(0, len(first), size)):
        later = (time > time[rows]) | ((time == time[rows]) & (event == 0))
        pairs = later & (entry < time[rows]) & (stratum == stratum[rows])
        more = (pred[rows] > pred) + 0.5 * (pred[rows] == pred)
        own = (pair_weight * weights).T[rows[:, 0]]
        right += np.einsum("id,id->d", own, (pairs * more) @ weights.T)
        total += np.einsum("id,id->d", own, pairs.astype(float) @ weights.T)
    return right / total


C_INDEX = Metric("c_index", concordance, "Harrell's C", 0.5)
UNO_C = Metric("uno_c", None, "Uno's C", 0.5)
INTEGRATED_BRIER = Metric("integrated_brier", None, "integrated Brier score", lower_is_better=True)
# Families, each with what makes the metric of a horizon.
AT_HORIZON: tuple[tuple[Metric, Callable[[float], Callable]], ...] = (
    (Metric("auroc_at", None, "AUROC at", 0.5), auroc_at),
    (Metric("brier_at", None, "Brier score at", lower_is_better=True), brier_at),
    (Metric("calibration_slope_at", None, "calibration slope at"), calibration_slope_at),
    (Metric("observed_to_expected_at", None, "observed to expected risk at"), observed_to_expected_at),
)
register(C_INDEX, UNO_C, INTEGRATED_BRIER, *(family for family, _ in AT_HORIZON))
