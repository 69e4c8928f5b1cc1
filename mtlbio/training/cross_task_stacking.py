"""Borrowing: a task's prediction may lean on what is predicted for the other tasks.

A trunk that all tasks share does little for a task with forty labels: forty labels do not say which of its directions
to read. What the other tasks' networks predict for a sample has been learnt from all of *their* labels, and to lean on
it costs one number per task: stacking over tasks instead of models (Wolpert 1992; with regressions of correlated
responses it is the "curds and whey" of Breiman & Friedman 1997, J. R. Stat. Soc. B 59:3). The numbers are learnt on
inner validation samples, which the networks of neither task have seen, and pulled to 0: what little is lost to a task
that has nothing to do with the others is measured in ``docs/sharing.md``.

Only a task with few labels borrows, and only from tasks with at least twice as many: all other predictions stay what
they are to the last digit, so a task whose labels are wrong cannot harm one that has more of them in this way. There is
no circle then either. What comes out is linear in the outputs of training: it folds into the heads of the trained
model.
"""

from dataclasses import replace

import numpy as np
import torch

from mtlbio.labels import Label
from mtlbio.training.problem import FoldData, Problem, Targets
from mtlbio.training.stacked_predictors import CrossTaskStack, StackedPredictors, column_means, minimiser

# A task borrows from tasks with so many times its labelled training samples.
RICHER = 2
# Pull of each weight to 0, in donors per column that is taken: with many tasks each is trusted less.
_PULL = 0.5
# Pull of a task's own part to what it was.
_OWN_PULL = 4.0


def cross_task_weights(
    task: Label, expand: np.ndarray, outputs: np.ndarray, from_others: np.ndarray, target: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """How much of the other tasks' predictions lowers the task's loss on validation samples: a factor of ``outputs``,
    weights (k, columns of the task) and bias (outputs of the task); without labels 1, 0 and 0.

    Parameters
    ----------
    expand : (columns of the task, its outputs), as in :class:`Outputs`
    outputs : (n, outputs of the task) for samples that neither network has seen
    from_others : (n, k) standardised columns of the other tasks, likewise
    target : (n,) codes or standardised values
    """
    k, (columns, n_outputs) = from_others.shape[1], expand.shape
    if len(target) == 0 or k == 0:
        return 1.0, np.zeros((k, columns)), np.zeros(n_outputs)
    predicted, others, y, spread = (
        torch.as_tensor(v, dtype=torch.float64) for v in (outputs, from_others, target, expand)
    )
    everybody = torch.ones_like(y)

    def objective(point: torch.Tensor) -> torch.Tensor:
        factor, weights, bias = point[0], point[1 : 1 + k * columns].reshape(k, columns), point[1 + k * columns :]
        fit = task.loss(predicted * factor + others @ weights @ spread + bias, y, everybody).sum()
        return fit + _OWN_PULL * (factor - 1) ** 2 + _PULL * k * (weights**2).sum() + (bias**2).sum()

    start = np.concatenate([[1.0], np.zeros(k * columns + n_outputs)])
    bounds = [(0, None)] + [(None, None)] * (len(start) - 1)
    best = minimiser(objective, start, bounds)
    return float(best[0]), best[1 : 1 + k * columns].reshape(k, columns), best[1 + k * columns :]


def with_cross_task_stacks(
    problem: Problem, stacking: StackedPredictors, folds: list[FoldData], targets: Targets
) -> StackedPredictors:
    """Let the tasks with few labels borrow, in every arm that trains several; arms of one task stay what they are.
    ``stacking`` holds each task's own mixtures."""
    packing, active = problem.packing, problem.active.cpu().numpy() > 0
    cross_task: dict[tuple[int, int], CrossTaskStack] = {}
    outputs, seeds = stacking.outputs.copy(), stacking.outputs.shape[2]
    for i, data in enumerate(folds):
        rows = [np.flatnonzero(data.inner == q) for q in range(seeds)]
        labels = targets.labelled[data.train].sum(0)
        who = np.concatenate(rows)
        for j in np.flatnonzero(active.sum(1) > 1):
            network = stacking.outputs[i, j].astype(float)
            unseen = np.concatenate([network[q, validates] for q, validates in enumerate(rows)])
            values = (network[:, data.train] @ column_means(packing)).reshape(-1, packing.n_columns)
            mean, scale = values.mean(0), np.maximum(values.std(0), 1e-9)
            from_others = (unseen @ column_means(packing) - mean) / scale
            factor, bias = np.ones(packing.n_outputs), np.zeros(packing.n_outputs)
            weights = np.zeros((packing.n_columns, packing.n_columns))
            for t in np.flatnonzero(active[j]):
                place, columns, labelled = packing.outputs[t], packing.columns[t], targets.labelled[who, t]
                richer = active[j] & (labels >= RICHER * labels[t]) & (labels > 0)
                others = np.flatnonzero(richer[packing.task_of_column])
                factor[place], weights[others, columns], bias[place] = cross_task_weights(
                    packing.tasks[t],
                    packing.expand[columns, place],
                    unseen[labelled, place],
                    from_others[labelled][:, others],
                    targets.values[i, who[labelled], t],
                )
            stack = cross_task[i, int(j)] = CrossTaskStack(factor, weights, mean, scale, bias)
            outputs[i, j] = stack.apply(network, packing)
    return replace(stacking, outputs=outputs, cross_task=cross_task)
