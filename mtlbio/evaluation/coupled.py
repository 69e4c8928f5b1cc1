"""Ridge regressions that are coupled over their targets, and the same without any donor, in closed form.

Of standardised targets y_t and features x with an intercept, the coefficients b_t minimise

    sum_t sum_i w_i (y_it - x_i' b_t - a_t)^2 + sum_t penalty_t |b_t|^2 + sum_{s<t} |g_st| |b_s - sign(g_st) b_t|^2

over the labels that are there. Without the labels of a donor the solution moves by
``-U (1/W - X U)^-1 e`` with ``U = A^-1 X'`` of its rows, A the normal matrix of all and e its residuals
(Sherman-Morrison-Woodbury; of one regression Belsley, Kuh & Welsch 1980, Regression Diagnostics, eq. 2.1): what
fitting again without them gives, where penalties, weights, scales and features stay as they are.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy import linalg


class CoupledRidge:
    """A fit to the labels that are there.

    Parameters
    ----------
    x : (n, r) features, such as :func:`mtlbio.cohort.features.row_space` gives
    y : (n, T) standardised targets, NaN where a label is missing
    weights : (n,) of the samples
    penalties : (T,) positive
    coupling : (T, T) symmetric, g above; its diagonal means nothing. None where left out

    Attributes
    ----------
    design : (n, r + 1) features and a column of ones
    samples, targets : (N,) of every label that is there: which sample, which target; ``weights``: its weight
    residual : (N,) label minus fit
    predicted : (n, T) of every sample, labelled or not
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray,
        penalties: np.ndarray,
        coupling: np.ndarray | None = None,
    ):
        self.design = np.column_stack([x, np.ones(len(x))])
        self.samples, self.targets = np.nonzero(~np.isnan(y))
        self.weights = np.asarray(weights, dtype=float)[self.samples]
        self.shape = (y.shape[1], self.design.shape[1])
        size = self.shape[0] * self.shape[1]
        penalty = np.diag(np.asarray(penalties, dtype=float))
        if coupling is not None:
            penalty = penalty + laplacian(coupling)
        free = np.append(np.ones(x.shape[1]), 0.0)  # intercepts are not shrunk
        self._normal = np.einsum("st,jk->sjtk", penalty, np.diag(free))
        right = np.zeros(self.shape)
        for t in range(self.shape[0]):
            rows = self.samples[self.targets == t]
            weighted = self.design[rows] * weights[rows, None]
            self._normal[t, :, t] += weighted.T @ self.design[rows]
            right[t] = weighted.T @ y[rows, t]
        self._factor = linalg.cho_factor(self._normal.reshape(size, size))
        self.coefficients = linalg.cho_solve(self._factor, right.ravel()).reshape(self.shape)
        self.predicted = self.design @ self.coefficients.T
        self.residual = y[self.samples, self.targets] - self.predicted[self.samples, self.targets]

    @cached_property
    def pull(self) -> np.ndarray:
        """(N, T, r + 1) what a unit of weighted residual of every label adds to the coefficients."""
        rows = np.zeros((len(self.samples), *self.shape))
        rows[np.arange(len(rows)), self.targets] = self.design[self.samples]
        pull = linalg.cho_solve(self._factor, rows.reshape(len(rows), -1).T)
        return np.ascontiguousarray(pull.T).reshape(rows.shape)

    def block(self, rows: np.ndarray) -> np.ndarray:
        """(m, m) matrix ``1/W - X U`` of labels that are left out together."""
        answer = np.einsum("ik,jik->ij", self.design[self.samples[rows]], self.pull[rows][:, self.targets[rows]])
        return np.diag(1 / self.weights[rows]) - answer

    @cached_property
    def leverage(self) -> np.ndarray:
        """(N,) how much a fit follows its own label, 0-1."""
        pull = self.pull[np.arange(len(self.samples)), self.targets]
        return self.weights * (self.design[self.samples] * pull).sum(axis=1)

    def residual_without(self, groups: Sequence[np.ndarray]) -> np.ndarray:
        """(N,) label minus the fit without the group that it is in; NaN of labels in none."""
        left = np.full(len(self.samples), np.nan)
        if max(map(len, groups), default=0) == 1:
            rows = np.concatenate(groups)
            left[rows] = self.residual[rows] / (1 - self.leverage[rows])
            return left
        for rows in groups:
            left[rows] = np.linalg.solve(self.block(rows), self.residual[rows]) / self.weights[rows]
        return left


def laplacian(coupling: np.ndarray) -> np.ndarray:
    """(T, T) matrix L with ``b' L b = sum_{s<t} |g_st| |b_s - sign(g_st) b_t|^2``.

    Examples
    --------
    >>> laplacian(np.array([[0, -2], [-2, 0]])).tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """
    beside = np.asarray(coupling, dtype=float) * (1 - np.eye(len(coupling)))
    return np.diag(np.abs(beside).sum(axis=1)) - beside
