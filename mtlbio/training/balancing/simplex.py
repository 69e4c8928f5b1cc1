"""Short convex combinations of the tasks' gradients, in many replicas at once.

On the processor and in numpy: the matrices are tiny, and what costs is the number of calls.
"""

import numpy as np
import torch

_ITERATIONS = 60
_TURNS = 60
_GAP = 1e-12
_SAME = 1e-8
_TOWARDS_CENTRE = 0.1


def ridged(gramian: torch.Tensor) -> np.ndarray:
    """Gramians (R, T, T) of mean diagonal 1 in double precision, with the rounding of the precision that they came in
    added to the diagonal: those of dependent gradients may come out indefinite by as much."""
    ridge = 4 * gramian.shape[-1] * torch.finfo(gramian.dtype).eps
    return gramian.cpu().double().numpy() + ridge * np.eye(gramian.shape[-1])


def least_quadratic(gramian: np.ndarray, linear: np.ndarray, speaking: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimisers of ``w' G w / 2 + b' w`` over ``w >= 0``, ``sum w = 1``.

    Primal-dual interior point (Boyd & Vandenberghe 2004, section 11.7): Newton's step on ``G w + b - z - nu = 0``,
    ``w z = mu``, ``sum w = 1``, with mu a tenth of the present gap ``w' z`` or less. A replica that has settled stays
    as it is, however long its neighbours take. Where the best weights are not unique the iterates run to the centre
    of those that are best.

    Parameters
    ----------
    gramian : (R, T, T) positive semidefinite, of a size about 1
    linear : (R, T) b
    speaking : (R, T) bool, tasks that take part, at least one in every replica; nothing of the others is read

    Returns
    -------
    weights : (R, T), 0 where not speaking
    support : (R, T) bool, weights that are not 0
    """
    here, gramian, linear = _masked(speaking, gramian, linear)
    count, absent, diagonal = here.sum(1, keepdims=True), 1 - here, np.arange(here.shape[1])
    weights = here / count
    slope = _times(gramian, weights) + linear
    level = np.where(speaking, slope, np.inf).min(1, keepdims=True)
    dual = (slope - level + 0.1 * np.abs(slope).max(1, keepdims=True) + 1e-3) * here
    for _ in range(_ITERATIONS):
        gap = (weights * dual).sum(1, keepdims=True)
        going = gap > _GAP
        if not going.any():
            break
        inside = weights + absent
        pushed = gap / count * np.minimum(_TOWARDS_CENTRE, gap) / inside * here
        matrix = gramian.copy()
        matrix[:, diagonal, diagonal] += dual / inside + absent
        newton, ones = np.moveaxis(np.linalg.solve(matrix, np.stack([pushed - slope, here], axis=2)), 2, 0)
        move = newton - newton.sum(1, keepdims=True) / ones.sum(1, keepdims=True) * ones
        turn = pushed - dual * move / inside - dual
        # the smaller the gap, the nearer to the edge a step may go
        length = np.minimum(_room(weights, move), _room(dual, turn)) * (1 - np.clip(gap, 1e-4, 0.01))
        length = np.where(going, length.clip(max=1), 0.0)
        weights, dual = weights + length * move, dual + length * turn
        slope = _times(gramian, weights) + linear
    return weights / weights.sum(1, keepdims=True), weights > dual


def least_length(gramian: np.ndarray, linear: np.ndarray, radius: np.ndarray, speaking: np.ndarray) -> np.ndarray:
    """(R, T) minimisers of ``b' w + k sqrt(w' G w)`` over ``w >= 0``, ``sum w = 1``.

    With ``x = sqrt(w' G w) / k`` they minimise ``w' G w / 2 + x b' w``, and for the minimiser w(x) of that the ratio
    ``sqrt(w' G w) / x`` falls with x: there is one x at which it is k. As long as its support stays the same w is
    linear in x, which gives x in closed form; where the support changes, a bracket keeps it from going round.

    Parameters
    ----------
    gramian, linear, speaking : as for :func:`least_quadratic`
    radius : (R,) k, positive
    """
    here, gramian, linear = _masked(speaking, gramian, linear)
    low, high = np.zeros(len(here)), np.sqrt(np.diagonal(gramian, axis1=1, axis2=2).max(1)) / radius
    ratio, weights, rows = high / 2, np.empty_like(here), np.arange(len(here))
    for _ in range(_TURNS):
        if not len(rows):
            break
        matrices, k, x = gramian[rows], radius[rows], ratio[rows]
        weights[rows], support = least_quadratic(matrices, x[:, None] * linear[rows], speaking[rows])
        longer = (weights[rows] * _times(matrices, weights[rows])).sum(1) > (k * x) ** 2
        low[rows], high[rows] = np.where(longer, x, low[rows]), np.where(longer, high[rows], x)
        better = _crossing(matrices, linear[rows], k, support)
        within = (better > low[rows]) & (better < high[rows])
        ratio[rows] = np.where(within, better, (low[rows] + high[rows]) / 2)
        rows = rows[~(np.abs(better - x) <= _SAME * x) & (high[rows] - low[rows] > _SAME * high[rows])]
    return weights


def _crossing(gramian: np.ndarray, linear: np.ndarray, radius: np.ndarray, support: np.ndarray) -> np.ndarray:
    """(R,) the x at which ``sqrt(w' G w) = k x`` as long as w has this support; nan where there is none."""
    used = support.astype(float)
    t = used.shape[1]
    system = np.zeros((len(used), t + 1, t + 1))
    system[:, :t, :t] = gramian * used[:, :, None] * used[:, None, :]
    diagonal = np.arange(t)
    system[:, diagonal, diagonal] += 1 - used
    system[:, :t, t] = system[:, t, :t] = used
    sides = np.zeros((len(used), t + 1, 2))
    sides[:, t, 0] = 1
    sides[:, :t, 1] = -linear * used
    start, along = np.moveaxis(np.linalg.solve(system, sides)[:, :t], 2, 0)
    a = (start * _times(gramian, start)).sum(1)
    b = (start * _times(gramian, along)).sum(1)
    c = (along * _times(gramian, along)).sum(1) - radius**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return a / (np.sqrt(b**2 - a * c) - b)


def _masked(speaking: np.ndarray, gramian: np.ndarray, linear: np.ndarray) -> tuple[np.ndarray, ...]:
    """Speaking as numbers, and the others with 0 where a task does not speak."""
    pairs = speaking[:, :, None] & speaking[:, None, :]
    return speaking.astype(float), np.where(pairs, gramian, 0.0), np.where(speaking, linear, 0.0)


def _times(gramian: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R, T) of (R, T, T) and (R, T)."""
    return (gramian @ weights[:, :, None])[:, :, 0]


def _room(values: np.ndarray, move: np.ndarray) -> np.ndarray:
    """(R, 1) longest step that keeps positive values positive."""
    ratio = np.full(values.shape, np.inf)
    np.divide(-values, move, out=ratio, where=move < 0)
    return ratio.min(1, keepdims=True)
