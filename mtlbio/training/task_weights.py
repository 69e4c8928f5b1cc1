"""One step of all networks: from the slopes of the maps to the parameters, tasks weighted by a balancer."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.training.balancing.base import Balancer
from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.problem import Problem
from mtlbio.training.stack import Stack


@dataclass(frozen=True)
class Gradients:
    """Inner products of the tasks' gradients at every step; w arms with several tasks.

    Attributes
    ----------
    shared : (epochs, f, w, s, t, t) on the shared parameters; 0 for tasks that were absent
    maps : (epochs, f, w, s, m, m) of the gradients of the maps, whose columns belong to one task each
    task_of_map : (m,)
    """

    shared: torch.Tensor
    maps: torch.Tensor
    task_of_map: torch.Tensor

    def of_tasks(self, main: int) -> "Gradients":
        """The first tasks."""
        first = self.task_of_map < main
        maps = self.maps[..., first, :][..., first]
        return Gradients(self.shared[..., :main, :main], maps, self.task_of_map[first])

    def of_folds(self, rows: slice) -> "Gradients":
        """Some of the folds."""
        return Gradients(self.shared[:, rows], self.maps[:, rows], self.task_of_map)


class TaskWeights:
    """Applies a balancer's weights, and keeps the Gramians of the tasks' gradients for the diagnostics of conflict.

    Networks with a single task have nothing to balance and are left alone. ``inputs`` (f, n, r) serve gradients on the
    representation.
    """

    def __init__(
        self, stack: Stack, options: MultitaskOptions, seeds: list[int], problem: Problem, inputs: torch.Tensor
    ):
        self.stack, self.multitask, self.inputs, self.roles = stack, options, inputs, problem.task_roles
        (self.arms, self.tasks), self.seeds, folds = problem.active.shape, len(seeds), len(problem.train)
        several = (problem.active > 0).sum(1) > 1
        network = torch.arange(folds * self.arms * self.seeds, device=inputs.device)
        self.rows = network[several.repeat_interleave(self.seeds).repeat(folds)]
        self.watched = several.nonzero().ravel()
        self.balancer: Balancer | None = None
        self._gramians: list[torch.Tensor] = []
        self._of_maps: list[torch.Tensor] = []
        preferences = problem.preferences
        # weights that are known beforehand need no gradients apart, which a reversed one is measured by
        self._apart = preferences is None or any(factor != 1 for factor in self.roles.gradient_factors)
        if (options.balancing != "equal" or preferences is not None) and len(self.rows):
            self._seeds = torch.as_tensor(seeds, device=inputs.device).repeat(folds * len(self.watched))
            self._weighed = torch.tensor(np.flatnonzero(self.roles.balanced), device=inputs.device)
            names = tuple(stack.packing.tasks[t].name for t in self._weighed.tolist())
            if preferences is not None:
                arms = self.watched.cpu().numpy()
                self.balancer = preferences.balancer(arms, folds, self.seeds, names, inputs.device)
            else:
                of_method = options.balancing_options
                self.balancer = make_balancer(options.balancing, names, len(self.rows), inputs.device, **of_method)

    @property
    def reads_samples(self) -> bool:
        """Whether the slopes of the products are needed."""
        return self.balancer is not None and self.multitask.gradient == "representation"

    def step(
        self, epoch: int, losses: torch.Tensor, present: torch.Tensor, slopes: list[torch.Tensor], rate: float
    ) -> None:
        """Move all networks once.

        Parameters
        ----------
        losses : (f, a, s, t) training losses
        present : (f, a, s, t) whether the task is trained there, has labels and has not stopped
        slopes : gradients of the summed losses on maps (networks, r, m), offsets (networks, e, c), biases (networks, o)
            and, where a balancer reads them (:attr:`reads_samples`), on products (networks, n, m)
        """
        stack, rows = self.stack, self.rows
        maps, offsets, bias, *products = slopes
        present = present.reshape(-1, self.tasks)
        gradient, apart = stack.pull(maps, offsets), {}
        if len(rows) and stack.sharing.shared and self._apart:
            apart = stack.pull_by_task(rows, maps[rows], offsets[rows])
            self._gramians.append(stack.gramian(apart))
            self._of_maps.append(maps[rows].mT @ maps[rows])
        whole, on_shared = self._weights(epoch, losses, present, lambda: self._gramian(offsets, *products))
        if whole is not None:
            of_columns = whole[:, stack.task_of_column][:, None]
            gradient = stack.pull(maps * whole[:, None, stack.task_of_map], offsets * of_columns)
            bias = bias * whole[:, stack.task_of_output]
        if on_shared is not None and not self._apart:
            every = torch.ones(len(present), self.tasks, device=maps.device)
            every[rows] = on_shared
            weighed = stack.pull(
                maps * every[:, None, stack.task_of_map], offsets * every[:, None, stack.task_of_column]
            )
            gradient |= {name: weighed[name] for name in stack.sharing.shared}
        elif on_shared is not None:
            for name in stack.sharing.shared:
                gradient[name][rows] = torch.einsum("qt,tq...->q...", on_shared, apart[name])
        stack.move(gradient, bias, rate)
        stack.shrink(rate, present)

    def _weights(
        self, epoch: int, losses: torch.Tensor, present: torch.Tensor, gramian: Callable[[], torch.Tensor]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Factors of whole losses (networks, t), and of the gradients on shared parameters (rows, t); None: all 1."""
        whole = on_shared = None
        if self.balancer is not None:
            losses = losses.reshape(-1, self.tasks)[self.rows][:, self._weighed]
            if epoch:
                self.balancer.after(losses)
            step = Step(epoch, losses, present[self.rows][:, self._weighed], gramian, self._seeds)
            weights = torch.ones(len(self.rows), self.tasks, device=losses.device)
            weights[:, self._weighed] = self.balancer.weights(step)
            if self.balancer.scope == "loss":
                whole = torch.ones(len(present), self.tasks, device=losses.device)
                whole[self.rows] = weights
            else:
                on_shared = weights
        if any(factor != 1 for factor in self.roles.gradient_factors):
            # the curve of Ganin et al. 2016, eq. 14: from 0 to 1, gently at first
            grown = 2 / (1 + math.exp(-10 * min(epoch / self.roles.ramp, 1.0))) - 1
            factors = [f if f == 1 else f * grown for f in self.roles.gradient_factors]
            reversing = torch.tensor(factors, device=self.inputs.device).expand(len(self.rows), -1)
            base = whole[self.rows] if whole is not None else on_shared
            on_shared = self._short(reversing if base is None else base * reversing)
        return whole, on_shared

    def _short(self, factors: torch.Tensor) -> torch.Tensor:
        """Factors (rows, t) with the reversed ones cut, so that the reversed gradient is never longer than that of the
        tasks: a head that is wrong by far has a long gradient, and the trunk would run away from it for good, leaving
        the covariate written larger than before, only differently."""
        gramian, against = self._gramians[-1], factors < 0
        lengths = []
        for side in (factors.clamp_min(0), factors.clamp_max(0)):
            lengths.append(torch.einsum("qt,qtu,qu->q", side, gramian, side).clamp_min(0).sqrt())
        room = (lengths[0] / lengths[1].clamp_min(1e-30)).clamp_max(1.0)
        return torch.where(against, factors * room[:, None], factors)

    def _gramian(self, offsets: torch.Tensor, products: torch.Tensor | None = None) -> torch.Tensor:
        """(rows, T, T) of the tasks that the balancer weighs."""
        if not self.stack.sharing.shared:
            return torch.zeros(len(self.rows), len(self._weighed), len(self._weighed), device=self.inputs.device)
        whole = self._gramians[-1]
        if products is not None:
            folds = self.rows // (self.arms * self.seeds)
            inputs = self.inputs[folds % len(self.inputs)]
            whole = self.stack.representation(self.rows, inputs, products[self.rows], offsets[self.rows])
        return whole[:, self._weighed][:, :, self._weighed]

    def gradients(self) -> Gradients | None:
        """Inner products at every step so far; None where no arm has several tasks or nothing is shared."""
        if not self._gramians:
            return None
        networks = (-1, len(self.watched), self.seeds)
        shared, of_maps = (torch.stack(steps).unflatten(1, networks) for steps in (self._gramians, self._of_maps))
        return Gradients(shared, of_maps, self.stack.task_of_map)
