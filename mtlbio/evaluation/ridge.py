"""L2-penalised linear and logistic regression along a path of penalties.

Meant for data rotated into their row space (:func:`mtlbio.cohort.features.row_space`): there the model on all genes
costs as much as one on as many features as samples. Both minimise

    sum_i w_i loss_i / sum_i w_i  +  penalty / 2 * |coefficients|^2

with loss = squared error / 2 or the log loss; intercepts are free. ``sklearn.linear_model.Ridge`` and
``LogisticRegression`` are the same with ``alpha`` and ``1 / C`` = penalty * sum(w).

Other ridge regressions of the package are other computations: :mod:`mtlbio.evaluation.residues.baselines` never holds
all residues and sums normal equations, :mod:`mtlbio.probing.refit` needs the Hessian, from which heads without some
dimensions follow, and :mod:`mtlbio.model.matching` solves two lines of algebra without an intercept.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

# Relative to the total variance of the features, strong to weak. A clear-cut disease wants the weak end, where least
# squares would already run through every sample.
PENALTIES = np.logspace(1, -5, 13)
CLASS_PENALTIES = np.logspace(1, -6, 15)


@dataclass(frozen=True)
class LinearPath:
    """Linear predictors of every penalty.

    Attributes
    ----------
    coefficients : (L, p, C) with C = 1 (regression, binary) or the number of classes
    intercepts : (L, C)
    n_classes : 0 for a regression
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    n_classes: int

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Values (L, n), or class probabilities (L, n, K)."""
        linear = np.einsum("np,lpc->lnc", x, self.coefficients, optimize=True) + self.intercepts[:, None]
        return link(linear, self.n_classes)


def link(linear: np.ndarray, n_classes: int) -> np.ndarray:
    """Linear predictors (..., C) -> values (...) for ``n_classes`` 0, else class probabilities (..., K)."""
    if n_classes == 0:
        return linear[..., 0]
    if n_classes == 2:
        positive = expit(linear[..., 0])
        return np.stack([1 - positive, positive], axis=-1)
    return softmax(linear, axis=-1)


def targets(y: np.ndarray, n_classes: int) -> np.ndarray:
    """What C linear predictors are fitted to: values (n, 1), the second of two classes (n, 1), or classes (n, K)."""
    if n_classes == 0:
        return y[:, None]
    one_hot = (y[:, None] == np.arange(n_classes)).astype(float)
    return one_hot[:, 1:] if n_classes == 2 else one_hot


def loss_and_residual(linear: np.ndarray, truth: np.ndarray, share: np.ndarray, n_classes: int):
    """Mean loss at linear predictors (n, C), and its derivative by them (n, C); ``share`` (n,) sums to 1."""
    if n_classes == 0:
        residual = linear - truth
        return 0.5 * share @ np.square(residual)[:, 0], share[:, None] * residual
    if n_classes == 2:
        loss, fitted = np.logaddexp(0, linear) - truth * linear, expit(linear)
    else:
        normaliser = logsumexp(linear, axis=1, keepdims=True)
        loss, fitted = (normaliser - linear) * truth, np.exp(linear - normaliser)
    return share @ loss.sum(axis=1), share[:, None] * (fitted - truth)


def total_variance(x: np.ndarray, weights: np.ndarray) -> float:
    """Sum of the variances of the columns of ``x`` (n, p); the scale of :data:`PENALTIES`."""
    share = weights / weights.sum()
    return float((share @ np.square(x - share @ x)).sum())


def fit_ridge(x: np.ndarray, y: np.ndarray, weights: np.ndarray, penalties: np.ndarray) -> LinearPath:
    """Ridge regression, all penalties from one eigendecomposition.

    Parameters
    ----------
    x : (n, p); y : (n,); weights : (n,) positive; penalties : (L,) positive
    """
    share = weights / weights.sum()
    mean, level = share @ x, share @ y
    root = np.sqrt(share)
    centred, target = root[:, None] * (x - mean), root * (y - level)
    wide = len(centred) <= centred.shape[1]
    values, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    loadings = vectors.T @ (target if wide else centred.T @ target)
    solutions = vectors @ (loadings[:, None] / (np.maximum(values, 0)[:, None] + penalties))
    coefficients = (centred.T @ solutions if wide else solutions).T
    return LinearPath(coefficients[:, :, None], (level - coefficients @ mean)[:, None], 0)


def fit_logistic(
    x: np.ndarray, y: np.ndarray, n_classes: int, weights: np.ndarray, penalties: np.ndarray
) -> LinearPath:
    """Logistic (two classes) or multinomial ridge regression, each penalty started from the one before.

    Parameters
    ----------
    x : (n, p); y : (n,) codes 0 .. n_classes - 1, every class present; weights : (n,) positive
    penalties : (L,) positive, best given from strong to weak
    """
    share = weights / weights.sum()
    mean = share @ x
    centred = x - mean
    variance = share @ np.square(centred)
    truth = targets(y, n_classes)
    width = truth.shape[1]
    prevalence = share @ truth
    intercept = np.log(prevalence / (1 - prevalence)) if width == 1 else np.log(prevalence)
    coefficients = np.zeros((x.shape[1], width))
    all_coefficients, all_intercepts = [], []
    for penalty in penalties:
        # Böhning's bound of the curvature (1/4) as diagonal preconditioner: the path of a rotated matrix has columns
        # whose variances differ a million-fold, and without it the search needs hundreds of steps.
        scale = np.sqrt(0.25 * variance + penalty)[:, None]

        def objective(flat, scale=scale, penalty=penalty):
            free, inner = flat[:width] * 2, flat[width:].reshape(-1, width) / scale
            loss, residual = loss_and_residual(centred @ inner + free, truth, share, n_classes)
            gradient = (centred.T @ residual + penalty * inner) / scale
            value = loss + 0.5 * penalty * np.square(inner).sum()
            return value, np.concatenate([2 * residual.sum(axis=0), gradient.ravel()])

        start = np.concatenate([intercept / 2, (coefficients * scale).ravel()])
        options = {"maxiter": 300, "gtol": 2e-6, "ftol": 1e-11}
        solution = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
        intercept, coefficients = solution[:width] * 2, solution[width:].reshape(-1, width) / scale
        all_coefficients.append(coefficients)
        all_intercepts.append(intercept - mean @ coefficients)
    return LinearPath(np.stack(all_coefficients), np.stack(all_intercepts), n_classes)
