"""Sparse heads: an L1 path per task on axes or genes, all folds, seeds and penalties at once.

The problem is convex and every task has its own weights, so no task can touch another, and multi-task and
single-task arms share the solution. Fitted by accelerated proximal gradient (FISTA, Beck & Teboulle 2009).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from mtlbio.training.curvature import curvature_of, labelled_samples
from mtlbio.training.losses import task_losses
from mtlbio.training.problem import Problem
from mtlbio.training.products import wide_product

# L1 penalties on standardised features: from about the largest that leaves anything to practically none.
PENALTIES = [float(0.3 * 10 ** (-2 * i / 9)) for i in range(10)]


@dataclass(frozen=True)
class SparseHeads:
    """Heads at the penalty that each task's pooled inner validation loss prefers.

    Attributes
    ----------
    weights : (f, s, k, columns)
    bias : (f, s, outputs)
    outputs : (f, s, n, outputs) of all samples
    penalty : (f, t) index into ``PENALTIES``
    """

    weights: torch.Tensor
    bias: torch.Tensor
    outputs: torch.Tensor
    penalty: torch.Tensor


def fit_sparse_heads(problem: Problem, features: torch.Tensor, iterations: int = 120) -> SparseHeads:
    """Solve the L1 path on each seed's training donors and pick the penalty on their validation donors, pooled.

    ``features`` (f, n, k) are the problem's axes or genes, standardised; of fewer folds where several label sets share
    them, as in :func:`mtlbio.training.products.wide_product`. ``iterations`` are those of FISTA.
    """
    (f, n, _), k = problem.targets.shape, features.shape[2]
    packing, device = problem.packing, features.device
    s, g, c = problem.train.shape[1], len(PENALTIES), packing.n_columns
    expand = torch.as_tensor(packing.expand, device=device, dtype=features.dtype)
    penalty = torch.tensor(PENALTIES, device=device)[:, None]
    losses = torch.vmap(lambda outputs, targets, weights: task_losses(outputs, targets, weights, packing))
    train, validate = problem.train[:, :, None], problem.validation[:, :, None]  # the same for every penalty
    step, step_bias = _steps(problem, features)

    def apply(weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        packed = wide_product(features, weights.reshape(f, k, s * g * c)).reshape(f, n, s, g, c)
        return packed.permute(0, 2, 3, 1, 4) @ expand + bias

    weights = features.new_zeros(f, k, s, g, c)
    bias = features.new_zeros(f, s, g, 1, packing.n_outputs)

    def slopes(ahead: torch.Tensor, ahead_bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ahead, ahead_bias = ahead.detach().requires_grad_(), ahead_bias.detach().requires_grad_()
        loss = (losses(apply(ahead, ahead_bias), problem.targets, train) * train).sum()
        slope, slope_bias = torch.autograd.grad(loss, (ahead, ahead_bias))
        return slope, slope_bias

    weights, bias = descend(slopes, (weights, bias), (step, step_bias), penalty, iterations)
    with torch.no_grad():
        outputs = apply(weights, bias)  # (f, s, g, n, o)
        validation = (losses(outputs, problem.targets, validate) * validate).sum((1, 3))  # (f, g, t)
        best = validation.argmin(dim=1)
        of_column = best[:, torch.as_tensor(packing.task_of_column, device=device)]
        of_output = best[:, torch.as_tensor(packing.task_of_output, device=device)]
        chosen = weights.gather(3, of_column[:, None, None, None].expand(f, k, s, 1, c))[:, :, :, 0]
        chosen_bias = bias.squeeze(3).gather(2, of_output[:, None, None].expand(f, s, 1, -1))[:, :, 0]
        chosen_outputs = outputs.gather(2, of_output[:, None, None, None].expand(f, s, 1, n, -1))[:, :, 0]
    return SparseHeads(chosen.transpose(1, 2), chosen_bias, chosen_outputs, best)


def descend(
    slopes: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    start: tuple[torch.Tensor, torch.Tensor],
    steps: tuple[torch.Tensor, torch.Tensor],
    penalty: torch.Tensor,
    iterations: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and biases after so many steps of FISTA; ``slopes`` are those of the loss at a point, ``steps`` those of
    either, ``penalty`` is that on the weights."""
    (weights, bias), (step, step_bias) = start, steps
    ahead, ahead_bias, momentum = weights, bias, 1.0
    for _ in range(iterations):
        slope, slope_bias = slopes(ahead, ahead_bias)
        with torch.no_grad():
            moved = ahead - step * slope
            new = moved.sign() * (moved.abs() - step * penalty).clamp_min(0.0)
            new_bias = ahead_bias - step_bias * slope_bias
            following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            push = (momentum - 1) / following
            ahead, ahead_bias = new + push * (new - weights), new_bias + push * (new_bias - bias)
            weights, bias, momentum = new, new_bias, following
    return weights, bias


def _steps(problem: Problem, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(f, 1, s, 1, 1) step of the weights and (f, s, 1, 1, 1) step of the biases: safe for every task.

    The curvature of a mean loss is at most the largest eigenvalue of the labelled samples' second moment; a task with
    few labels sits on a subset of the samples, whose eigenvalue is larger, so every task has its own. Where those
    samples lie apart (a severity score known for cases only), weights and bias pull the same way, and steps that are
    safe for each alone overshoot together: both are shortened. Only steep losses need it (a squared error): the
    curvature of the others is at most one half.
    """
    curvature, joint = features.new_ones(problem.train.shape[:2]), features.new_ones(problem.train.shape[:2])
    for (fold, seed, _), _, weighted in labelled_samples(features, problem.train):
        curvature[fold, seed] = torch.maximum(curvature[fold, seed], curvature_of(weighted))
    for (fold, seed, task), root, weighted in labelled_samples(features, problem.train):
        if problem.packing.tasks[task].steep:
            both = torch.cat([weighted * (0.9 / curvature[fold, seed]).sqrt(), root], dim=1)
            joint[fold, seed] = torch.maximum(joint[fold, seed], curvature_of(both))
    return (0.9 / (curvature * joint))[:, None, :, None, None], (1 / joint)[:, :, None, None, None]
