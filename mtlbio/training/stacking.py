"""How much of each path: stacking on inner validation donors (Wolpert 1992, Breiman 1996)."""

import numpy as np
import torch

from mtlbio.labels import Label
from mtlbio.training.problem import PATHS, FoldData, Problem, Targets
from mtlbio.training.stacked_predictors import StackedPredictors, StackingWeights, minimiser

# Strength of the pull towards equal shares, in donors: with few labels the average decides.
_PRIOR_DONORS = 4.0


def mix(
    task: Label, paths: np.ndarray, target: np.ndarray, used: np.ndarray | None = None, weight: float = 1.0
) -> StackingWeights:
    """Non-negative shares of the paths that minimise the task's loss on validation samples; equal ones without labels.

    Parameters
    ----------
    paths : (paths, n, outputs of the task) outputs for samples that the replica did not train on
    target : (n,) codes or standardised values
    used : (paths,) bool, which of them may have a share; all where left out
    weight : of every sample against the pull; below 1 where samples are no independent witnesses
    """
    n_paths, n, n_outputs = paths.shape
    used = np.ones(n_paths, bool) if used is None else used
    equal = used / used.sum()
    if n == 0:
        return StackingWeights(equal, np.zeros(n_outputs))
    stacked, y = torch.as_tensor(paths, dtype=torch.float64), torch.as_tensor(target, dtype=torch.float64)
    middle, everybody = torch.as_tensor(equal), torch.ones(n, dtype=torch.float64)

    def objective(point: torch.Tensor) -> torch.Tensor:
        shares, bias = point[:n_paths], point[n_paths:]
        fit = task.loss(torch.einsum("p,pno->no", shares, stacked) + bias, y, everybody).sum() * weight
        return fit + _PRIOR_DONORS * ((shares - middle) ** 2).sum() + (bias**2).sum()

    start = np.concatenate([equal, np.zeros(n_outputs)])
    bounds = [(0, None if may else 0) for may in used] + [(None, None)] * n_outputs
    best = minimiser(objective, start, bounds)
    return StackingWeights(best[:n_paths], best[n_paths:])


def stack_predictors(
    problem: Problem, outputs: dict[str, torch.Tensor], folds: list[FoldData], targets: Targets
) -> StackedPredictors:
    """Mix the predictors of every fold, arm and task on the validation samples of its seeds.

    ``outputs`` are by predictor, (f, s, n, o) where all arms share it, else (f, a, s, n, o). A multiplicative task
    takes nothing from the cosines of the axes: on the logarithm it is then a sum of one term per feature.
    """
    packing, a = problem.packing, len(problem.active)
    arrays = [outputs[name].cpu().numpy() for name in PATHS]
    arrays = [v if v.ndim == 5 else np.broadcast_to(v[:, None], (v.shape[0], a, *v.shape[1:])) for v in arrays]
    active, used = problem.active.cpu().numpy() > 0, np.isin(PATHS, problem.paths)
    mixture: dict[tuple[int, int, int], StackingWeights] = {}
    stacking = np.zeros(arrays[0].shape, dtype=np.float32)
    seeds = problem.train.shape[1]
    for i, data in enumerate(folds):
        for t, task in enumerate(packing.tasks):
            place = packing.outputs[t]
            rows = [(q, np.flatnonzero((data.inner == q) & targets.labelled[:, t])) for q in range(seeds)]
            target = np.concatenate([targets.values[i, r, t] for _, r in rows])
            may = used & ~(task.multiplicative & (np.array(PATHS) == "curved"))
            for j in np.flatnonzero(active[:, t]):
                paths = np.stack([np.concatenate([v[i, j, q, r][:, place] for q, r in rows]) for v in arrays])
                weights = mixture[i, int(j), t] = mix(task, paths, target, may, data.witness)
                parts = (share * v[i, j, :, :, place] for share, v in zip(weights.shares, arrays, strict=True))
                stacking[i, j, :, :, place] = weights.bias + sum(parts)
    return StackedPredictors(mixture, stacking)
