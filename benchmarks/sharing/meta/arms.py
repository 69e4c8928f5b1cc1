"""Arms of the comparison: what each learns from many tasks, and how a new task with few labels then uses it.

Every arm sees the same number of tasks with the same number of labels in as many batches, in as many settings, and is
chosen by other tasks on other samples (:func:`chosen`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from benchmarks.sharing.meta.learners import (
    Episodes,
    Step,
    anil,
    maml,
    prototype_scores,
    prototypes,
    reptile,
    trained,
)
from benchmarks.sharing.meta.network import HEAD, Network, Parameters, adapted

HIDDEN = 32
INNER_STEPS = 3
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)  # of a new task's own steps
STEPS = (1, 3, 10, 30, 100)
SETTINGS = tuple(itertools.product((False, True), (1e-3, 1e-2), (0.01, 0.1)))  # tanh, outer rate, inner rate
Draw = Callable[[int], Episodes]
Choice = tuple[float, int]


@dataclass(frozen=True)
class Learnt:
    """A start and how new tasks use it: by steps of ``moved`` parameters, or by prototypes (None)."""

    network: Network
    start: Parameters
    moved: tuple[str, ...] | None

    def predictions(self, tasks: Episodes) -> dict[Choice, Tensor]:
        """(rate, steps) -> (tasks, m) predictions of new samples; a rate that runs away predicts nothing (0)."""
        if self.moved is None:
            return {
                (0.0, 0): vmap(lambda x, y, new: prototype_scores(self.network, self.start, x, y, new))(
                    tasks.x, tasks.y, tasks.x_new
                )
            }
        found = {}
        for rate in RATES:
            own, done = {name: value.expand(len(tasks.x), *value.shape) for name, value in self.start.items()}, 0
            for steps in STEPS:
                own = vmap(self._steps(rate, steps - done))(own, tasks.x, tasks.y)
                done = steps
                found[rate, steps] = torch.nan_to_num(vmap(self.network.predict)(own, tasks.x_new), 0.0, 0.0, 0.0)
        return found

    def _steps(self, rate: float, steps: int) -> Callable[[Parameters, Tensor, Tensor], Parameters]:
        return lambda own, x, y: adapted(self.network.loss, own, x, y, rate, steps, self.moved)


def _step(arm: str, network: Network, inner: float) -> Step:
    return {
        "MAML": lambda: maml(network, inner, INNER_STEPS),
        "MAML, first order": lambda: maml(network, inner, INNER_STEPS, first_order=True),
        "ANIL": lambda: anil(network, inner, INNER_STEPS),
        "Reptile": lambda: reptile(network, inner, INNER_STEPS),
        "prototypes": lambda: prototypes(network),
    }[arm]()


def pretrained(
    network: Network,
    start: Parameters,
    draw: Draw,
    of_batch: Callable[[int], Tensor],
    tasks: int,
    batches: int,
    rate: float,
    penalty: float,
) -> Parameters:
    """A head per task on one trunk, by Adam; a new task begins at the mean of all heads. ``of_batch``: which tasks."""
    own = {"w": start["w"].clone(), "b": start["b"].clone(), "v": start["v"].repeat(tasks, 1), "c": torch.zeros(tasks)}
    own = {name: value.requires_grad_() for name, value in own.items()}
    optimiser = torch.optim.AdamW(own.values(), lr=rate, weight_decay=penalty)
    for number in range(batches):
        batch, which = draw(number), of_batch(number)
        x, y = torch.cat([batch.x, batch.x_new], 1), torch.cat([batch.y, batch.y_new], 1)
        z = network.encode({"w": own["w"], "b": own["b"]}, x)
        loss = ((z @ own["v"][which][:, :, None])[..., 0] + own["c"][which][:, None] - y).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return {name: value.detach().mean(dim=0) if name in HEAD else value.detach() for name, value in own.items()}


ARMS = ("fine-tuned", "MAML", "MAML, first order", "ANIL", "Reptile", "prototypes")


def learnt(
    arm: str,
    inputs: int,
    setting: tuple[bool, float, float],
    draw: Draw,
    of_batch: Callable[[int], Tensor],
    tasks: int,
    batches: int,
    seed: int,
) -> Learnt:
    """What an arm makes of all batches in one setting."""
    tanh, outer, inner = setting
    network = Network(inputs, HIDDEN, tanh)
    start = network.start(seed)
    if arm == "fine-tuned":
        found = pretrained(network, start, draw, of_batch, tasks, batches, outer, inner)
    else:
        found = trained(_step(arm, network, inner), start, draw, batches, outer)
    moved = {"prototypes": None, "ANIL": HEAD}.get(arm, tuple(start))
    return Learnt(network, found, moved)


def mean_r(predicted: Tensor, y: Tensor, known: Tensor) -> np.ndarray:
    """(tasks,) Pearson's r with the labels that are known; 0 where nothing is told apart."""
    found = []
    for own, labels, there in zip(predicted.numpy(), y.numpy(), known.numpy(), strict=True):
        own, labels = own[there], labels[there]
        found.append(float(np.corrcoef(own, labels)[0, 1]) if np.ptp(own) > 1e-9 else 0.0)
    return np.array(found)


def chosen(candidates: list[Learnt], tasks: Episodes, known: Tensor) -> tuple[Learnt, Choice]:
    """The candidate, and how it adapts, that does best on tasks that none has seen."""
    best: tuple[float, int, Choice] | None = None
    for place, candidate in enumerate(candidates):
        for choice, predicted in candidate.predictions(tasks).items():
            score = float(mean_r(predicted, tasks.y_new, known).mean())
            if best is None or score > best[0]:
                best = (score, place, choice)
    assert best is not None
    return candidates[best[1]], best[2]
