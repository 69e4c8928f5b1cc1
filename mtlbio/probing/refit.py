"""Ridge heads on given latents, and the same heads refitted without each dimension, or set of dimensions, in turn.

For a quadratic loss the ridge solution without the features S is b - H^-1[:, S] (H^-1[S, S])^-1 b_S with
H = X'X + penalty (the solution under the constraint b_S = 0), so all refits cost one inverse. The logistic head starts
from the same formula at its own Hessian and takes three Newton steps.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mtlbio.labels import Label

PENALTIES = (0.3, 3.0, 30.0, 300.0, 3000.0)
_INNER_FOLDS = 5
Sets = Sequence[tuple[int, ...]]  # places of dimensions that are taken out together


def refitted(
    z_train: np.ndarray, y_train: np.ndarray, donors_train: np.ndarray, z_test: np.ndarray, task: Label, sets: Sets
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions for held-out samples with all dimensions and without each of them.

    Parameters
    ----------
    z_train, z_test : (n, D), (m, D) latents
    y_train : (n,) class codes or values, none missing
    donors_train : (n,) donors or their families; the penalty is chosen by cross-validation over them
    task : says what is fitted: logistic heads on its indicators (one: a probability; K: one-versus-rest
        probabilities, (m, K)), or a linear head on its value (:meth:`mtlbio.labels.Label.as_value`)
    sets : places of the dimensions that are left out together, S times

    Returns
    -------
    full : (m,) or (m, K)
    without : (S, m) or (S, m, K)
    """
    mean, spread = z_train.mean(axis=0), z_train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    x, x_test = (z_train - mean) / spread, (z_test - mean) / spread
    targets = task.indicators(y_train)
    if targets is None:
        value = task.as_value(y_train)
        penalty = _choose(x, value, donors_train, logistic=False)
        full, without = _without(*_fit(_linear, x, value, penalty), sets)
        return _design(x_test) @ full, without @ _design(x_test).T
    parts = [_logistic_predictions(x, target, donors_train, x_test, sets) for target in targets]
    if len(parts) == 1:
        return parts[0]
    return np.stack([p[0] for p in parts], axis=-1), np.stack([p[1] for p in parts], axis=-1)


def _logistic_predictions(x, y, donors, x_test, sets: Sets):
    if len(np.unique(y)) < 2:
        return np.full(len(x_test), y.mean()), np.full((len(sets), len(x_test)), y.mean())
    penalty = _choose(x, y, donors, logistic=True)
    full, without = _without(*_fit(_logistic, x, y, penalty), sets)
    without = _newton_without(x, y, penalty, without, sets)
    return _sigmoid(_design(x_test) @ full), _sigmoid(without @ _design(x_test).T)


def _fit(fits: Callable, x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (1 + D,), intercept first and free, and the inverse Hessian."""
    beta, hessian = fits(x, y, np.ones((1, len(y))), np.array([penalty]))
    return beta[0], np.linalg.inv(hessian[0])


def _linear(x: np.ndarray, y: np.ndarray, rows: np.ndarray, penalties: np.ndarray):
    """As :func:`_logistic`, for squared error."""
    design, size = _design(x), 1 + x.shape[1]
    hessian = (design.T * rows[:, None, :]) @ design
    hessian[:, np.arange(size), np.arange(size)] += penalties[:, None] * (np.arange(size) > 0)
    return np.linalg.solve(hessian, ((rows * y) @ design)[:, :, None])[:, :, 0], hessian


def _logistic(x: np.ndarray, y: np.ndarray, rows: np.ndarray, penalties: np.ndarray):
    """Many ridge logistic fits at once, each by Newton steps until its own last one is below 1e-7.

    ``rows``: (B, n) 1 where a sample belongs to a fit, else 0; ``penalties``: (B,). Coefficients (B, 1 + D) and the
    Hessians of their last step (B, 1 + D, 1 + D).
    """
    design, size = _design(x), 1 + x.shape[1]
    diagonal = penalties[:, None] * (np.arange(size) > 0)
    mean = rows @ y / rows.sum(axis=1)
    beta = np.zeros((len(rows), size))
    beta[:, 0] = np.log((mean + 1e-3) / (1 - mean + 1e-3))
    hessian, open_ = np.empty((len(rows), size, size)), np.arange(len(rows))
    for _ in range(25):
        used = rows[open_]
        p = _sigmoid(beta[open_] @ design.T)
        current = (design.T * (used * (p * (1 - p) + 1e-9))[:, None, :]) @ design
        current[:, np.arange(size), np.arange(size)] += diagonal[open_]
        gradient = (used * (y - p)) @ design - diagonal[open_] * beta[open_]
        step = np.linalg.solve(current, gradient[:, :, None])[:, :, 0]
        length = np.abs(step).max(axis=1)
        beta[open_] += step * np.minimum(1.0, 4.0 / np.maximum(length, 1e-12))[:, None]
        hessian[open_] = current
        open_ = open_[length >= 1e-7]
        if not len(open_):
            break
    return beta, hessian


def _without(beta: np.ndarray, inverse: np.ndarray, sets: Sets) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients with all dimensions (1 + D,) and with those of each set held at 0 (S, 1 + D)."""
    without = np.tile(beta, (len(sets), 1))
    for row, dims in zip(without, sets, strict=True):
        gone = 1 + np.asarray(dims)
        row -= inverse[:, gone] @ np.linalg.solve(inverse[np.ix_(gone, gone)], beta[gone])
        row[gone] = 0.0
    return beta, without


def _newton_without(x: np.ndarray, y: np.ndarray, penalty: float, without: np.ndarray, sets: Sets) -> np.ndarray:
    design, ridge = _design(x), np.diag([0.0, *[penalty] * x.shape[1]])
    rows = np.concatenate([np.full(len(dims), i) for i, dims in enumerate(sets)])
    columns = 1 + np.concatenate([np.asarray(dims) for dims in sets])
    for _ in range(3):
        p = _sigmoid(without @ design.T)
        hessian = (design.T[None] * (p * (1 - p) + 1e-9)[:, None, :]) @ design + ridge
        gradient = (y - p) @ design - without @ ridge
        hessian[rows, columns, :] = 0.0
        hessian[rows, :, columns] = 0.0
        hessian[rows, columns, columns] = 1.0
        gradient[rows, columns] = 0.0
        without = without + np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    return without


def _choose(x: np.ndarray, y: np.ndarray, donors: np.ndarray, logistic: bool) -> float:
    """Penalty with the smallest cross-validated loss (log loss or squared error), folds by donor in order of name."""
    fold = np.unique(donors, return_inverse=True)[1] % _INNER_FOLDS
    folds = [f for f in range(_INNER_FOLDS) if (fold == f).any() and len(np.unique(y[fold != f])) > 1]
    test = np.repeat(fold[None] == np.array(folds).reshape(-1, 1), len(PENALTIES), axis=0)
    fits = _logistic if logistic else _linear
    coefficients = fits(x, y, (~test).astype(float), np.tile(PENALTIES, len(folds)))[0]
    score = coefficients @ _design(x).T
    losses = np.logaddexp(0.0, np.where(y == 1, -score, score)) if logistic else np.square(y - score)
    return PENALTIES[int((losses * test).sum(axis=1).reshape(-1, len(PENALTIES)).sum(axis=0).argmin())]


def _design(x: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(x)), x])


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(value, -35, 35)))
