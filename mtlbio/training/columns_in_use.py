"""The networks of one fold, where only the columns that are trained are computed.

Every network has a column for every task, and a single-task arm trains one of them: of twenty tasks and as many
single-task arms a tenth of all columns is in use. Here the columns in use of all networks lie side by side in one
product, task by task; so do their losses, which are summed at once. Samples that neither train nor validate are left
out, and so is a task that has stopped. The steps are those of :class:`mtlbio.training.networks.Networks`.
"""

from dataclasses import dataclass

import torch

from mtlbio.training.checkpoints import Checkpoints
from mtlbio.training.curvature import pace_of_fold
from mtlbio.training.networks import Networks


def can_be_split(networks: Networks) -> bool:
    """Whether the losses of one task need nothing of the others' columns but the shared parameters."""
    problem = networks.problem
    plain = problem.preferences is None and problem.roles is None and not networks.weighing.reads_samples
    return plain and not networks.stack.gated and len(problem.targets) == 1


@dataclass(frozen=True)
class _Task:
    """A task of the arms that train it; k networks, n samples.

    Attributes
    ----------
    arms, networks : (a,) and (k,) places of the arms, and of their seeds' networks
    maps : (k, c) places of its columns among those of all networks
    columns, outputs : of the packing
    target, train, validation, paced : (n,), and (k, n) three times
    """

    place: int
    arms: torch.Tensor
    networks: torch.Tensor
    maps: torch.Tensor
    columns: slice
    outputs: slice
    target: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    paced: torch.Tensor


class ColumnsInUse:
    """Steps of ``networks``, which :func:`can_be_split`; f = 1 fold, a arms, s seeds, t tasks."""

    def __init__(self, networks: Networks):
        self.networks, problem = networks, networks.problem
        (_, a, s), t, m = networks.shape, len(problem.packing.tasks), networks.stack.task_of_map
        self.n_maps, device = len(m), networks.inputs.device
        rows = ((problem.train[0] + problem.validation[0]).sum((0, 2)) > 0).nonzero().ravel()
        self.inputs = networks.inputs[0][rows]
        pace = pace_of_fold(self.inputs, problem.train[0][:, rows])  # (s, t)
        self.tasks = []
        for place in range(t):
            arms = problem.active[:, place].nonzero().ravel()
            of_arms = (arms[:, None] * s + torch.arange(s, device=device)).ravel()
            own = (m == place).nonzero().ravel()
            train, validation = (w[0, :, rows, place].repeat(len(arms), 1) for w in (problem.train, problem.validation))
            self.tasks.append(
                _Task(
                    place,
                    arms,
                    of_arms,
                    of_arms[:, None] * self.n_maps + own,
                    problem.packing.columns[place],
                    problem.packing.outputs[place],
                    problem.targets[0, rows, place],
                    train,
                    validation,
                    train * pace[:, place].repeat(len(arms))[:, None],
                )
            )
        self.sums = self.inputs.new_zeros(2, 1, a, s, t)

    def losses(self, going: torch.Tensor) -> None:
        """Take the losses of the present parameters and their slopes; ``going`` (1, a, t) are the tasks that are still
        trained. Weighted sums of training and validation samples are then in ``sums`` (2, f, a, s, t), those of a task
        that has stopped as they were."""
        stack, s = self.networks.stack, self.networks.shape[2]
        maps, offsets = stack.wide()
        bias = stack.bias
        self.at = [value.reshape(*self.networks.shape, *value.shape[1:]) for value in (maps, offsets, bias)]
        r = maps.shape[1]
        flat = maps.permute(1, 0, 2).reshape(r, -1)
        active = [(task, going[0, task.arms, task.place].repeat_interleave(s)) for task in self.tasks]
        active = [(task, keep.nonzero().ravel()) for task, keep in active if keep.any()]
        if not active:
            return
        places = torch.cat([task.maps[keep].ravel() for task, keep in active])
        products = self.inputs @ flat[:, places]
        slopes = torch.empty_like(products)
        self._slope_of_bias, start = torch.zeros_like(bias), 0
        for task, keep in active:
            width = len(keep) * (task.columns.stop - task.columns.start)
            of_task = slice(start, start + width)
            slopes[:, of_task] = self._of_task(task, keep, products[:, of_task], bias)
            start += width
        slope = torch.zeros_like(flat)
        slope[:, places] = self.inputs.T @ slopes
        self._slope_of_maps = slope.reshape(r, *maps.shape[::2]).permute(1, 0, 2)

    def _of_task(self, task: _Task, keep: torch.Tensor, products: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Slopes of the products (n, k x c) of the networks ``keep`` of a task."""
        label, expand = self.networks.problem.packing.tasks[task.place], self.networks.stack.expand
        values = products.reshape(len(products), len(keep), -1).permute(1, 0, 2).detach().requires_grad_()
        own_bias = bias[task.networks[keep], task.outputs].detach().requires_grad_()
        outputs = values @ expand[task.columns, task.outputs] + own_bias[:, None]
        train, validation = task.train[keep], task.validation[keep]
        loss = label.loss(outputs, task.target, train)
        slope, slope_of_bias = torch.autograd.grad((loss * task.paced[keep]).sum(), (values, own_bias))
        with torch.no_grad():
            held_out = label.loss(outputs, task.target, validation) if label.reads_weights else loss
            sums = self.sums.flatten(1, 3)
            sums[0, task.networks[keep], task.place] = (loss * train).sum(1)
            sums[1, task.networks[keep], task.place] = (held_out * validation).sum(1)
            self._slope_of_bias[task.networks[keep], task.outputs] = slope_of_bias
        return slope.permute(1, 0, 2).flatten(1)

    def look(self, epoch: int, checkpoints: Checkpoints) -> torch.Tensor:
        """What :meth:`Checkpoints.look` does, from the sums."""
        self.losses(checkpoints.going)
        trained, valid = self.sums.clone()
        return checkpoints.judge(epoch, trained, valid, self.at)

    def step(self, epoch: int, trained: torch.Tensor, going: torch.Tensor) -> None:
        """Move all networks once down the slopes of :meth:`losses`, without those of tasks that have stopped."""
        networks, stack, s = self.networks, self.networks.stack, self.networks.shape[2]
        keep = going[0].repeat_interleave(s, dim=0).to(self._slope_of_maps)
        maps = self._slope_of_maps * keep[:, None, stack.task_of_map]
        bias = self._slope_of_bias * keep[:, stack.task_of_output]
        offsets = torch.zeros_like(self.at[1]).flatten(0, 2)
        networks.weighing.step(
            epoch, trained, networks.labelled & going[:, :, None], [maps, offsets, bias], networks.rate
        )

    def outputs(self, maps: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """(1, a, s, n, o) outputs of all samples of parameters as :meth:`Networks.point` gives them; 0 of tasks that an
        arm does not train."""
        networks, expand = self.networks, self.networks.stack.expand
        maps, bias = maps.flatten(0, 2), bias.flatten(0, 2)
        flat = maps.permute(1, 0, 2).reshape(maps.shape[1], -1)
        inputs = networks.inputs[0]
        outputs = inputs.new_zeros(len(maps), len(inputs), expand.shape[1])
        for task in self.tasks:
            products = (inputs @ flat[:, task.maps.ravel()]).reshape(len(inputs), len(task.networks), -1)
            of_task = products.permute(1, 0, 2) @ expand[task.columns, task.outputs]
            outputs[task.networks, :, task.outputs] = of_task + bias[task.networks, None, task.outputs]
        return outputs.reshape(*networks.shape, *outputs.shape[1:])
