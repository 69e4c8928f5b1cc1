"""The head of an added task, the strength of its prior chosen on inner folds of donors."""

import numpy as np

from mtlbio.cohort.features import donor_weights
from mtlbio.cohort.split import inner_folds
from mtlbio.evaluation.baselines import INNER_FOLDS
from mtlbio.evaluation.bootstrap import fewest
from mtlbio.evaluation.ridge import total_variance
from mtlbio.evaluation.tuning import Labels
from mtlbio.labels import Label
from mtlbio.model.added import AddedHead
from mtlbio.training.frozen_head import STRENGTHS, Prior, fit_heads, loss_of


def fit_head(
    task: Label, prior: Prior, latents: np.ndarray, y: np.ndarray, donors: np.ndarray, clusters: np.ndarray, seed: int
) -> AddedHead:
    """A head on the dimensions (n, d) of labelled samples, with the strength of the prior that serves held-out donors.

    ``clusters`` (n,): what no inner fold may split, donors or families. Without usable inner folds the middle strength
    is taken.
    """
    weights = donor_weights(donors)
    strengths = STRENGTHS * total_variance(prior.scores(latents), weights)
    folds = min(INNER_FOLDS, fewest(task, y, clusters))
    inner = inner_folds(clusters, task.spread_evenly(y), folds, seed) if folds > 1 else np.zeros(len(y), dtype=int)
    classes = len(task.classes) if task.codes(y) is not None else 0
    losses, splits = np.zeros(len(strengths)), Labels(y, classes, weights, inner).inner_splits()
    for rows, out in splits:
        heads = fit_heads(task, prior, latents[rows], y[rows], weights[rows], strengths)
        losses += [loss_of(head, latents[out], y[out], weights[out]) for head in heads]
    best = int(np.argmin(losses)) if splits else len(strengths) // 2
    return fit_heads(task, prior, latents, y, weights, strengths[best : best + 1])[0]
