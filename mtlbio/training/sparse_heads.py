"""Sparse heads on the gene-sparse axes: an L1 path per task, all folds, seeds and penalties at once.

The problem is convex and every task has its own weights, so no task can touch another, and multi-task and
single-task arms share the solution. Fitted by accelerated proximal gradient (FISTA, Beck & Teboulle 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mtlbio.training.losses import task_losses
from mtlbio.training.problem import Problem

# L1 penalties on standardised axes: from above the largest that leaves anything to practically none.
PENALTIES = [float(0.3 * 10 ** (-2 * i / 11)) for i in range(12)]


@dataclass(frozen=True)
class SparseHeads:
    """Heads at the penalty that each task's pooled inner validation loss prefers.

    Attributes
    ----------
    weights : (f, s, k, columns)
    bias : (f, s, outputs)
    penalty : (f, t) index into ``PENALTIES``
    """

    weights: torch.Tensor
    bias: torch.Tensor
    penalty: torch.Tensor


def fit_sparse_heads(problem: Problem, iterations: int = 150) -> SparseHeads:
    """Solve the L1 path on each seed's training donors and pick the penalty on their validation donors, pooled."""
    f, n, k = problem.axes.shape
    s = problem.train.shape[1]
    packing, device = problem.packing, problem.axes.device
    g = len(PENALTIES)
    expand = torch.as_tensor(packing.expand, device=device)
    penalty = torch.tensor(PENALTIES, device=device)[:, None, None]
    axes = problem.axes[:, None, None]  # (f, 1, 1, n, k)
    losses = torch.vmap(lambda outputs, targets: task_losses(outputs, targets, packing))
    # the curvature of a mean loss is at most the largest eigenvalue of the training samples' second moment
    presence = problem.train.amax(-1)
    presence = presence / presence.sum(-1, keepdim=True).clamp_min(1e-12)
    moment = torch.einsum("fnk,fsn,fnl->fskl", problem.axes, presence, problem.axes)
    # labels of a rare task sit on a subset of the samples, whose second moment may be larger
    step = 0.5 / torch.linalg.eigvalsh(moment)[..., -1].clamp_min(1.0)[:, :, None, None, None]

    weights = torch.zeros(f, s, g, k, packing.n_columns, device=device)
    bias = torch.zeros(f, s, g, 1, packing.n_outputs, device=device)
    ahead, ahead_bias, momentum = weights, bias, 1.0
    for _ in range(iterations):
        ahead, ahead_bias = ahead.detach().requires_grad_(), ahead_bias.detach().requires_grad_()
        outputs = axes @ (ahead @ expand) + ahead_bias
        loss = (losses(outputs, problem.targets) * problem.train[:, :, None]).sum()
        slope, slope_bias = torch.autograd.grad(loss, (ahead, ahead_bias))
        with torch.no_grad():
            moved = ahead - step * slope
            new = moved.sign() * (moved.abs() - step * penalty).clamp_min(0.0)
            new_bias = ahead_bias - slope_bias
            following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            push = (momentum - 1) / following
            ahead, ahead_bias = new + push * (new - weights), new_bias + push * (new_bias - bias)
            weights, bias, momentum = new, new_bias, following
    with torch.no_grad():
        outputs = axes @ (weights @ expand) + bias
        validation = (losses(outputs, problem.targets) * problem.validation[:, :, None]).sum((1, 3))  # (f, g, t)
        best = validation.argmin(dim=1)
        column_best = best[:, torch.as_tensor(packing.task_of_column, device=device)]
        output_best = best[:, torch.as_tensor(packing.task_of_output, device=device)]
        chosen = weights.gather(2, column_best[:, None, None, None].expand(f, s, 1, k, -1))[:, :, 0]
        chosen_bias = bias.squeeze(3).gather(2, output_best[:, None, None].expand(f, s, 1, -1))[:, :, 0]
    return SparseHeads(chosen, chosen_bias, best)
