"""The head of an added task: heads of all strengths of the prior, each counted as likely as it makes the labels.

Of a dozen labels nobody can choose a strength: on inner folds the choice is a matter of which donors fall together. The
probability of the labels under the prior needs no folds and no seed, and an average over the strengths does not jump.
"""

import numpy as np
from scipy.special import softmax

from mtlbio.cohort.features import donor_weights
from mtlbio.evaluation.ridge import total_variance
from mtlbio.labels import Label
from mtlbio.model.added import AddedHead
from mtlbio.training.frozen_head import Prior, fit_path

# Of what the head says beyond the prior's centre to what it cannot say (variances; of two classes, of the logit and in
# units of 4), strong prior to weak one.
SIGNALS = np.logspace(-2, 2, 9)


def fit_head(
    task: Label, prior: Prior, latents: np.ndarray, y: np.ndarray, donors: np.ndarray, clusters: np.ndarray
) -> AddedHead:
    """A head on the dimensions (n, d) of labelled samples, averaged over the strengths of the prior.

    ``clusters`` (n,): donors or families, each of which counts as one independent label.
    """
    heads, share, _ = weighed(task, prior, latents, y, donors, clusters)
    of_dims = np.tensordot(share, np.stack([head.weights for head in heads]), 1)
    bias = share @ np.stack([head.bias for head in heads])
    return AddedHead(task, of_dims, bias, heads[0].mean, heads[0].scale)


def weighed(
    task: Label, prior: Prior, latents: np.ndarray, y: np.ndarray, donors: np.ndarray, clusters: np.ndarray
) -> tuple[list[AddedHead], np.ndarray, np.ndarray]:
    """Heads of all strengths, how much each counts (L,), summing to 1, and the strengths (L,)."""
    weights, units = donor_weights(donors), len(np.unique(clusters))
    noise = task.likelihood * (1.0 if task.steep else 0.25) * total_variance(prior.scores(latents), weights)
    strengths = noise / (units * SIGNALS)
    heads, evidence = fit_path(task, prior, latents, y, weights, strengths, units)
    return heads, softmax(evidence - 0.5 * np.square(np.log10(SIGNALS / prior.signal) / prior.spread)), strengths
