"""Training samples of a fold with standardised features and targets, and ridge regressions on some of the features.

The learner is the same for a panel and for all features: a ridge regression per target column (a number, 0 and 1 of
two classes or of each of several, of a time the events beyond those to be expected), its penalty chosen on inner folds
of training donors. What decides about classes and times is the order of predictions, which needs no probabilities.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import donor_weights, fit_features, floor_of, row_space
from mtlbio.cohort.split import inner_folds
from mtlbio.evaluation.linear import ridge
from mtlbio.evaluation.linear_targets import Target, part_of, task_targets
from mtlbio.evaluation.tuning import Labels
from mtlbio.labels import Label

INNER_FOLDS = 5


@dataclass(frozen=True)
class Fitted:
    """Everything of a fold that panels are chosen from, and what they predict.

    Attributes
    ----------
    places : (p,) columns of the cohort that are candidates: the most variable of the training samples
    x, test : (n, p) of the training samples, (m, p) of those held out, standardised by the training samples
    obs, clusters, weights : (n, ...) of the training samples; every donor counts once
    targets : standardised on the training samples
    """

    places: np.ndarray
    x: np.ndarray
    test: np.ndarray
    obs: pd.DataFrame
    clusters: np.ndarray
    weights: np.ndarray
    targets: tuple[Target, ...]
    seed: int = 0

    @classmethod
    def of(cls, cohort: Cohort, train: np.ndarray, test: np.ndarray, n_genes: int, seed: int = 0) -> Self:
        """Of rows of a cohort."""
        own = part_of(cohort, train)
        weights = donor_weights(own.donors)
        features = fit_features(own.expression, n_genes, weights, floor_of(cohort))
        x, held_out = (features.transform(cohort.expression[rows]).astype(float) for rows in (train, test))
        targets = tuple(task_targets(own, learnt=True))
        return cls(features.genes_idx, x, held_out, own.obs, own.clusters, weights, targets, seed)

    @cached_property
    def y(self) -> np.ndarray:
        """(n, T) targets, NaN where missing."""
        return np.column_stack([t.values for t in self.targets]) if self.targets else np.empty((len(self.x), 0))

    def columns_of(self, task: str | None) -> np.ndarray:
        """Targets of a task; of all where none is named."""
        return np.flatnonzero([task in (None, target.name) for target in self.targets])

    def shares(self, columns: np.ndarray) -> np.ndarray:
        """What each target counts: the classes of a task together as much as a number."""
        names = [self.targets[t].name for t in columns]
        return np.array([1.0 / names.count(name) for name in names])

    def linear(self, t: int, features: np.ndarray) -> tuple[np.ndarray, float]:
        """(m,) the target of the held-out samples, standardised, from a ridge regression on some features, and the
        spread of inner held-out residuals; its mean where there is nothing to learn from."""
        rows, inner = self._labelled[t]
        if len(rows) < 2 or len(features) == 0:
            return np.zeros(len(self.test)), 1.0
        train, test = self.x[np.ix_(rows, features)], self.test[:, features]
        if train.shape[1] > len(rows):
            basis, train = row_space(train)
            test = test @ basis
        if train.shape[1] == 0:
            return np.zeros(len(self.test)), 1.0
        return ridge(train, test, Labels(self.y[rows, t], 0, self.weights[rows], inner, self.seed))

    @cached_property
    def _labelled(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of every target the rows with a label, and their inner folds."""
        found = []
        for target in self.targets:
            rows = np.flatnonzero(~np.isnan(target.values))
            folds = min(INNER_FOLDS, len(np.unique(self.clusters[rows])))
            found.append((rows, inner_folds(self.clusters[rows], target.values[rows], folds, self.seed)))
        return found

    def predicted(self, task: Label, features: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Predictions of a task's held-out samples in a form that its deciding metric reads, and the standardised
        scores (m,) behind them by class, or under the empty name."""
        found = {self.targets[t].part or "": (t, *self.linear(t, features)) for t in self.columns_of(task.name)}
        scores = {part: score for part, (_, score, _) in found.items()}
        raw = {part: self.targets[t].mean + self.targets[t].scale * score for part, (t, score, _) in found.items()}
        if not task.predicts_value and task.width:  # classes that no training label has get the lowest score of all
            out = np.full((len(self.test), *task.width), -1.0)
            for part, values in raw.items():
                out[:, task.classes.index(part)] = values
            return out, scores
        value = raw.get("", np.zeros(len(self.test)))
        if not task.predicts_value:
            return value, scores
        spread = max((s * self.targets[t].scale for t, _, s in found.values()), default=1.0)
        return task.from_value(value, spread), scores
