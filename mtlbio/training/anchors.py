"""What a loss leaves open is found once training is over: the level of the outputs of an anchored kind of label.

A partial likelihood says who is at more risk than whom and nothing of how much that is. The baseline hazard is found
from the outputs of the fold's training samples, each by the replica that has not trained on it where there is one: that
replica's outputs are spread as those of new samples are. It becomes part of the biases, and so of the saved model.
"""

from dataclasses import replace

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import donor_weights
from mtlbio.training.problem import FoldData, Problem, Targets
from mtlbio.training.stacked_predictors import StackedPredictors, column_means


def with_anchors(
    problem: Problem, stacking: StackedPredictors, cohort: Cohort, folds: list[FoldData], targets: Targets
) -> StackedPredictors:
    """The mixtures with the anchors of all tasks that have one; all others stay what they are to the last digit."""
    packing, active = problem.packing, problem.active.cpu().numpy() > 0
    anchored = [t for t, task in enumerate(packing.tasks) if task.anchored]
    if not anchored:
        return stacking
    outputs, mixture, cross_task = stacking.outputs.copy(), dict(stacking.mixture), dict(stacking.cross_task)
    sites = dict(stacking.sites)
    for i, data in enumerate(folds):
        for t in anchored:
            place, labelled = (
                packing.outputs[t],
                targets.labelled[:, t] & np.isin(np.arange(len(data.inner)), data.train),
            )
            rows = np.flatnonzero(labelled)
            if not len(rows):
                continue
            weights = donor_weights(cohort.donors[rows])
            for j in np.flatnonzero(active[:, t]).tolist():
                unseen = _unseen(stacking.outputs[i, j][:, rows, place], data.inner[rows])
                shift = packing.tasks[t].anchor(unseen, targets.values[i, rows, t], weights)
                outputs[i, j, :, :, place] += shift
                if (i, j) in cross_task:  # which comes after the mixture
                    bias = cross_task[i, j].bias.copy()
                    bias[place] += shift
                    cross_task[i, j] = replace(cross_task[i, j], bias=bias)
                else:
                    own = mixture[i, j, t]
                    mixture[i, j, t] = replace(own, bias=own.bias + shift)
                if (i, j) in sites:  # they come last, and read how far outputs are from what they were without anchor
                    moved = shift @ column_means(packing)[place]
                    sites[i, j] = [replace(site, mean=site.mean + moved) for site in sites[i, j]]
    return StackedPredictors(mixture, outputs, cross_task, sites, stacking.site_column)


def _unseen(outputs: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """(n, o) of outputs (s, n, o): the replica's that validated a sample, else the mean of all."""
    chosen, held = outputs.mean(axis=0), (inner >= 0) & (inner < len(outputs))
    chosen[held] = outputs[inner[held], np.flatnonzero(held)]
    return chosen.astype(float)
