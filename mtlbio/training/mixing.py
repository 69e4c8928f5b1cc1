"""How much of each path: stacking the axes and the block on inner validation donors (Wolpert 1992)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize

from mtlbio.cohort.cohort import TaskInfo
from mtlbio.training.losses import LOSSES
from mtlbio.training.problem import FoldData, Problem, Targets
from mtlbio.training.replicas import Fitted
from mtlbio.training.sparse_heads import SparseHeads

# Strength of the pull towards equal shares, in donors: with fewer labels than this the average decides.
_PRIOR_DONORS = 20.0


@dataclass(frozen=True)
class Mixture:
    """``axes * outputs of the axes + block * outputs of the block + bias``; ``bias`` has one entry per output."""

    axes: float
    block: float
    bias: np.ndarray


def mix(task: TaskInfo, axes: np.ndarray, block: np.ndarray, target: np.ndarray, weights: np.ndarray) -> Mixture:
    """Non-negative shares of the two paths that minimise the task's loss on validation samples.

    Parameters
    ----------
    task : the task
    axes, block : (n, outputs of the task) outputs of each path for samples that the replica did not train on
    target : (n,) codes or standardised values
    weights : (n,) sample weights; their sum counts as the number of donors

    Returns
    -------
    The mixture; equal shares where there are no labels.
    """
    n_outputs = axes.shape[1]
    if not weights.sum() > 0:
        return Mixture(0.5, 0.5, np.zeros(n_outputs))
    paths = torch.as_tensor(np.stack([axes, block]), dtype=torch.float64)
    y, w = torch.as_tensor(target, dtype=torch.float64), torch.as_tensor(weights, dtype=torch.float64)

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        outputs = (point[:2, None, None] * paths).sum(0) + point[2:]
        fit = (LOSSES[task.kind](outputs, y) * w).sum()
        pull = _PRIOR_DONORS * ((point[:2] - 0.5) ** 2).sum() + (point[2:] ** 2).sum()
        total = fit + pull
        (gradient,) = torch.autograd.grad(total, point)
        return total.item(), gradient.numpy()

    start = np.concatenate([[0.5, 0.5], np.zeros(n_outputs)])
    bounds = [(0, None)] * 2 + [(None, None)] * n_outputs
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Mixture(float(found[0]), float(found[1]), found[2:])


@dataclass(frozen=True)
class Mixed:
    """The mixtures of every fold, arm and task, and what they give.

    Attributes
    ----------
    mixture : {(fold index, arm index, task index): Mixture}
    outputs : (f, a, s, n, o) mixed outputs of every sample; 0 where the arm does not train the task
    """

    mixture: dict[tuple[int, int, int], Mixture]
    outputs: np.ndarray


def mix_paths(problem: Problem, heads: SparseHeads, fitted: Fitted, folds: list[FoldData], targets: Targets) -> Mixed:
    """Mix the two paths of every fold, arm and task on the validation samples of its seeds."""
    packing = problem.packing
    f, a, s = fitted.block.shape[:3]
    expand = problem.inputs.new_tensor(packing.expand)
    mixture: dict[tuple[int, int, int], Mixture] = {}
    outputs = np.zeros((f, a, s, problem.inputs.shape[1], packing.n_outputs), dtype=np.float32)
    for i, data in enumerate(folds):
        axes = (problem.axes[i] @ heads.weights[i] @ expand + heads.bias[i][:, None]).cpu().numpy()  # (s, n, o)
        for j in range(a):
            block = (problem.inputs[i] @ fitted.block[i, j] @ expand + fitted.bias[i, j][:, None]).cpu().numpy()
            for t, task in enumerate(packing.tasks):
                if not problem.active[j, t]:
                    continue
                place = packing.outputs[t]
                rows = [(q, np.flatnonzero((data.inner == q) & targets.known[:, t])) for q in range(s)]
                found = mix(
                    task,
                    np.concatenate([axes[q, own][:, place] for q, own in rows]),
                    np.concatenate([block[q, own][:, place] for q, own in rows]),
                    np.concatenate([targets.values[i, own, t] for _, own in rows]),
                    np.ones(sum(len(own) for _, own in rows)),
                )
                mixture[i, j, t] = found
                outputs[i, j, :, :, place] = (
                    found.axes * axes[:, :, place] + found.block * block[:, :, place] + found.bias
                )
    return Mixed(mixture, outputs)
