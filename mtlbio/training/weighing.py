"""One step of all networks: from the slopes of the maps to the parameters, tasks weighted by a balancer."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mtlbio.training.machinery import Machinery
from mtlbio.training.stack import Stack


@dataclass(frozen=True)
class Gradients:
    """Inner products of the tasks' gradients at every step; w arms with several tasks.

    Attributes
    ----------
    shared : (epochs, f, w, s, t, t) on the shared parameters; 0 for tasks that were absent
    maps : (epochs, f, w, s, m, m) of the gradients of the maps, whose columns belong to one task each
    task_of_map : (m,)
    arms : (w,)
    """

    shared: torch.Tensor
    maps: torch.Tensor
    task_of_map: torch.Tensor
    arms: torch.Tensor

    def of_folds(self, rows: slice) -> Gradients:
        """Some of the folds."""
        return Gradients(self.shared[:, rows], self.maps[:, rows], self.task_of_map, self.arms)


class Weighing:
    """Applies a balancer's weights, and keeps the Gramians of the tasks' gradients for the diagnostics of conflict.

    Networks with a single task have nothing to balance and are left alone.

    Parameters
    ----------
    stack : the networks
    machinery : names the balancer
    seeds : of the replicas
    active : (a, t) tasks of every arm
    folds : f
    inputs : (f, n, r), for gradients on the representation
    """

    def __init__(
        self,
        stack: Stack,
        machinery: Machinery,
        seeds: list[int],
        active: torch.Tensor,
        folds: int,
        inputs: torch.Tensor,
    ):
        self.stack, self.machinery, self.inputs = stack, machinery, inputs
        self.folds, (self.arms, self.tasks), self.seeds = folds, active.shape, len(seeds)
        several = (active > 0).sum(1) > 1
        network = torch.arange(folds * self.arms * self.seeds, device=inputs.device)
        self.rows = network[several.repeat_interleave(self.seeds).repeat(folds)]
        self.watched = several.nonzero().ravel()
        self.balancer, self._kept, self._inner = None, [], []
        if machinery.balancing != "equal" and len(self.rows):
            from mtlbio.training.balancing import make_balancer

            self._seeds = torch.as_tensor(seeds, device=inputs.device).repeat(folds * len(self.watched))
            names = tuple(task.name for task in stack.packing.tasks)
            options = machinery.balancing_options
            self.balancer = make_balancer(machinery.balancing, names, len(self.rows), inputs.device, **options)

    @property
    def reads_samples(self) -> bool:
        """Whether the slopes of the products are needed."""
        return self.balancer is not None and self.machinery.gradient == "representation"

    def step(
        self,
        epoch: int,
        losses: torch.Tensor,
        present: torch.Tensor,
        slopes: tuple[torch.Tensor | None, ...],
        learning_rate: float,
    ) -> None:
        """Move all networks once.

        Parameters
        ----------
        losses : (f, a, s, t) training losses
        present : (f, a, s, t) whether the task is trained there, has labels and has not stopped
        slopes : gradients of the summed losses on the maps (f, k, r, m), the offsets (f, k, e, c; None where nothing is
            gated), the biases (f, k, o) and, where :attr:`reads_samples`, on the products (f, k, n, m)
        """
        stack, rows = self.stack, self.rows
        maps, offsets, bias, *products = (None if v is None else v.flatten(0, 1) for v in slopes)
        offsets = maps.new_zeros(len(maps), 0, stack.packing.n_columns) if offsets is None else offsets
        present = present.reshape(-1, self.tasks)
        gradient, apart = stack.pull(maps, offsets), {}
        if len(rows) and stack.sharing.shared:
            apart = stack.pull_by_task(rows, maps[rows], offsets[rows])
            self._kept.append(stack.gramian(apart))
            self._inner.append(maps[rows].mT @ maps[rows])
        if self.balancer is not None:
            losses = losses.reshape(-1, self.tasks)[rows]
            if epoch:
                self.balancer.after(losses)
            weights = self._weights(epoch, losses, present[rows], products, offsets)
            if self.balancer.scope == "loss":
                every = torch.ones(len(maps), self.tasks, device=maps.device)
                every[rows] = weights
                own = every[:, stack.task_of_column][:, None]
                gradient = stack.pull(maps * every[:, None, stack.task_of_map], offsets * own)
                bias = bias * every[:, stack.task_of_output]
            else:
                for name in stack.sharing.shared:
                    gradient[name][rows] = torch.einsum("qt,tq...->q...", weights, apart[name])
        stack.move(gradient, bias, learning_rate)
        if stack.sharing.strength:
            stack.shrink(learning_rate, present)

    def _weights(self, epoch, losses, present, products, offsets) -> torch.Tensor:
        from mtlbio.training.balancing import Step

        def gramian() -> torch.Tensor:
            if not self.stack.sharing.shared:
                return losses.new_zeros(len(losses), self.tasks, self.tasks)
            if not products:
                return self._kept[-1]
            folds = self.rows // (self.arms * self.seeds)
            inputs = self.inputs[folds % len(self.inputs)]
            return self.stack.representation(self.rows, inputs, products[0][self.rows], offsets[self.rows])

        return self.balancer.weights(Step(epoch, losses, present, gramian, self._seeds))

    def gradients(self) -> Gradients | None:
        """Inner products at every step so far; None where no arm has several tasks or nothing is shared."""
        if not self._kept:
            return None
        shape = (len(self._kept), self.folds, len(self.watched), self.seeds)

        def laid_out(steps: list[torch.Tensor]) -> torch.Tensor:
            return torch.stack(steps).reshape(*shape, *steps[0].shape[1:])

        return Gradients(laid_out(self._kept), laid_out(self._inner), self.stack.task_of_map, self.watched)
