"""Metrics that are functions of sums over whole chains: a bootstrap of chains only has to add the sums again."""

from collections.abc import Callable

import numpy as np

# summed contributions (draws, k) -> values (draws,)
OfSums = Callable[[np.ndarray], np.ndarray]


def ratio(above: int, below: int) -> OfSums:
    """Metric: the sum in one place over that in another; NaN where the latter is 0."""

    def value(sums: np.ndarray) -> np.ndarray:
        return np.divide(sums[:, above], sums[:, below], out=np.full(len(sums), np.nan), where=sums[:, below] > 0)

    return value


def moments(y: np.ndarray, p: np.ndarray) -> list[float]:
    """What truth and prediction (n,) contribute to :func:`pearson` and, last, to the mean absolute error."""
    return [len(y), y.sum(), p.sum(), y @ y, p @ p, y @ p, np.abs(y - p).sum()]


def pearson(sums: np.ndarray) -> np.ndarray:
    """Correlation from summed :func:`moments`; NaN for a constant prediction."""
    n, y, p, yy, pp, yp = sums[:, :6].T
    spread = np.sqrt(np.maximum(n * yy - y * y, 0) * np.maximum(n * pp - p * p, 0))
    # a constant prediction has no correlation; in floating point its spread is only nearly 0
    defined = spread > 1e-7 * np.maximum(n * np.sqrt(yy * pp), 1e-9)
    return np.divide(n * yp - y * p, spread, out=np.full(len(sums), np.nan), where=defined)
