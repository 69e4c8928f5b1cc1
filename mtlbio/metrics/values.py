"""How far values are from what they should be; the sums that other metrics share."""

from collections.abc import Callable

import numpy as np

from mtlbio.metrics.weights import over_draws


@over_draws
def r2(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficient of determination 1 - SSres / SStot, the total taken about the (weighted) mean of ``y``.

    Examples
    --------
    >>> r2([1, 2, 3], [1, 2, 4])
    0.5
    """
    y0 = y - y.mean()  # near zero, so that the difference of squares below keeps its digits
    total = weights @ np.square(y0) - np.square(weights @ y0) / weights.sum(axis=1)
    residual = weights @ np.square(y - pred)
    spread = total > 1e-12 * (weights @ np.square(y))
    return 1 - np.divide(residual, total, out=np.full(len(total), np.nan), where=spread)


@over_draws
def mae(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean absolute error, in the units of ``y``.

    Examples
    --------
    >>> mae([1, 2, 3], [1, 2, 5.25])
    0.75
    """
    return mean(np.abs(y - pred), weights)


def within(tolerance: float) -> Callable:
    """Metric: share of samples whose prediction is off by at most ``tolerance`` times the truth (within 20 %).

    Examples
    --------
    >>> within(0.2)([10, 10], [11, 13])
    0.5
    """

    @over_draws
    def share(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return mean((np.abs(pred - y) <= tolerance * np.abs(y)).astype(float), weights)

    return share


@over_draws
def pearson(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlation.

    Examples
    --------
    >>> round(pearson([1, 2, 3], [2, 4, 6]), 3)
    1.0
    """
    return correlation(y[:, None] - y.mean(), pred[:, None] - pred.mean(), weights.T)


def mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draws,) weighted means of values (n,) under weights (draws, n)."""
    return (weights @ values) / weights.sum(axis=1)


def mean_of_defined(values: list[np.ndarray]) -> np.ndarray:
    """(draws,) mean over several values (draws,) where they are defined."""
    stacked = np.stack(values)
    defined = np.isfinite(stacked)
    return np.where(defined, stacked, 0.0).sum(axis=0) / defined.sum(axis=0)


def correlation(a: np.ndarray, b: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted correlation over axis 0; a, b (n, draws) or (n, 1), w (n, draws)."""
    total = w.sum(axis=0)
    a = a - (w * a).sum(axis=0) / total
    b = b - (w * b).sum(axis=0) / total
    covariance, spread_a, spread_b = (w * a * b).sum(axis=0), (w * a * a).sum(axis=0), (w * b * b).sum(axis=0)
    spread = np.sqrt(spread_a * spread_b)
    return np.divide(covariance, spread, out=np.full(len(total), np.nan), where=spread > 1e-12 * total)
