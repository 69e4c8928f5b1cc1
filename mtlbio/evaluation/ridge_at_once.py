"""Ridge and logistic ridge regressions of many tasks, training samples and penalties at once, on one matrix.

For more samples than features. Every model is a column: its labels, the weights of the samples that it is fitted to (0
for all others) and its penalty. Two products with the matrix move all of them one step of L-BFGS, each with the
curvature of its own steps; one that has arrived is left out of the products. The features are those of a row space,
whose columns are uncorrelated, so that a diagonal stands for the curvature to begin with and ten to thirty steps do.
Objective and columns are those of :mod:`mtlbio.evaluation.ridge`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

_MEMORY = 8  # steps whose curvature is remembered
_STEPS = 200
_GRADIENT, _VALUE = 1e-7, 1e-13  # where a model has arrived


@dataclass(frozen=True)
class Models:
    """q models of n samples.

    Attributes
    ----------
    truth : (n, q) values, or 0 and 1; any number where the weight is 0
    share : (n, q) weights, each column sums to 1
    binary : (q,) bool: logistic regression of two classes, else least squares
    penalties : (q,)
    """

    truth: np.ndarray
    share: np.ndarray
    binary: np.ndarray
    penalties: np.ndarray

    def of(self, columns: np.ndarray) -> "Models":
        """Some of them."""
        return Models(self.truth[:, columns], self.share[:, columns], self.binary[columns], self.penalties[columns])


def fit_at_once(
    x: np.ndarray, models: Models, gradient: float = _GRADIENT, least: float = _VALUE
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p, q) and intercepts (q,) of all models on x (n, p).

    A model has arrived where no entry of its gradient, in units of the root of the curvature, is above ``gradient``, or
    a step lowers its objective by less than ``least`` of it.
    """
    q = len(models.penalties)
    mean = (x.T @ models.share.astype(x.dtype)).astype(float)
    # the curvature of a logistic loss is at most a quarter of that of a squared error (Böhning)
    bound = np.where(models.binary, 0.25, 1.0)
    variance = np.square(x).T @ models.share.astype(x.dtype) - np.square(mean)
    level = (models.share * models.truth).sum(axis=0)
    level = np.where(models.binary, np.clip(level, 1e-12, 1 - 1e-12), level)
    scale = np.vstack([np.sqrt(bound * np.maximum(variance, 0) + models.penalties), np.sqrt(bound)])
    point = np.zeros((x.shape[1] + 1, q))  # in units of the scale; the last row is the intercept of centred features
    odds = np.where(models.binary, level, 0.5)
    point[-1] = np.where(models.binary, np.log(odds / (1 - odds)), level) * scale[-1]
    value, slope = _objective(x, models, mean, scale, point)
    steps, changes = list[np.ndarray](), list[np.ndarray]()
    going = np.abs(slope).max(axis=0) > gradient
    for _ in range(_STEPS):
        at = np.flatnonzero(going)
        if not len(at):
            break
        direction = _direction(slope[:, at], [(s[:, at], c[:, at]) for s, c in zip(steps, changes, strict=True)])
        downhill = (direction * slope[:, at]).sum(axis=0)
        direction = np.where(downhill < 0, direction, -slope[:, at])
        downhill = np.where(downhill < 0, downhill, -np.square(slope[:, at]).sum(axis=0))
        step, change = np.zeros_like(point), np.zeros_like(point)
        left, length = np.arange(len(at)), np.ones(len(at))
        for _ in range(30):  # the whole step nearly always does
            of = at[left]
            moved = point[:, of] + length[left] * direction[:, left]
            new_value, new_slope = _objective(x, models.of(of), mean[:, of], scale[:, of], moved)
            enough = new_value <= value[of] + 1e-4 * length[left] * downhill[left] + 1e-13 * np.abs(value[of])
            done = of[enough]
            step[:, done], change[:, done] = moved[:, enough] - point[:, done], new_slope[:, enough] - slope[:, done]
            small = value[done] - new_value[enough] <= least * np.maximum(np.abs(value[done]), 1.0)
            point[:, done], slope[:, done], value[done] = moved[:, enough], new_slope[:, enough], new_value[enough]
            going[done] &= ~small & (np.abs(slope[:, done]).max(axis=0) > gradient)
            left = left[~enough]
            length[left] /= 2
            if not len(left):
                break
        going[at[left]] = False  # rounding is all that is left
        steps, changes = [*steps, step][-_MEMORY:], [*changes, change][-_MEMORY:]
    whole = point / scale
    return whole[:-1], whole[-1] - (mean * whole[:-1]).sum(axis=0)


def _objective(
    x: np.ndarray, models: Models, mean: np.ndarray, scale: np.ndarray, point: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values (q,) and slopes (p + 1, q) at a point, in units of the scale."""
    whole = point / scale
    coefficients, level = whole[:-1], whole[-1]
    linear = (x @ coefficients.astype(x.dtype)).astype(float)
    linear += level - (mean * coefficients).sum(axis=0)
    value, residual = np.empty(len(level)), np.empty_like(linear)
    for some, loss in ((models.binary, _logistic), (~models.binary, _squared)):
        if some.any():
            losses, slope = loss(linear[:, some], models.truth[:, some])
            share = models.share[:, some]
            value[some], residual[:, some] = (share * losses).sum(axis=0), share * slope
    of_level = residual.sum(axis=0)
    slopes = (x.T @ residual.astype(x.dtype)).astype(float) - mean * of_level + models.penalties * coefficients
    value += 0.5 * models.penalties * np.square(coefficients).sum(axis=0)
    return value, np.vstack([slopes, of_level]) / scale


def _logistic(linear: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.logaddexp(0, linear) - truth * linear, expit(linear) - truth


def _squared(linear: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 0.5 * np.square(linear - truth), linear - truth


def _direction(slope: np.ndarray, past: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(p + 1, q) direction of L-BFGS (Nocedal 1980), each column by its own past steps and changes of the slope; a
    column that did not move, or met no curvature, forgets that step."""
    direction, kept = -slope, []
    for step, change in reversed(past):
        along = (step * change).sum(axis=0)
        usable = along > 1e-10 * np.square(change).sum(axis=0)
        factor = np.where(usable, 1 / np.where(usable, along, 1.0), 0.0)
        part = factor * (step * direction).sum(axis=0)
        direction = direction - part * change
        kept.append((step, change, factor, part))
    if past:
        step, change = past[-1]
        along, size = (step * change).sum(axis=0), np.square(change).sum(axis=0)
        direction = direction * np.where((along > 0) & (size > 0), along / np.where(size > 0, size, 1.0), 1.0)
    for step, change, factor, part in reversed(kept):
        direction = direction + step * (part - factor * (change * direction).sum(axis=0))
    return direction
