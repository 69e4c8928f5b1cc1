"""The distribution of a number that was recorded with error, and what is known of each donor's true value.

Deconvolution in an exponential family (Efron 2016, Biometrika 103:1): on a grid of true values

    log p_i(x) = s(x) a + T_i q(x) b + x C_i c + constant,

with natural splines s and q, the label T and all else C of donor i; by penalised likelihood of the recorded values,
whose errors are normal. What the label does is a tilt: the same as to say that a binary label follows the true value by
a logistic spline, as the cases of a U-shaped age do. A normal distribution that the label shifts does not see such
cases at all: their mean is that of the controls.
"""

import numpy as np

from mtlbio.probing.design import orthonormal, spline

_SHAPE, _TILT = 5, 2  # degrees of freedom of the distribution, and of what the label does to it
_LEAST_POINTS, _MOST_POINTS = 31, 201  # of the grid: two in a standard deviation of the error where that is small
# Prior precision of coefficients of columns with variance 1: next to none on shapes and shifts. The label's curve needs
# some: one that is as free, and a second curve, cost 80 donors power; at 1 more of the bias of a U-shaped age stays.
_LOOSE, _CURVED = 0.1, 0.3
_STEPS, _ENOUGH = 30, 1e-4  # of Newton's method, and the gain in log likelihood that ends it


def distribution(
    recorded: np.ndarray, error: float, label: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is known of the true values of a covariate.

    Parameters
    ----------
    recorded : (donors,) W
    error : standard deviation of the error
    label : (donors, k) columns of the label under test; any curve of X may go with them
    others : (donors, p) what else is held fixed

    Returns
    -------
    grid : (m,) values of X
    weights : (donors, m) probability of each given W, label and others; rows sum to 1
    """
    points = int(np.clip(2 * np.ptp(recorded) / error, _LEAST_POINTS, _MOST_POINTS))
    grid = np.linspace(recorded.min(), recorded.max(), points)
    log = -0.5 * np.square((recorded[:, None] - grid) / error)
    likelihood = np.exp(log - log.max(axis=1, keepdims=True))
    shape, tilt = (_standard(spline(grid, df)) for df in (_SHAPE, _TILT))
    told, beside = _standard(label, rotate=True), _standard(others, rotate=True)
    bends = tilt.shape[1] - 1
    rows = [np.ones((len(recorded), 1))] * shape.shape[1] + [np.column_stack([told, beside])] + [told] * bends
    # of many columns (batches) the shifts together are as strong as that of one
    shifts = np.full(beside.shape[1], _LOOSE * max(1, beside.shape[1]))
    straight, curved = (np.full(told.shape[1], precision) for precision in (_LOOSE, _CURVED))
    penalty = np.concatenate([np.full(shape.shape[1], _LOOSE), straight, shifts, np.tile(curved, bends)])
    return grid, _tilted(rows, np.column_stack([shape, tilt]), likelihood, penalty)


def _tilted(rows: list[np.ndarray], basis: np.ndarray, likelihood: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """(donors, m) posterior where ``log p_i(x)`` is the sum over columns j of ``basis`` (m, b) of
    ``rows[j][i] @ coefficients_j  basis[x, j]``.

    Newton's method; where the likelihood of the mixture is not concave, with the curvature that it had if the true
    values were known, whose step leads downhill (the EM gradient algorithm: Lange 1995, JRSS-B 57:425).
    """
    at = np.zeros(len(penalty))
    loss, posterior, slope, known, missing = _penalised(at, rows, basis, likelihood, penalty)
    for _ in range(_STEPS):
        curvature = known - missing
        concave = np.linalg.eigvalsh(curvature)[0] > penalty.min() / 2
        step = np.linalg.solve(curvature if concave else known, slope)
        for size in 0.5 ** np.arange(8):
            found = _penalised(at - size * step, rows, basis, likelihood, penalty)
            if found[0] <= loss:
                break
        gain, at = loss - found[0], at - size * step
        loss, posterior, slope, known, missing = found
        if gain < _ENOUGH:
            break
    return posterior


def _penalised(at: np.ndarray, rows: list[np.ndarray], basis: np.ndarray, likelihood: np.ndarray, penalty: np.ndarray):
    """Loss at some coefficients, the posterior (donors, m) there, the slope of the loss, and its curvature in two
    parts: were the true values known, and what is lost of that."""
    parts = np.split(at, np.cumsum([row.shape[1] for row in rows])[:-1])
    log = np.column_stack([row @ part for row, part in zip(rows, parts, strict=True)]) @ basis.T
    prior = np.exp(log - log.max(axis=1, keepdims=True))
    prior /= prior.sum(axis=1, keepdims=True)
    posterior = prior * likelihood
    marginal = np.maximum(posterior.sum(axis=1, keepdims=True), 1e-300)
    posterior = posterior / marginal
    loss = 0.5 * float(penalty @ np.square(at)) - float(np.log(marginal).sum())
    before, known = _moments(prior, rows, basis)
    after, missing = _moments(posterior, rows, basis)
    return loss, posterior, before - after + penalty * at, known + np.diag(penalty), missing


def _moments(weights: np.ndarray, rows: list[np.ndarray], basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over donors of means (p,) and covariances (p, p) of the features under the donors' weights (donors, m)."""
    mean, products = weights @ basis, (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1)
    spread = (weights @ products).reshape(len(weights), basis.shape[1], -1) - mean[:, :, None] * mean[:, None, :]
    sums = [row.T @ mean[:, j] for j, row in enumerate(rows)]
    blocks = [[(a * spread[:, j, h, None]).T @ b for h, b in enumerate(rows)] for j, a in enumerate(rows)]
    return np.concatenate(sums), np.block(blocks)


def _standard(columns: np.ndarray, rotate: bool = False) -> np.ndarray:
    """Columns with mean 0, variance 1 and no correlation; in their order, or (``rotate``) of any rotation without what
    is aliased."""
    centred = columns - columns.mean(axis=0)
    basis = orthonormal(centred) if rotate else np.linalg.qr(centred)[0]
    return basis * np.sqrt(len(columns))
