"""One step of many networks: losses, the slopes of their maps, and the move that a balancer makes of those.

Every column of a network's maps belongs to one task. One backward pass to the maps therefore holds the gradients of all
tasks apart, and a gradient per task costs no further pass over the samples: balancers and the diagnostics of conflict
(:mod:`mtlbio.training.conflict`) live on that.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch.func import vmap

from mtlbio.choices.multitask import PLAIN, MultitaskOptions
from mtlbio.config import Training
from mtlbio.model.sharing.make import make_sharing
from mtlbio.training.curvature import pace
from mtlbio.training.losses import task_losses
from mtlbio.training.preferences import Tails
from mtlbio.training.problem import Problem
from mtlbio.training.products import wide_product
from mtlbio.training.stack import Stack
from mtlbio.training.task_weights import TaskWeights


@dataclass(frozen=True)
class BlockOptions:
    """How the blocks are fitted.

    Attributes
    ----------
    width : dimensions of the trunk
    epochs, patience : at most so many steps; a task stops after ``patience`` steps without a better validation loss
    learning_rate : step in units of the inverse curvature of the strongest direction
    multitask : how tasks share and how their gradients are balanced
    """

    width: int
    epochs: int
    patience: int
    learning_rate: float
    multitask: MultitaskOptions = PLAIN

    @classmethod
    def of(cls, options: Training) -> "BlockOptions":
        """From the section ``training`` of a run."""
        shape = (options.block, options.epochs, options.patience, options.learning_rate)
        return cls(*shape, MultitaskOptions.of(options))


class Networks:
    """All networks of a problem on their way down; f folds, a arms, s seeds, a x s networks per fold.

    ``stack`` holds their parameters, ``weighing`` weighs the tasks in every step and keeps the inner products of their
    gradients.
    """

    def __init__(self, problem: Problem, inputs: torch.Tensor, seeds: list[int], options: BlockOptions):
        f, a, s = len(problem.targets), len(problem.active), len(seeds)
        self.problem, self.inputs, self.rate, self.shape = problem, inputs, options.learning_rate, (f, a, s)
        multitask, packing = options.multitask, problem.packing
        sharing = make_sharing(multitask.sharing, packing, options.width, multitask.sharing_strength)
        sharing.further = packing.n_columns - packing.columns[problem.task_roles.main - 1].stop
        replicas = [seed for _ in range(f * a) for seed in seeds]
        self.stack = Stack(sharing, inputs.shape[2], replicas, inputs.device, inputs.dtype)
        self.weighing = TaskWeights(self.stack, multitask, seeds, problem, inputs)
        self.tails = None if problem.preferences is None else Tails(problem.preferences, problem.train)
        self.labelled = (problem.train.sum(2) > 0)[:, None] & problem.active.bool()[None, :, None]
        self._task_losses = vmap(lambda outputs, targets, weights: task_losses(outputs, targets, weights, packing))

    @cached_property
    def paced(self) -> torch.Tensor:
        """(f, a, s, n, t) weights of the training samples, with the pace of every task."""
        f, a, s = self.shape
        train = self.problem.train
        return train[:, None].expand(f, a, *train.shape[1:]) * pace(self.inputs, train)[:, None, :, None]

    def losses(self) -> torch.Tensor:
        """(f, a, s, n, t) losses of the present parameters, through which :meth:`step` goes back."""
        f, a, s = self.shape
        flat = (*self.stack.wide(), self.stack.bias)
        self._at = [value.reshape(f, a * s, *value.shape[1:]).requires_grad_() for value in flat]
        maps, offsets, bias = self._at
        self._products = self._of_inputs(maps)
        self._of_networks = self._outputs(self._products, offsets, bias)
        return self._losses_of(self._of_networks, self.problem.train)

    @torch.no_grad()
    def held_out_losses(self, loss: torch.Tensor) -> torch.Tensor:
        """The same where the validation samples take part: another loss only if it depends on who does (risk sets)."""
        reads = self.problem.packing.reads_weights
        return self._losses_of(self._of_networks.detach(), self.problem.validation) if reads else loss.detach()

    def _losses_of(self, outputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """(f, a, s, n, t) losses of outputs (f, a x s, n, o) with weights (f, s, n, t) of the samples."""
        f, a, s = self.shape
        every = weights[:, None].expand(f, a, *weights.shape[1:]).flatten(1, 2)
        loss = self._task_losses(outputs, self.problem.targets, every)
        return loss.reshape(f, a, s, *loss.shape[2:])

    def point(self) -> list[torch.Tensor]:
        """Maps (f, a, s, r, m), offsets (f, a, s, e, c) and biases (f, a, s, o) at which the last losses were taken."""
        return [value.detach().reshape(*self.shape, *value.shape[2:]) for value in self._at]

    def step(self, epoch: int, loss: torch.Tensor, trained: torch.Tensor, going: torch.Tensor) -> None:
        """Move all networks once down their losses of :meth:`losses`; ``trained`` (f, a, s, t) are those of training,
        ``going`` (f, a, t) the tasks that have not stopped."""
        # an absent label has weight 0 and a stopped task is masked: neither adds anything to any gradient
        each = loss * self.paced * going[:, :, None, None, :]
        factors = None if self.tails is None else self.tails.factors(loss.detach())
        total = (each if factors is None else each * factors).sum()
        at = [*self._at, *([self._products] if self.weighing.reads_samples else [])]
        slopes = [slope.flatten(0, 1) for slope in torch.autograd.grad(total, at, materialize_grads=True)]
        self.weighing.step(epoch, trained, self.labelled & going[:, :, None], slopes, self.rate)

    def outputs(self, maps: torch.Tensor, offsets: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """(f, a, s, n, o) outputs of parameters as :meth:`point` gives them."""
        f, a, s = self.shape
        maps, offsets, bias = (value.reshape(f, a * s, *value.shape[3:]) for value in (maps, offsets, bias))
        outputs = self._outputs(self._of_inputs(maps), offsets, bias)
        return outputs.reshape(f, a, s, *outputs.shape[2:])

    def _of_inputs(self, maps: torch.Tensor) -> torch.Tensor:
        """(f, networks, n, m) products of the inputs with maps (f, networks, r, m)."""
        f, k, r, m = maps.shape
        wide = wide_product(self.inputs, maps.permute(0, 2, 1, 3).reshape(f, r, k * m))
        return wide.reshape(f, -1, k, m).permute(0, 2, 1, 3)

    def _outputs(self, products: torch.Tensor, offsets: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """(f, networks, n, o), as ``benchmarks/speed/shared_encoder.py`` gives them for each by itself."""
        return self.stack.values(products, offsets) @ self.stack.expand + bias[:, :, None]
