"""How much of each path: stacking on inner validation donors (Wolpert 1992, Breiman 1996)."""

import numpy as np
import torch

from mtlbio.labels import Label
from mtlbio.training.problem import DEEP, PATHS, FoldData, Problem, Targets
from mtlbio.training.stacked_predictors import StackedPredictors, StackingWeights, minimiser

# Strength of the pull towards equal shares, in donors: with few labels the average decides.
_PRIOR_DONORS = 4.0
# What a deep trunk has to win on validation donors before a task takes anything from it, in standard errors of it.
_BEYOND = 2.0
# Of fewer validation donors two standard errors say little: of 34 they took from it what cost .0015 of AUROC.
_LEAST_DONORS = 100


def mix(
    task: Label,
    paths: np.ndarray,
    target: np.ndarray,
    used: np.ndarray | None = None,
    weight: float = 1.0,
    pulled_to: np.ndarray | None = None,
) -> StackingWeights:
    """Non-negative shares of the paths that minimise the task's loss on validation samples; equal ones without labels.

    Parameters
    ----------
    paths : (paths, n, outputs of the task) outputs for samples that the replica did not train on
    target : (n,) codes or standardised values
    used : (paths,) bool, which of them may have a share; all where left out
    weight : of every sample against the pull; below 1 where samples are no independent witnesses
    pulled_to : (paths,) shares that the pull is towards; equal ones of those that are used where left out
    """
    n_paths, n, n_outputs = paths.shape
    used = np.ones(n_paths, bool) if used is None else used
    equal = used / used.sum() if pulled_to is None else pulled_to
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


def with_deep(
    task: Label,
    paths: np.ndarray,
    target: np.ndarray,
    used: np.ndarray,
    linear: StackingWeights,
    weight: float = 1.0,
    donors: np.ndarray | None = None,
) -> StackingWeights:
    """The mixture with the deep trunk, the last of the ``paths``, where it is surely better than ``linear``, the one of
    the others; else that, with a share of 0.

    Surely: what the loss of validation samples falls by is more than two standard errors of it, with the donor as the
    unit, and there are a hundred of them. The pull is towards equal shares of the others. Arguments as of :func:`mix`;
    ``donors`` (n,) of the samples.
    """
    without = StackingWeights(np.append(linear.shares, 0.0), linear.bias)
    if task.multiplicative or not len(target) or not np.isfinite(paths).all():
        return without
    beside = mix(task, paths, target, np.append(used, True), weight, np.append(used / used.sum(), 0.0))
    y, everybody = torch.as_tensor(target, dtype=torch.float64), torch.ones(len(target), dtype=torch.float64)

    def losses(weights: StackingWeights) -> np.ndarray:
        mixed = np.einsum("p,pno->no", weights.shares, paths.astype(float)) + weights.bias
        return task.loss(torch.as_tensor(mixed), y, everybody).numpy()

    won = losses(without) - losses(beside)
    if donors is not None:
        won = np.bincount(np.unique(donors, return_inverse=True)[1], won)
    error = np.sqrt(len(won) / weight) * won.std()
    return beside if len(won) >= _LEAST_DONORS and won.sum() > _BEYOND * error else without


def stack_predictors(
    problem: Problem,
    outputs: dict[str, torch.Tensor],
    folds: list[FoldData],
    targets: Targets,
    donors: np.ndarray | None = None,
) -> StackedPredictors:
    """Mix the predictors of every fold, arm and task on the validation samples of its seeds.

    ``outputs`` are by predictor, (f, s, n, o) where all arms share it, else (f, a, s, n, o). A multiplicative task
    takes nothing from the cosines of the axes, nor from a deep trunk: on the logarithm it is then a sum of one term per
    feature. ``donors`` (n,) of the samples say what is independent where a deep trunk is weighed; every sample where
    left out.
    """
    packing, a = problem.packing, len(problem.active)
    names = [*PATHS, *[DEEP] * (DEEP in outputs)]
    arrays = [outputs[name].cpu().numpy() for name in names]
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
                weights = mix(task, paths[: len(PATHS)], target, may, data.witness)
                if DEEP in outputs:
                    of_sample = None if donors is None else donors[np.concatenate([r for _, r in rows])]
                    weights = with_deep(task, paths, target, may, weights, data.witness, of_sample)
                mixture[i, int(j), t] = weights
                # a deep trunk of which nothing is taken may have diverged
                taken = [(s, v) for s, v, name in zip(weights.shares, arrays, names, strict=True) if s or name != DEEP]
                stacking[i, j, :, :, place] = weights.bias + sum(share * v[i, j, :, :, place] for share, v in taken)
    return StackedPredictors(mixture, stacking)
