"""Can a probability be taken at its word? Logistic recalibration and the expected calibration error."""

import numpy as np

from mtlbio.metrics.weights import over_draws

# Logits of probabilities nearer to 0 or 1 than this are cut: one saturated prediction must not decide the slope.
_EDGE = 1e-6
_BINS = 10


@over_draws
def calibration_slope(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slope b of ``logit P(y = 1) = a + b logit(pred)``: 1 is ideal, below 1 the predictions are too extreme.

    Source: Cox 1958; Van Calster et al. 2019 (BMC Medicine 17:230). NaN where no finite fit exists.

    Examples
    --------
    Predictions of .1 and .9 where the shares are one in four and three in four:

    >>> y, pred = [0, 0, 0, 1, 1, 1, 1, 0], [0.1] * 4 + [0.9] * 4
    >>> round(calibration_slope(y, pred), 2)
    0.5
    """
    return _recalibrate(y, pred, weights)[1]


@over_draws
def calibration_intercept(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Intercept a of ``logit P(y = 1) = a + b logit(pred)``, fitted together with the slope: 0 is ideal.

    Examples
    --------
    >>> y, pred = [0, 0, 0, 1, 1, 1, 1, 0], [0.1] * 4 + [0.9] * 4
    >>> abs(round(calibration_intercept(y, pred), 2))
    0.0
    """
    return _recalibrate(y, pred, weights)[0]


@over_draws
def expected_calibration_error(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean absolute gap between predicted and observed share over ten equal-width bins of the probability.

    Source: Naeini et al. 2015 (AAAI), for the probability of the positive class.

    Examples
    --------
    >>> expected_calibration_error([0, 1], [0.25, 0.75])
    0.25
    """
    bins = np.minimum((pred * _BINS).astype(int), _BINS - 1)
    gaps = weights @ ((pred - y)[:, None] * (bins[:, None] == np.arange(_BINS)))
    return np.abs(gaps).sum(axis=1) / weights.sum(axis=1)


def _recalibrate(y: np.ndarray, pred: np.ndarray, weights: np.ndarray, steps: int = 40) -> tuple[np.ndarray, ...]:
    """Newton's method on (intercept, slope), all draws at once."""
    clipped = np.clip(pred, _EDGE, 1 - _EDGE)
    x = np.log(clipped / (1 - clipped))
    total = weights.sum(axis=1)
    a, b = np.zeros(len(weights)), np.zeros(len(weights))
    converged = np.zeros(len(weights), dtype=bool)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * x, -500, 500)))
        error, curvature = weights * (y - p), weights * p * (1 - p)
        ga, gb = error.sum(axis=1), error @ x
        haa, hab, hbb = curvature.sum(axis=1), curvature @ x, curvature @ np.square(x)
        determinant = haa * hbb - hab * hab
        # a separable draw has no finite optimum: its curvature vanishes and it is given up as NaN
        solvable = determinant > 1e-10 * np.square(total)
        step_a = np.where(solvable, (hbb * ga - hab * gb) / determinant, 0.0)
        step_b = np.where(solvable, (haa * gb - hab * ga) / determinant, 0.0)
        # long steps overshoot where the curve is flat; cut, Newton still converges in a handful of rounds
        shrink = np.minimum(1.0, 4.0 / np.maximum(np.maximum(np.abs(step_a), np.abs(step_b)), 1e-300))
        a, b = a + shrink * step_a, b + shrink * step_b
        converged = solvable & (np.maximum(np.abs(step_a), np.abs(step_b)) < 1e-9)
        if (converged | ~solvable).all():
            break
    return np.where(converged, a, np.nan), np.where(converged, b, np.nan)
