"""What one block says of another: every feature of the one predicted from the other, in donors held out."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

from mtlbio.cohort.assays.blocks import Blocks, blocks_of, of_blocks
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import features_of, row_space
from mtlbio.cohort.split import train_test
from mtlbio.evaluation.bootstrap import bootstrap_weights, interval
from mtlbio.progress import say
from mtlbio.tables import CROSS_PREDICTION

LEAST = 30  # samples with both blocks
_PENALTIES = np.logspace(-2, 5, 15)


def cross_prediction(
    cohort: Cohort, splits: pd.DataFrame, n_genes: int, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """A row per ordered pair of blocks, columns ``mtlbio.tables.CROSS_PREDICTION``.

    ``r`` is the median over the features of the one of the correlation of its held-out values with what ridge
    regression on the other predicts (penalty by generalised cross-validation, one for all features; Golub, Heath &
    Wahba 1979, Technometrics 21:215), with its interval over bootstrap draws of donors; ``variance`` the share of the
    block's whole variance that is predicted. Pairs that fewer than 30 samples have are left out.

    Parameters
    ----------
    splits : in the order of the cohort's samples
    n_genes : at most so many features of each block, chosen on training donors of all folds
    """
    blocks, rows = blocks_of(cohort), []
    for a, b in _pairs(blocks):
        both = np.flatnonzero(blocks.have((a, b)))
        if len(both) < LEAST:
            say(f"{len(both)} samples have {a} and {b}; what one says of the other is not asked")
            continue
        some = splits.iloc[both].reset_index(drop=True)
        source, target = (of_blocks(cohort, (name,), both) for name in (a, b))
        truth, predicted = _held_out(source, target, some, n_genes)
        weights = bootstrap_weights(source.clusters, draws, seed)
        whole = np.ones((1, len(both)))
        r = float(np.nanmedian(_correlations(truth, predicted, whole)))
        low, high = interval(np.nanmedian(_correlations(truth, predicted, weights), axis=1))
        variance = 1 - np.square(truth - predicted).sum() / np.square(truth).sum()
        rows.append([a, b, r, low, high, variance, truth.shape[1], len(both), len(np.unique(source.donors))])
    return pd.DataFrame(rows, columns=CROSS_PREDICTION)


def _pairs(blocks: Blocks) -> Iterator[tuple[str, str]]:
    return ((a, b) for a in blocks.names for b in blocks.names if a != b)


def _held_out(source: Cohort, target: Cohort, splits: pd.DataFrame, n_genes: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, q) standardised features of the target, of every sample by the fold that holds it out, and their
    predictions."""
    everybody = np.arange(len(splits))
    chosen = features_of(target, everybody, n_genes).genes_idx
    truth = np.zeros((len(splits), len(chosen)))
    predicted = np.zeros_like(truth)
    values = target.expression[:, chosen].astype(float)
    for fold in sorted(splits["fold"].unique()):
        train, test = train_test(splits, fold)
        features = features_of(source, train, n_genes)
        basis, scores = row_space(features.transform(source.expression[train]))
        mean, spread = values[train].mean(axis=0), np.maximum(values[train].std(axis=0), 1e-9)
        model = RidgeCV(alphas=_PENALTIES * scores.var(axis=0).sum() / len(train)).fit(
            scores, (values[train] - mean) / spread
        )
        truth[test] = (values[test] - mean) / spread
        predicted[test] = model.predict(features.transform(source.expression[test]).astype(float) @ basis)
    return truth, predicted


def _correlations(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draws, q) weighted correlations of the columns of a and b (n, q); ``weights`` (draws, n)."""
    share = weights / weights.sum(axis=1, keepdims=True)
    mean_a, mean_b = share @ a, share @ b
    together = share @ (a * b) - mean_a * mean_b
    size = (share @ a**2 - mean_a**2) * (share @ b**2 - mean_b**2)
    return np.where(size > 1e-24, together / np.sqrt(np.maximum(size, 1e-24)), np.nan)
