"""How well a score ranks cases above controls, or follows the order of values or levels."""

import numpy as np

from mtlbio.metrics.values import correlation, mae, mean_of_defined
from mtlbio.metrics.weights import over_draws


@over_draws
def auroc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: P(score of a case > score of a control), ties count one half.

    ``y`` (n,) is 0 or 1, ``pred`` (n,) any score that rises with the probability of 1.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75

    With weights (draws, n), one value per draw:

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [[1, 1, 1, 1], [1, 0, 1, 1]]).tolist()
    [0.75, 1.0]
    """
    case = y == 1
    w_case, w_control = weights.T[case], weights.T[~case]
    wins = np.einsum("id,id->d", w_case, _weight_below(pred[case], pred[~case], w_control))
    return wins / (w_case.sum(axis=0) * w_control.sum(axis=0))


@over_draws
def auprc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision: mean over the cases of the precision at their score (scikit-learn's definition).

    Examples
    --------
    >>> round(auprc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 3)
    0.833
    """
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

    Examples
    --------
    >>> macro_auroc([0, 1, 2], [[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    1.0
    """
    return mean_of_defined([auroc((y == k).astype(float), pred[:, k], weights) for k in range(pred.shape[1])])


@over_draws
def spearman(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman correlation with mid-ranks; with counts as weights, that of the data written out.

    Examples
    --------
    >>> round(spearman([1, 2, 3, 4], [1, 3, 2, 4]), 3)
    0.8
    """
    w = np.ascontiguousarray(weights.T)
    return correlation(_weight_below(y, y, w), _weight_below(pred, pred, w), w)


def expected_level(pred: np.ndarray) -> np.ndarray:
    """Expected level (0 .. K - 1) of ordinal probabilities (n, K) -> (n,); levels pass through."""
    return pred if pred.ndim == 1 else pred @ np.arange(pred.shape[1])


def ordinal_spearman(y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None) -> float | np.ndarray:
    """Spearman correlation of the true level with the expected level.

    Examples
    --------
    >>> round(ordinal_spearman([0, 1, 2], [[0.8, 0.2, 0.0], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]]), 3)
    1.0
    """
    return spearman(y, expected_level(np.asarray(pred, dtype=float)), weights)


def mae_levels(y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None) -> float | np.ndarray:
    """Mean absolute error of the expected level, in levels.

    Examples
    --------
    >>> mae_levels([0, 2], [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    0.25
    """
    return mae(y, expected_level(np.asarray(pred, dtype=float)), weights)


def _weight_below(values: np.ndarray, others: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(m, draws) weight of the others (n,) below each value (m,), ties count one half; one sort serves all draws w."""
    order = np.argsort(others, kind="stable")
    below = np.zeros((len(others) + 1, w.shape[1]))
    np.cumsum(w[order], axis=0, out=below[1:])
    first, last = (np.searchsorted(others[order], values, side) for side in ("left", "right"))
    return (below[first] + below[last]) / 2
