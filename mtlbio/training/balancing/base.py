"""What all balancers share: absent tasks are taken out before a method sees anything, and memory is kept by task.

Every library leaves a hole here: with the masked loss of an absent task set to zero, MGDA and CAGrad return a zero
step, FAMO's gradient collapses, GLS gives NaN and learned weights of the absent task drift. Here a method sees a
harmless number in place of an absent loss, its sums run over the present tasks, and what it remembers of an absent
task stays as it was.

Scale: with all tasks alike (equal losses, orthogonal gradients of one length) every weight is 1, so that the step
is the plain sum's and a learning rate means the same under every method. Methods that are means in their papers are
therefore multiplied by the number of present tasks.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeVar

import numpy as np
import torch

from mtlbio.choices.balancers import BALANCERS
from mtlbio.errors import InputError, listing
from mtlbio.training.balancing.step import Step

TINY = 1e-8


class Balancer:
    """Weights of T tasks in R replicas, every replica by itself.

    Attributes
    ----------
    name : as registered
    scope : ``"loss"``: a weight multiplies the task's whole loss, trunk and head; ``"gradient"``: only its gradient
        on the shared parameters; from :data:`BALANCERS`, like the next
    reads_gramian : whether :meth:`weights` calls :attr:`Step.gramian` (T backward passes)
    reads_after : whether :meth:`after` has to be called
    remembers : what is carried from step to step, with its value before the first one
    of_pairs : whether that belongs to pairs of tasks
    memory : the present values, each (R, T) or (R, T, T), in double precision
    """

    name: ClassVar[str]
    scope: ClassVar[Literal["loss", "gradient"]]
    reads_gramian: ClassVar[bool]
    reads_after: ClassVar[bool] = False
    remembers: ClassVar[Mapping[str, float]] = {}
    of_pairs: ClassVar[bool] = False

    def __init__(self, tasks: tuple[str, ...], replicas: int, device="cpu", **options: float | str):
        self.tasks, self.replicas, self.device = tasks, replicas, device
        for name, value in options.items():
            setattr(self, name, value)
        self.memory = {name: self.blank(value) for name, value in self.remembers.items()}

    @torch.no_grad()
    def weights(self, step: Step) -> torch.Tensor:
        """(R, T) weights, 0 where absent; moves what the method remembers by one step."""
        losses = torch.where(step.present, step.losses, 1.0).double()
        weights = self.compute(losses, step.present, step)
        return torch.where(step.present, weights, 0.0).to(step.losses.dtype)

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        """(R, T) weights of the method, anything where absent; ``losses`` are 1 where absent."""
        raise NotImplementedError

    def after(self, losses: torch.Tensor) -> None:
        """Take note of the (R, T) losses after the update; most methods need none."""

    def remember(self, name: str, values: torch.Tensor, where: torch.Tensor) -> None:
        """Replace what is remembered, only ``where`` the tasks are present."""
        self.memory[name] = torch.where(where, values, self.memory[name])

    def blank(self, value: float = 0.0) -> torch.Tensor:
        """Memory of every task (or pair of tasks) before the first step."""
        shape = (self.replicas,) + (len(self.tasks),) * (2 if self.of_pairs else 1)
        return torch.full(shape, value, dtype=torch.float64, device=self.device)

    def starting_losses(self, losses: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """(R, T) loss of each task at the first step in which it was present; ``remembers`` "start", 0 before that."""
        self.remember("start", losses.clamp_min(TINY), present & (self.memory["start"] == 0))
        return torch.where(present, self.memory["start"], 1.0)

    def state(self) -> dict[str, torch.Tensor]:
        """What is remembered, by task: ``{"log_variance/disease": (R,)}``, pairs as ``cosine/disease/age``."""
        return {key: values.clone() for key, values in self._views().items()}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a :meth:`state`; the tasks may stand in another order.

        Raises
        ------
        InputError
            if it is the state of another method, of other tasks or of another number of replicas
        """
        views = self._views()
        if set(state) != set(views):
            raise InputError(
                f"balancing {self.name}: the state holds {listing(sorted(set(state)))}; expected {listing(views)}"
            )
        for key, values in views.items():
            shape = tuple(state[key].shape)
            if shape != (self.replicas,):
                raise InputError(f"balancing {self.name}: the state of {key} is {shape}; expected ({self.replicas},)")
            values.copy_(state[key])

    def _views(self) -> dict[str, torch.Tensor]:
        """The memory of every task (or pair), which changes with them."""
        views = {}
        for name, values in self.memory.items():
            for places in np.ndindex(*values.shape[1:]):
                views["/".join([name, *(self.tasks[t] for t in places)])] = values[:, *places]
        return views


REGISTERED: dict[str, type[Balancer]] = {}
_Class = TypeVar("_Class", bound=type[Balancer])


def balancer(name: str):
    """Class decorator: the class is made by ``name``; the options of that entry of :data:`BALANCERS`,
    checked and all of them, become its attributes."""
    if name not in BALANCERS:
        raise KeyError(f"{name}: has no entry in mtlbio/choices/balancers.py")

    def register(made: _Class) -> _Class:
        facts = BALANCERS[name]
        made.name, made.scope, made.reads_gramian = name, facts.scope, facts.reads_gramian
        REGISTERED[name] = made
        return made

    return register


def shared_out(values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """(R, T) positive values, scaled so that those of the present tasks sum to their number."""
    values = torch.where(present, values, 0.0)
    return values * present.sum(1, keepdim=True) / values.sum(1, keepdim=True).clamp_min(1e-300)


def present_mean(values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """(R, 1) mean over the present tasks; 0 without any."""
    count = present.sum(1, keepdim=True).clamp_min(1)
    return torch.where(present, values, 0.0).sum(1, keepdim=True) / count


def present_softmax(logits: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """(R, T) softmax over the present tasks, 0 elsewhere."""
    return torch.where(present, logits.masked_fill(~present, -torch.inf).softmax(1), 0.0)
