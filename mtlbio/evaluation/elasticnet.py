"""Sparse linear and logistic regression: the elastic net, along a path of penalties.

Minimises ``sum_i w_i loss_i / sum_i w_i + penalty * (L1 |b|_1 + (1 - L1) / 2 |b|_2^2)`` with loss = squared error / 2
or the log loss and free intercepts: ``sklearn.linear_model.ElasticNet`` with ``alpha`` = penalty, ``l1_ratio`` = L1.

The coefficients are split into positive and negative parts, which turns the L1 norm into a sum under bounds, and
L-BFGS-B solves that. Only genes that pass the sequential strong rule (Tibshirani et al. 2012, JRSS-B 74:245) enter,
and the optimality of the others is checked afterwards, so the answer is that of all genes.
"""

import numpy as np
from scipy.optimize import minimize

from mtlbio.evaluation.ridge import LinearPath, loss_and_residual, targets

# Half and half: among correlated genes of small cohorts measurably better than .9, at the same cost.
L1 = 0.5
# Shares of the smallest penalty at which every coefficient is zero.
PATH = np.logspace(0, -1.7, 10)
_ROUNDS = 5


def null_penalty(x: np.ndarray, y: np.ndarray, n_classes: int, weights: np.ndarray) -> float:
    """The smallest penalty at which every coefficient is zero; the scale of :data:`PATH`."""
    share = weights / weights.sum()
    truth = targets(y, n_classes)
    return float(np.abs((x - share @ x).T @ (share[:, None] * (truth - share @ truth))).max() / L1)


def fit_elasticnet(
    x: np.ndarray, y: np.ndarray, n_classes: int, weights: np.ndarray, penalties: np.ndarray
) -> LinearPath:
    """Elastic net for every penalty, each started from the one before.

    Parameters
    ----------
    x : (n, p) standardised genes; y : (n,) values, or codes 0 .. n_classes - 1 with every class present
    n_classes : 0 for a regression
    weights : (n,) positive; penalties : (L,) from strong to weak
    """
    share = weights / weights.sum()
    mean = share @ x
    centred = x - mean
    truth = targets(y, n_classes)
    width = truth.shape[1]
    level = share @ truth
    intercept = level if n_classes == 0 else np.log(level / (1 - level)) if n_classes == 2 else np.log(level)
    coefficients = np.zeros((x.shape[1], width))
    gradient = centred.T @ (share[:, None] * (level - truth))
    previous = max(penalties[0], np.abs(gradient).max() / L1)
    all_coefficients, all_intercepts = [], []
    for penalty in penalties:
        active = (np.abs(gradient) >= L1 * (2 * penalty - previous)).any(axis=1) | (coefficients != 0).any(axis=1)
        for _ in range(_ROUNDS):
            columns = centred[:, active]
            intercept, inner = _solve(columns, truth, n_classes, share, penalty, intercept, coefficients[active])
            coefficients = np.zeros_like(coefficients)
            coefficients[active] = inner
            _, residual = loss_and_residual(columns @ inner + intercept, truth, share, n_classes)
            gradient = centred.T @ residual
            violated = (np.abs(gradient) > L1 * penalty * (1 + 1e-3)).any(axis=1) & ~active
            if not violated.any():
                break
            active |= violated
        previous = penalty
        all_coefficients.append(coefficients)
        all_intercepts.append(intercept - mean @ coefficients)
    return LinearPath(np.stack(all_coefficients), np.stack(all_intercepts), n_classes)


def _solve(x, truth, n_classes, share, penalty, intercept, start):
    """Coefficients (p, C) of the active genes, as the difference of two non-negative parts."""
    p, width = start.shape
    size = p * width

    def objective(flat):
        free, parts = flat[:width], flat[width:]
        inner = (parts[:size] - parts[size:]).reshape(p, width)
        loss, residual = loss_and_residual(x @ inner + free, truth, share, n_classes)
        smooth = (x.T @ residual + (1 - L1) * penalty * inner).ravel()
        value = loss + penalty * (L1 * parts.sum() + 0.5 * (1 - L1) * np.square(inner).sum())
        return value, np.concatenate([residual.sum(axis=0), smooth + L1 * penalty, L1 * penalty - smooth])

    first = np.concatenate([intercept, np.maximum(start, 0).ravel(), np.maximum(-start, 0).ravel()])
    bounds = [(None, None)] * width + [(0, None)] * (2 * size)
    options = {"maxiter": 200, "gtol": 1e-3 * penalty, "ftol": 1e-9}
    solution = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    parts = solution[width:].reshape(2, p, width)
    return solution[:width], parts[0] - parts[1]
