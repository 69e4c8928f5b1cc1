"""Fitting the supervised blocks of many small networks in one program.

A cohort needs folds x arms x seeds networks, each tiny. They share one data tensor per fold, their parameters are
stacked (:mod:`mtlbio.training.stack`) and one step moves them all. Per-replica weights, not per-replica data
sets, say who trains and who validates. Other label sets on the same data (:mod:`mtlbio.training.refits`) are further
folds of the labels.

The block is fitted by gradient descent from zero and stopped early, which for a linear map is ridge regression with
penalty ``1 / steps`` (Ali, Kolter & Tibshirani 2019, AISTATS); an adaptive optimiser would give that up.

Stopping is decided per fold, arm and task on the validation loss *pooled over the seeds*, whose validation donors
are the inner folds of the training donors; a single inner fold of twenty donors is too noisy to stop on.

Every column of a network's maps belongs to one task. One backward pass to the maps therefore holds the gradients of all
tasks apart, and a gradient per task costs no further pass over the samples: balancers and the diagnostics of conflict
(:mod:`mtlbio.training.conflict`) live on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch.func import vmap

from mtlbio.choices.multitask import PLAIN, MultitaskOptions
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.problem import Problem, Roles
from mtlbio.training.products import wide_product
from mtlbio.training.stack import Stack
from mtlbio.training.weighing import Gradients, Weighing

# A checkpoint of the first steps is still the zero that training started from: a latent without values.
_FIRST_CHECKPOINT = 5


@dataclass(frozen=True)
class Fitted:
    """Best checkpoint per task of every replica.

    A task's checkpoint are its columns of the maps at its best epoch, so the tasks' checkpoints lie side by side
    although they were taken at different epochs.

    Attributes
    ----------
    block : (f, a, s, r, m) maps: the columns; where experts are gated (e of them) their e x columns, then the gates'
    bias : (f, a, s, outputs)
    outputs : (f, a, s, n, outputs) of all samples
    best_epoch : (f, a, t)
    history : (epochs, 2, f, a, s, t) training (0) and validation (1) loss at each epoch
    offsets : (f, a, s, e, columns) of the gates; e = 0 where nothing is gated
    squash : how gates become weights, None where nothing is gated
    gradients : inner products of the tasks' gradients; None where no arm has several tasks or nothing is shared
    """

    block: torch.Tensor
    bias: torch.Tensor
    outputs: torch.Tensor
    best_epoch: torch.Tensor
    history: torch.Tensor
    offsets: torch.Tensor
    squash: str | None = None
    gradients: Gradients | None = None

    def cut(self, packing: Outputs, main: int, samples: int | None = None) -> Fitted:
        """Without the heads after the first ``main`` tasks and the rows after the first ``samples``."""
        columns, outputs = packing.columns[main - 1].stop, packing.outputs[main - 1].stop
        gradients = None if self.gradients is None else self.gradients.of_tasks(main)
        return Fitted(
            self.block.unflatten(-1, (-1, packing.n_columns))[..., :columns].flatten(-2),
            self.bias[..., :outputs],
            self.outputs[..., :samples, :outputs],
            self.best_epoch[..., :main],
            self.history[..., :main],
            self.offsets[..., :columns],
            self.squash,
            gradients,
        )

    def of_folds(self, rows: slice) -> Fitted:
        """Some of the folds."""
        gradients = None if self.gradients is None else self.gradients.of_folds(rows)
        kept = (self.block[rows], self.bias[rows], self.outputs[rows], self.best_epoch[rows])
        return Fitted(*kept, self.history[:, :, rows], self.offsets[rows], self.squash, gradients)


def fit(
    problem: Problem,
    inputs: torch.Tensor,
    seeds: list[int],
    width: int,
    epochs: int,
    patience: int,
    learning_rate: float,
    progress: Callable[[range], Iterable[int]] = lambda epochs: epochs,
    multitask: MultitaskOptions = PLAIN,
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
    multitask : how tasks share and how their gradients are balanced
    """
    (f, n, t), r = problem.targets.shape, inputs.shape[2]
    a, s, device, packing = len(problem.active), len(seeds), inputs.device, problem.packing
    sharing = make_sharing(multitask.sharing, packing, width, multitask.sharing_strength)
    roles = problem.roles or Roles(t, (1.0,) * t, (True,) * t)
    sharing.further = packing.n_columns - packing.columns[roles.main - 1].stop
    stack = Stack(sharing, r, [seed for _ in range(f * a) for seed in seeds], device)

    def products(maps: torch.Tensor) -> torch.Tensor:
        """(f, networks, n, m) of maps (f, networks, r, m)."""
        k, m = maps.shape[1], maps.shape[3]
        wide = wide_product(inputs, maps.permute(0, 2, 1, 3).reshape(f, r, k * m))
        return wide.reshape(f, n, k, m).permute(0, 2, 1, 3)

    def outputs_of(products: torch.Tensor, offsets: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Outputs (f, networks, n, o), as :class:`mtlbio.model.network.SharedEncoder` gives them for each by itself."""
        return stack.values(products, offsets) @ stack.expand + bias[:, :, None]

    losses = vmap(lambda outputs, targets: task_losses(outputs, targets, packing))

    train = problem.train[:, None].expand(f, a, s, n, t)
    validation = problem.validation[:, None].expand(f, a, s, n, t)
    paced = train * pace(inputs, problem.train)[:, None, :, None]
    labelled = (problem.train.sum(2) > 0)[:, None] & problem.active.bool()[None, :, None]
    weighing = Weighing(stack, multitask, seeds, problem.active, f, inputs, roles)
    # the further heads serve the tasks: they go on as long as any task does
    serving = torch.arange(t, device=device) >= roles.main
    # seeds without a labelled validation sample have no say
    voters = (problem.validation.sum(2) > 0).sum(1)[:, None].clamp_min(1)
    of_map, outputs = stack.task_of_map, torch.as_tensor(packing.task_of_output, device=device)
    columns = torch.as_tensor(packing.task_of_column, device=device)
    going = problem.active.bool()[None].repeat(f, 1, 1)
    best = torch.full((f, a, t), torch.inf, device=device)
    best_epoch = torch.zeros(f, a, t, dtype=torch.long, device=device)
    kept, history = None, []

    for epoch in progress(range(epochs + 1)):
        flat_maps, flat_offsets = stack.wide()
        maps = flat_maps.reshape(f, a * s, r, -1).requires_grad_()
        offsets = flat_offsets.reshape(f, a * s, *flat_offsets.shape[1:]).requires_grad_()
        bias = stack.bias.reshape(f, a * s, -1).requires_grad_()
        seen = products(maps)
        loss = losses(outputs_of(seen, offsets, bias), problem.targets).reshape(f, a, s, n, t)
        with torch.no_grad():
            trained, valid = (loss * train).sum(3), (loss * validation).sum(3)
            pooled = valid.sum(2) / voters
            history.append(torch.stack([trained, valid]))
            now = (maps.detach(), offsets.detach(), bias.detach())
            now = [value.reshape(f, a, s, *value.shape[2:]) for value in now]
            if epoch <= _FIRST_CHECKPOINT:
                better = going
            else:
                better = (pooled < best - 1e-5) & going
            best = torch.where(better, pooled, best)
            best_epoch = torch.where(better, epoch, best_epoch)
            if kept is None:
                kept = [value.clone() for value in now]
            chosen = (better[..., of_map], better[..., columns], better[..., outputs])
            shapes = (chosen[0][:, :, None, None], chosen[1][:, :, None, None], chosen[2][:, :, None])
            kept = [torch.where(mask, new, old) for mask, new, old in zip(shapes, now, kept, strict=True)]
            going = going & ((epoch - best_epoch < patience) | serving)
        if epoch == epochs or not (going & ~serving).any():
            break
        # an absent label has weight 0 and a stopped task is masked: neither adds anything to any gradient
        total = (loss * paced * going[:, :, None, None, :]).sum()
        present = labelled & going[:, :, None]
        asked = [maps, offsets, bias, *([seen] if weighing.reads_samples else [])]
        slopes = torch.autograd.grad(total, asked, allow_unused=True)
        weighing.step(epoch, trained, present, slopes, learning_rate)
    block, offsets, bias = kept
    flat = (f, a * s)
    final = outputs_of(
        products(block.reshape(*flat, *block.shape[3:])),
        offsets.reshape(*flat, *offsets.shape[3:]),
        bias.reshape(*flat, *bias.shape[3:]),
    )
    final = final.reshape(f, a, s, n, -1)
    found = torch.stack(history)
    fitted = Fitted(block, bias, final, best_epoch, found, offsets, sharing.squash, weighing.gradients())
    return fitted if problem.roles is None else fitted.cut(problem.packing, roles.main, roles.samples)
