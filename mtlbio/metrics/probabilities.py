"""How good probabilities of classes are, and the classes that they call."""

import numpy as np

from mtlbio.metrics.values import mean, mean_of_defined
from mtlbio.metrics.weights import over_draws


@over_draws
def brier(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Brier score: mean squared error of the probability; with (n, K) probabilities, summed over the classes.

    Examples
    --------
    >>> round(brier([0, 1], [0.2, 0.6]), 3)
    0.1
    """
    if pred.ndim == 1:
        return mean(np.square(pred - y), weights)
    one_hot = y[:, None] == np.arange(pred.shape[1])
    return mean(np.square(pred - one_hot).sum(axis=1), weights)


@over_draws
def log_loss(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean negative log probability (natural log) of the true class; probabilities are kept 2e-16 away from 0.

    Examples
    --------
    >>> round(log_loss([1, 0], [0.5, 0.5]), 3)
    0.693
    """
    if pred.ndim == 1:
        chosen = np.where(y == 1, pred, 1 - pred)
    else:
        chosen = pred[np.arange(len(y)), y.astype(int)] / pred.sum(axis=1)
    tiny = np.finfo(float).eps
    return mean(-np.log(np.clip(chosen, tiny, 1 - tiny)), weights)


@over_draws
def accuracy(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of samples whose most probable class is the true one (binary: probability above one half).

    Examples
    --------
    >>> round(accuracy([0, 1, 1], [0.2, 0.6, 0.4]), 3)
    0.667
    """
    return mean((_called(pred) == y).astype(float), weights)


@over_draws
def balanced_accuracy(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of the recalls of the classes that occur.

    Examples
    --------
    >>> balanced_accuracy([0, 1, 1], [0.2, 0.6, 0.4])
    0.75
    """
    right = (_called(pred) == y).astype(float)
    recalls = [mean(right[y == k], weights[:, y == k]) for k in np.unique(y)]
    return mean_of_defined(recalls)


def _called(pred: np.ndarray) -> np.ndarray:
    return (pred > 0.5).astype(float) if pred.ndim == 1 else pred.argmax(axis=1).astype(float)
