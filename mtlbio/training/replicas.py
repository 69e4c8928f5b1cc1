"""Fitting the supervised blocks of many small networks in one program.

A cohort needs folds x arms x seeds networks, each tiny. They share one data tensor per fold, their parameters are
stacked (``torch.func.stack_module_state``) and one step moves them all. Per-replica weights, not per-replica data
sets, say who trains and who validates. Other label sets on the same data (:mod:`mtlbio.training.refits`) are further
folds of the labels.

The trunk is fitted by gradient descent from zero and stopped early, which for a linear map is ridge regression with
penalty ``1 / steps`` (Ali, Kolter & Tibshirani 2019, AISTATS); an adaptive optimiser would give that up.

Stopping is decided per fold, arm and task on the validation loss *pooled over the seeds*, whose validation donors
are the inner folds of the training donors; a single inner fold of twenty donors is too noisy to stop on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch.func import stack_module_state, vmap

from mtlbio.model.network import SharedEncoder
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.problem import Problem
from mtlbio.training.products import wide_product

# A checkpoint of the first steps is still the zero that training started from: a latent without values.
_FIRST_CHECKPOINT = 5


@dataclass(frozen=True)
class Fitted:
    """Best checkpoint per task of every replica.

    A task's checkpoint is the product of trunk and head at its best epoch, so the tasks' checkpoints lie side by side
    although they were taken at different epochs.

    Attributes
    ----------
    block : (f, a, s, r, columns)
    bias : (f, a, s, outputs)
    outputs : (f, a, s, n, outputs) of all samples
    best_epoch : (f, a, t)
    history : (epochs, 2, f, a, s, t) training (0) and validation (1) loss at each epoch
    """

    block: torch.Tensor
    bias: torch.Tensor
    outputs: torch.Tensor
    best_epoch: torch.Tensor
    history: torch.Tensor


def fit(
    problem: Problem,
    inputs: torch.Tensor,
    seeds: list[int],
    width: int,
    epochs: int,
    patience: int,
    learning_rate: float,
    progress: Callable[[range], Iterable[int]] = lambda epochs: epochs,
) -> Fitted:
    """Fit all replicas.

    Parameters
    ----------
    problem : labels, weights, tasks and arms; f folds
    inputs : (f, n, r) the problem's dense or curved scores; of fewer folds where several label sets share them, as
        in :func:`mtlbio.training.products.wide_product`
    seeds : initial values of each replica along s; a replica's numbers depend on its own seed only
    width : dimensions of the trunk
    epochs, patience : at most so many steps; a task stops after ``patience`` steps without a better validation loss
    learning_rate : step in units of the inverse curvature of the strongest direction
    progress : wraps the range of epochs
    """
    (f, n, t), r = problem.targets.shape, inputs.shape[2]
    a = len(problem.active)
    s, device, packing = len(seeds), inputs.device, problem.packing
    networks = [SharedEncoder(r, width, packing, seed) for _ in range(f * a) for seed in seeds]
    stacked, _ = stack_module_state(networks)
    parameters = {
        name: value.detach().reshape(f, a * s, *value.shape[1:]).to(device).requires_grad_()
        for name, value in stacked.items()
    }
    expand = torch.as_tensor(packing.expand, device=device)

    def products(trunks: torch.Tensor) -> torch.Tensor:
        """(f, networks, n, m) of trunks (f, networks, r, m)."""
        k, m = trunks.shape[1], trunks.shape[3]
        wide = wide_product(inputs, trunks.permute(0, 2, 1, 3).reshape(f, r, k * m))
        return wide.reshape(f, n, k, m).permute(0, 2, 1, 3)

    def forward(own: dict[str, torch.Tensor]) -> torch.Tensor:
        """Outputs (f, networks, n, o), as :class:`SharedEncoder` gives them for each network by itself."""
        return products(own["trunk"]) @ (own["heads"] @ expand) + own["bias"][:, :, None]

    losses = vmap(lambda outputs, targets: task_losses(outputs, targets, packing))

    train = problem.train[:, None].expand(f, a, s, n, t)
    validation = problem.validation[:, None].expand(f, a, s, n, t)
    paced = train * pace(inputs, problem.train)[:, None, :, None]
    # seeds without a labelled validation sample have no say
    voters = (problem.validation.sum(2) > 0).sum(1)[:, None].clamp_min(1)
    columns = torch.as_tensor(packing.task_of_column, device=device)
    outputs = torch.as_tensor(packing.task_of_output, device=device)
    going = problem.active.bool()[None].repeat(f, 1, 1)
    best = torch.full((f, a, t), torch.inf, device=device)
    best_epoch = torch.zeros(f, a, t, dtype=torch.long, device=device)
    kept, kept_bias, history = None, None, []

    for epoch in progress(range(epochs + 1)):
        loss = losses(forward(parameters), problem.targets).reshape(f, a, s, n, t)
        with torch.no_grad():
            valid = (loss * validation).sum(3)
            pooled = valid.sum(2) / voters
            history.append(torch.stack([(loss * train).sum(3), valid]))
            block = (parameters["trunk"] @ parameters["heads"]).detach().reshape(f, a, s, r, -1)
            bias = parameters["bias"].detach().reshape(f, a, s, -1)
            if epoch <= _FIRST_CHECKPOINT:
                better = going
            else:
                better = (pooled < best - 1e-5) & going
            best = torch.where(better, pooled, best)
            best_epoch = torch.where(better, epoch, best_epoch)
            if kept is None:
                kept, kept_bias = block.clone(), bias.clone()
            kept = torch.where(better[..., columns][:, :, None, None], block, kept)
            kept_bias = torch.where(better[..., outputs][:, :, None], bias, kept_bias)
            going = going & (epoch - best_epoch < patience)
        if epoch == epochs or not going.any():
            break
        # an absent label has weight 0 and a stopped task is masked: neither adds anything to any gradient
        total = (loss * paced * going[:, :, None, None, :]).sum()
        gradient = torch.autograd.grad(total, list(parameters.values()))
        with torch.no_grad():
            for value, slope in zip(parameters.values(), gradient, strict=True):
                value -= learning_rate * slope
    final = products(kept.reshape(f, a * s, r, -1)).reshape(f, a, s, n, -1) @ expand + kept_bias[:, :, :, None]
    return Fitted(kept, kept_bias, final, best_epoch, torch.stack(history))
