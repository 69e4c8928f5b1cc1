"""How well a score ranks cases above controls, or follows the order of values or levels."""

from __future__ import annotations

import numpy as np

from mtlbio.metrics.values import correlation, mae, mean_of_defined
from mtlbio.metrics.weights import over_draws


@over_draws
def auroc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: P(score of a case > score of a control), ties count one half.

    Parameters
    ----------
    y : (n,) 0 or 1
    pred : (n,) any score that rises with the probability of 1
    """
    case = y == 1
    by_score = np.argsort(pred[~case], kind="stable")
    controls = pred[~case][by_score]
    w = np.ascontiguousarray(weights.T)
    # below[k] = weight of the k lowest controls; one sort serves all draws
    below = np.zeros((len(controls) + 1, w.shape[1]))
    np.cumsum(w[np.flatnonzero(~case)[by_score]], axis=0, out=below[1:])
    first, last = np.searchsorted(controls, pred[case], "left"), np.searchsorted(controls, pred[case], "right")
    w_case = w[case]
    wins = np.einsum("id,id->d", w_case, below[first]) + np.einsum("id,id->d", w_case, below[last])
    return wins / 2 / (w_case.sum(axis=0) * below[-1])


@over_draws
def auprc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision: mean over the cases of the precision at their score (scikit-learn's definition)."""
    order = np.argsort(-pred, kind="stable")
    last = np.flatnonzero(np.append(np.diff(pred[order]) != 0, True))  # a tie is one threshold
    hits = np.cumsum(weights[:, order] * (y[order] == 1), axis=1)[:, last]
    called = np.cumsum(weights[:, order], axis=1)[:, last]
    precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
    return (np.diff(hits, axis=1, prepend=0.0) * precision).sum(axis=1) / hits[:, -1]


@over_draws
def macro_auroc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Unweighted mean over the classes of the one-versus-rest AUROC; pred is (n, K).

    A class that does not occur (or the only one that does) has no AUROC and is left out of the mean.
    """
    return mean_of_defined([auroc((y == k).astype(float), pred[:, k], weights) for k in range(pred.shape[1])])


@over_draws
def spearman(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman correlation with mid-ranks; with counts as weights, that of the data written out."""
    w = np.ascontiguousarray(weights.T)
    return correlation(_mid_ranks(y, w), _mid_ranks(pred, w), w)


def expected_level(pred: np.ndarray) -> np.ndarray:
    """Expected level (0 .. K - 1) of ordinal probabilities (n, K) -> (n,); levels pass through."""
    return pred if pred.ndim == 1 else pred @ np.arange(pred.shape[1])


def ordinal_spearman(y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None) -> float | np.ndarray:
    """Spearman correlation of the true level with the expected level."""
    return spearman(y, expected_level(np.asarray(pred, dtype=float)), weights)


def mae_levels(y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None) -> float | np.ndarray:
    """Mean absolute error of the expected level, in levels."""
    return mae(y, expected_level(np.asarray(pred, dtype=float)), weights)


def _mid_ranks(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted mid-ranks (n, draws) of values (n,) under weights (n, draws), up to a constant."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    below = np.zeros((len(values) + 1, w.shape[1]))
    np.cumsum(w[order], axis=0, out=below[1:])
    first, last = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (below[first] + below[last]) / 2
