"""Epochs of mini-batches, with a learning rate that falls to zero over them."""

from __future__ import annotations

import math
import time

import numpy as np
import torch

from mtlbio.kinds.schemas.chains import ResidueTraining
from mtlbio.labels.residues import ResidueLabel
from mtlbio.model.residues import ResidueNetwork
from mtlbio.sequence.chains import Chains
from mtlbio.training.chains.batches import Reader, make_batches
from mtlbio.training.chains.steps import Scale, Stepper

WARM_UP = 0.05  # share of the training over which the learning rate rises
_WATCHED = 8  # steps per epoch in which the tasks' gradients are compared, at most one in fifty


class Course:
    """A network on its way through the training chains, epoch by epoch.

    Parameters
    ----------
    network : on its device
    train : places of the chains that take part
    scale : of the tasks' losses
    seed : of the order of the chains

    Attributes
    ----------
    gramians : as in :class:`mtlbio.training.chains.fit.TrainedNetwork`
    residues, seconds : of the steps so far
    """

    def __init__(
        self,
        network: ResidueNetwork,
        reader: Reader,
        tasks: list[ResidueLabel],
        train: np.ndarray,
        scale: Scale,
        options: ResidueTraining,
        seed: int,
    ):
        self.reader, self.train, self.options, self.seed = reader, train, options, seed
        self.names = tuple(task.name for task in tasks)
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        torch.manual_seed(seed)
        self.stepper = Stepper(network, tasks, scale, self.optimiser, options, seed)
        self.gramians: list[tuple[int, np.ndarray]] = []
        self.residues, self.seconds = 0, 0.0

    def epoch(self, epoch: int) -> None:
        """One pass over the chains in a new order; in some batches that hold all tasks their gradients are compared."""
        rng = np.random.default_rng([self.seed, epoch, len(self.train)])
        batches = make_batches(self.reader.chains.lengths, self.train, self.options.batch, rng)
        most, watched, started = int(np.clip(len(batches) // 50, 2, _WATCHED)), 0, time.perf_counter()
        for i, places in enumerate(batches):
            for group in self.optimiser.param_groups:
                group["lr"] = self.options.learning_rate * rate((epoch + i / len(batches)) / self.options.epochs)
            watch = len(self.names) > 1 and watched < most and _all_there(self.reader.chains, places, self.names)
            watched += watch
            gramian = self.stepper.step(self.reader.batch(places, self.names).to(self.stepper.device.type), watch)
            if gramian is not None:
                self.gramians.append((epoch, gramian.detach().cpu().numpy().astype(float)))
            self.residues += int(self.reader.chains.lengths[places].sum())
        self.seconds += time.perf_counter() - started


def rate(progress: float) -> float:
    """Learning rate as a share of the highest one: up over ``WARM_UP``, then half a cosine down to 0.

    Examples
    --------
    >>> [round(rate(p), 3) for p in (0.0, 0.05, 0.525, 1.0)]
    [0.0, 1.0, 0.5, 0.0]
    """
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min((progress - WARM_UP) / (1 - WARM_UP), 1.0)))


def _all_there(chains: Chains, places: np.ndarray, names: tuple[str, ...]) -> bool:
    rows = np.concatenate([np.arange(chains.offsets[p], chains.offsets[p + 1]) for p in places])
    return all(chains.known(name, rows).any() for name in names)
