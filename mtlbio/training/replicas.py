"""Fitting the supervised blocks of many small networks in one program.

A cohort needs folds x arms x seeds networks, each tiny. They share one data tensor per fold, their parameters are
stacked (:mod:`mtlbio.training.stack`) and one step moves them all. Per-replica weights, not per-replica data
sets, say who trains and who validates. Other label sets on the same data (:mod:`mtlbio.training.refits`) are further
folds of the labels.

The block is fitted by gradient descent from zero and stopped early, which for a linear map is ridge regression with
penalty ``1 / steps`` (Ali, Kolter & Tibshirani 2019, AISTATS); an adaptive optimiser would give that up.

When to stop is decided per fold, arm and task (:mod:`mtlbio.training.checkpoints`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from mtlbio.model.outputs import Outputs
from mtlbio.training.checkpoints import Checkpoints
from mtlbio.training.columns_in_use import ColumnsInUse, can_be_split
from mtlbio.training.networks import BlockOptions, Networks
from mtlbio.training.problem import Problem
from mtlbio.training.task_weights import Gradients


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

    def cut(self, packing: Outputs, main: int, samples: int | None = None) -> "Fitted":
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

    def of_folds(self, rows: slice) -> "Fitted":
        """Some of the folds."""
        gradients = None if self.gradients is None else self.gradients.of_folds(rows)
        whole = (self.block[rows], self.bias[rows], self.outputs[rows], self.best_epoch[rows])
        return Fitted(*whole, self.history[:, :, rows], self.offsets[rows], self.squash, gradients)


def fit(
    problem: Problem,
    inputs: torch.Tensor,
    seeds: list[int],
    options: BlockOptions,
    progress: Callable[[range], Iterable[int]] = lambda epochs: epochs,
    by_task: bool = False,
) -> Fitted:
    """Fit all replicas.

    Parameters
    ----------
    inputs : (f, n, r) the problem's dense or curved scores; of fewer folds where several label sets share them, as
        in :func:`mtlbio.training.products.wide_product`
    seeds : initial values of each replica along s; a replica's numbers depend on its own seed only
    progress : wraps the range of epochs
    by_task : compute only the columns in use, task by task, of one fold (:mod:`mtlbio.training.columns_in_use`)
    """
    networks = Networks(problem, inputs, seeds, options)
    checkpoints = Checkpoints(problem, networks.stack, options.patience)
    if by_task and can_be_split(networks):
        columns = ColumnsInUse(networks)
        for epoch in progress(range(options.epochs + 1)):
            trained = columns.look(epoch, checkpoints)
            if epoch == options.epochs or checkpoints.finished:
                break
            columns.step(epoch, trained, checkpoints.going)
        return _fitted(networks, checkpoints, columns.outputs(checkpoints.checkpoint[0], checkpoints.checkpoint[2]))
    for epoch in progress(range(options.epochs + 1)):
        loss = networks.losses()
        trained = checkpoints.look(epoch, loss, networks.held_out_losses(loss), networks.point())
        if epoch == options.epochs or checkpoints.finished:
            break
        networks.step(epoch, loss, trained, checkpoints.going)
    return _fitted(networks, checkpoints, networks.outputs(*checkpoints.checkpoint))


def _fitted(networks: Networks, checkpoints: Checkpoints, outputs: torch.Tensor) -> Fitted:
    (block, offsets, bias), problem = checkpoints.checkpoint, networks.problem
    return Fitted(
        block,
        bias,
        outputs,
        checkpoints.best_epoch,
        torch.stack(checkpoints.history),
        offsets,
        networks.stack.sharing.squash,
        networks.weighing.gradients(),
    ).cut(problem.packing, problem.task_roles.main, problem.task_roles.samples)
