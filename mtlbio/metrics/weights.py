"""One calling convention for metrics: no weights, one weight per sample, or a stack of bootstrap draws."""

from collections.abc import Callable
from functools import wraps

import numpy as np

_AT_ONCE = 20_000_000  # weights: draws of many samples are taken in parts


def over_draws(metric: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Callable:
    """Let a metric written for weights (draws, n) also take weights (n,) or None, and answer a float for those.

    Raises ValueError where lengths of ``y``, ``pred`` and ``weights`` differ.
    """

    @wraps(metric)
    def wrapped(y, pred, weights=None):
        y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float)
        stack = np.ones((1, len(y))) if weights is None else np.atleast_2d(np.asarray(weights))
        if len(pred) != len(y) or stack.shape[1] != len(y):
            raise ValueError(f"Expected {len(y)} predictions and weights. Found {len(pred)} and {stack.shape[1]}.")
        if len(y) == 0:
            values = np.full(len(stack), np.nan)
        else:
            # a draw that lost a class divides zero by zero: its metric is NaN, which is what we want to say
            with np.errstate(invalid="ignore", divide="ignore"):
                step = max(1, _AT_ONCE // len(y))
                parts = [stack[start : start + step] for start in range(0, len(stack), step)]
                values = np.concatenate([metric(y, pred, np.asarray(part, dtype=float)) for part in parts])
        return values if weights is not None and np.ndim(weights) == 2 else float(values[0])

    return wrapped
