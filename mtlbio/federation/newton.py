"""Newton's method on sums: every penalty and every set of training donors at once, a step per round.

The state holds of every task ``best`` (penalties, sets, head), where the loss is known, ``trial``, where the sites are
asked for it next, ``objective`` there, and ``open``, which of them have not come to their end. Where a step makes the
loss larger it is halved.
"""

from __future__ import annotations

import numpy as np

_CLOSE = 1e-13  # gain of a step, per unit of weight, with which it is the last one


def start(penalties: int, sets: int, head: int) -> dict[str, np.ndarray]:
    """Slopes of 0, to be asked for; a quadratic loss is asked for with one penalty."""
    zeros = np.zeros((penalties, sets, head))
    still = np.ones((penalties, sets), dtype=bool)
    return {"best": zeros, "trial": zeros.copy(), "objective": np.full((penalties, sets), np.inf), "open": still}


def ridge_of(penalties: np.ndarray, weight: np.ndarray, head: int, free: int) -> np.ndarray:
    """(penalties, sets, head) diagonal of the penalty on half the squares; the first ``free`` slopes have none."""
    shrunk = (np.arange(head) >= free).astype(float)
    return penalties[:, None, None] * weight[None, :, None] * shrunk


def solved_at_once(gradient: np.ndarray, hessian: np.ndarray, ridge: np.ndarray) -> np.ndarray:
    """(penalties, sets, head) minimum of a quadratic loss, from its derivatives at 0: (1, sets, head (, head))."""
    curvature = hessian + ridge[..., None] * np.eye(ridge.shape[-1])
    return -_solve(curvature, np.broadcast_to(gradient, ridge.shape))


def step(now: dict[str, np.ndarray], sums: dict[str, np.ndarray], ridge: np.ndarray) -> dict[str, np.ndarray]:
    """The next state of one task; ``sums`` holds value, gradient, hessian and weight at ``trial``."""
    new = {name: values.copy() for name, values in now.items()}
    for p, k in np.argwhere(now["open"]):
        trial, shrink = now["trial"][p, k], ridge[p, k]
        objective = sums["value"][p, k] + float(shrink @ np.square(trial)) / 2
        before = now["objective"][p, k]
        if objective > before + 1e-12 * abs(before):
            middle = (trial + now["best"][p, k]) / 2
            new["trial"][p, k] = middle
            new["open"][p, k] = bool(np.abs(middle - now["best"][p, k]).max() > 1e-15)
            continue
        gradient = sums["gradient"][p, k] + shrink * trial
        move = -_solve(sums["hessian"][p, k] + np.diag(shrink), gradient)
        last = -float(gradient @ move) <= _CLOSE * max(1.0, sums["weight"][k])
        new["objective"][p, k] = objective
        new["best"][p, k] = trial + move if last else trial
        new["trial"][p, k] = trial + move
        new["open"][p, k] = not last
    return new


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution where the matrix may be singular, in units in which its diagonal is 1."""
    size = np.sqrt(np.maximum(np.diagonal(matrix, axis1=-2, axis2=-1), 1e-300))
    scaled = matrix / size[..., :, None] / size[..., None, :]
    return (np.linalg.pinv(scaled, hermitian=True, rcond=1e-14) @ (right / size)[..., None])[..., 0] / size
