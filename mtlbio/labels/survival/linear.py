"""Ridge Cox along a path of penalties: the linear model that baselines fit to times.

Meant for the row space of the data (:func:`mtlbio.cohort.features.row_space`), where a step costs as many operations as
there are samples times samples, genes or not. Minimises

    minus the partial log likelihood / sum of the weights  +  penalty / 2 * |coefficients|^2

as :mod:`mtlbio.evaluation.ridge` does for other labels; columns keep their scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtlbio.labels.risk_sets import RiskSets
from mtlbio.labels.survival.baseline import cumulative_hazard, null_residuals

# Relative to the total variance of the columns, strong to weak: a Cox model of genes wants the strong end.
PENALTIES = np.logspace(1, -4, 11)
# Of the hazard, by which an arm that only knows numbers may lower it.
_LOWEST = 0.05


@dataclass(frozen=True)
class Scores:
    """Log hazards along the path: coefficients (penalties, p)."""

    coefficients: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(penalties, m) for rows (m, p)."""
        return self.coefficients @ x.T


@dataclass(frozen=True)
class RidgeCox:
    """What baselines ask of a label that has a linear model of its own; of labelled samples.

    Attributes
    ----------
    time, event, entry, stratum : (n,)
    weights : (n,) every donor once
    predict : (m,) log hazards and (m, horizons) cumulative hazards -> predictions in the label's form
    horizons : (k,)
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray
    stratum: np.ndarray
    weights: np.ndarray
    predict: Callable[[np.ndarray, np.ndarray], np.ndarray]
    horizons: np.ndarray

    penalties = PENALTIES

    def path(self, x: np.ndarray, rows: np.ndarray | slice, penalties: np.ndarray) -> Scores:
        """Fits to the rows of x (n, p), strong penalties first; each starts where the one before it ended."""
        from scipy.optimize import minimize

        x, sets, total = x[rows], self._sets(rows), self.weights[rows].sum()
        no_columns, beta, found = np.empty((len(x), 0)), np.zeros(x.shape[1]), []

        def loss(beta: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
            sums = sets.at(no_columns, x @ beta)
            residual = sets.weights * (sets.event - sums.risk * sums.hazard)
            value = -sums.loglik / total + penalty / 2 * float(beta @ beta)
            return value, -(residual @ x) / total + penalty * beta

        for penalty in penalties:
            if len(sets.rows):
                beta = minimize(loss, beta, (penalty,), "L-BFGS-B", jac=True, options={"maxiter": 200}).x
            found.append(beta)
        return Scores(np.array(found))

    def loss(self, rows: np.ndarray, scores: np.ndarray) -> float:
        """Minus the partial log likelihood of log hazards (rows,) among held-out rows."""
        return -self._sets(rows).at(np.empty((len(rows), 0)), scores).loglik

    def values(self) -> np.ndarray:
        """(n,) numbers for an arm that knows nothing else: events beyond those that were to be expected."""
        return null_residuals(self.time, self.event, self.entry, self.stratum)

    def from_scores(self, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Predictions for log hazards (m,), with the baseline hazard of the training samples and theirs (n,)."""
        middle = np.average(train, weights=self.weights)
        hazard = self._baseline(train - middle)
        return self.predict(test - middle, hazard * np.exp(test - middle)[:, None])

    def from_values(self, test: np.ndarray) -> np.ndarray:
        """Predictions for expected residuals (m,): those are (hazard ratio - 1) times the events to be expected."""
        share = np.average(self.event, weights=self.weights)
        scores = np.log(np.maximum(1 + test / share, _LOWEST))
        return self.predict(scores, self._baseline(np.zeros(len(self.time))) * np.exp(scores)[:, None])

    def _sets(self, rows: np.ndarray | slice) -> RiskSets:
        entry = self.entry[rows] if np.isfinite(self.entry).any() else None
        return RiskSets(self.time[rows], self.event[rows], entry, self.stratum[rows], self.weights[rows])

    def _baseline(self, scores: np.ndarray) -> np.ndarray:
        return cumulative_hazard(self.time, self.event, self.entry, scores, self.weights, self.horizons)
