"""The features of one block predicted from others: ridge regression, one penalty for all features.

The penalty is chosen by generalised cross-validation (Golub, Heath & Wahba 1979, Technometrics 21:215).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from mtlbio.cohort.assays.blocks import Blocks, of_blocks
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features, features_of, row_space
from mtlbio.cohort.split import train_test

LEAST = 30  # samples with all of these blocks
_PENALTIES = np.logspace(-2, 5, 15)


@dataclass(frozen=True)
class FromBlocks:
    """A fitted regression; ``mean`` and ``spread`` (q,) are those of the predicted features in training samples."""

    features: Features
    basis: np.ndarray
    model: RidgeCV
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, source: Cohort, values: np.ndarray, train: np.ndarray, n_genes: int) -> FromBlocks:
        """Fit ``values`` (n, q) of the samples ``train`` on the features of ``source``, at most ``n_genes`` of each
        block."""
        features = features_of(source, train, n_genes)
        basis, scores = row_space(features.transform(source.expression[train]))
        mean, spread = values[train].mean(axis=0), np.maximum(values[train].std(axis=0), 1e-9)
        penalties = _PENALTIES * scores.var(axis=0).sum() / len(train)
        model = RidgeCV(alphas=penalties).fit(scores, (values[train] - mean) / spread)
        return cls(features, basis, model, mean, spread)

    def standardised(self, expression: np.ndarray) -> np.ndarray:
        """(n, q) predictions in standard deviations of the training samples; ``expression`` (n, p) of the source."""
        return self.model.predict(self.features.transform(expression).astype(float) @ self.basis)

    def predict(self, expression: np.ndarray) -> np.ndarray:
        """(n, q) predictions in the units of the features."""
        return self.mean + self.spread * self.standardised(expression)


@dataclass(frozen=True)
class HeldOut:
    """(n, q) standardised features, each by the training samples of the fold that holds it out, and predictions of
    them; ``spread`` (n, q): what one unit is, in those of the feature."""

    truth: np.ndarray
    predicted: np.ndarray
    spread: np.ndarray


def held_out(source: Cohort, values: np.ndarray, splits: pd.DataFrame, n_genes: int) -> HeldOut:
    """Predict ``values`` (n, q) of every sample by the fold that holds it out; ``splits`` in the order of samples."""
    truth, predicted, spread = (np.zeros(values.shape) for _ in range(3))
    for fold in sorted(splits["fold"].unique()):
        train, test = train_test(splits, fold)
        fitted = FromBlocks.of(source, values, train, n_genes)
        truth[test] = (values[test] - fitted.mean) / fitted.spread
        predicted[test] = fitted.standardised(source.expression[test])
        spread[test] = fitted.spread
    return HeldOut(truth, predicted, spread)


def correlations(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draws, q) weighted correlations of the columns of a and b (n, q); ``weights`` (draws, n)."""
    share = weights / weights.sum(axis=1, keepdims=True)
    mean_a, mean_b = share @ a, share @ b
    together = share @ (a * b) - mean_a * mean_b
    size = (share @ a**2 - mean_a**2) * (share @ b**2 - mean_b**2)
    return np.where(size > 1e-24, together / np.sqrt(np.maximum(size, 1e-24)), np.nan)


def block_and_source(cohort: Cohort, blocks: Blocks, name: str, source: tuple[str, ...]) -> tuple[np.ndarray, Cohort]:
    """Places of the samples that have a block and its ``source``, and these samples with the source's features."""
    rows = np.flatnonzero(blocks.have((*source, name)))
    return rows, of_blocks(cohort, source, rows)
