"""Training labels of a task in a fold, and the choice of a setting on inner folds of donors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtlbio.labels import OwnModel
from mtlbio.metrics.probabilities import log_loss

# (training rows, held-out rows) -> predictions of every candidate setting on the held-out rows
Candidates = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Labels:
    """What an arm may learn from: the labelled training samples of one task in one fold.

    Attributes
    ----------
    y : (n,) class codes 0 .. n_classes - 1, every class present; or standardised values
    n_classes : 0 for a regression
    weights : (n,) every donor counts once, however often it was sampled; mean 1
    inner : (n,) inner fold of each sample, whole donors; all 0 where there are too few donors for inner folds
    seed : for arms that draw random numbers
    own : the label's own linear model, where it has one and the arm is linear; ``y`` is then not read
    """

    y: np.ndarray
    n_classes: int
    weights: np.ndarray
    inner: np.ndarray
    seed: int = 0
    own: OwnModel | None = None

    def inner_splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(training rows, held-out rows) of the inner folds whose training part still has every class."""
        splits = []
        for k in np.unique(self.inner):
            fit, held_out = np.flatnonzero(self.inner != k), np.flatnonzero(self.inner == k)
            if len(fit) > 1 and (self.n_classes == 0 or len(np.unique(self.y[fit])) == self.n_classes):
                splits.append((fit, held_out))
        return splits if len(np.unique(self.inner)) > 1 else []


def choose(labels: Labels, candidates: Candidates, n_candidates: int) -> tuple[int, float]:
    """The candidate with the smallest loss on inner held-out donors, and its root mean squared error there.

    The loss is that of the label's own model, the log loss for classes, and the squared error otherwise, each donor
    counted once; the second value is 1.0 for classes, and where it is not known. Without usable inner folds the middle
    candidate is taken: grids are laid so that this is a moderate penalty.
    """
    losses, total = np.zeros(n_candidates), 0.0
    for fit, held_out in labels.inner_splits():
        predicted = candidates(fit, held_out)
        y, weights = labels.y[held_out], labels.weights[held_out]
        for k, prediction in enumerate(predicted):
            if labels.own is not None:
                losses[k] += labels.own.loss(held_out, prediction)
            elif labels.n_classes:
                losses[k] += weights.sum() * log_loss(y, prediction, weights)
            else:
                losses[k] += weights @ np.square(y - prediction)
        total += weights.sum()
    if total == 0:
        return n_candidates // 2, 1.0
    best = int(np.argmin(losses))
    if labels.own is not None:
        return best, 1.0
    return best, float(np.sqrt(losses[best] / total)) if labels.n_classes == 0 else 1.0
