"""Epochs of mini-batches, with a learning rate that falls to zero over them."""

import math

import numpy as np

from mtlbio.kinds.schemas.chains import ResidueTraining
from mtlbio.sequence.chains import Chains
from mtlbio.training.chains.batches import Reader, make_batches
from mtlbio.training.chains.steps import Stepper

WARM_UP = 0.05  # share of the training over which the learning rate rises
_WATCHED = 8  # steps per epoch in which the tasks' gradients are compared, at most one in fifty


def run_epoch(
    stepper: Stepper, reader: Reader, train: np.ndarray, options: ResidueTraining, epoch: int, seed: int
) -> list[np.ndarray]:
    """One pass over the chains at ``train`` in an order of its own; Gramians (T, T) of the tasks' gradients in some
    batches that hold all tasks."""
    names, gramians = tuple(task.name for task in stepper.tasks), list[np.ndarray]()
    rng = np.random.default_rng([seed, epoch, len(train)])
    batches = make_batches(reader.chains.lengths, train, options.batch, rng)
    most = int(np.clip(len(batches) // 50, 2, _WATCHED)) if len(names) > 1 else 0
    for i, places in enumerate(batches):
        for group in stepper.optimiser.param_groups:
            group["lr"] = options.learning_rate * rate((epoch + i / len(batches)) / options.epochs)
        watch = len(gramians) < most and _all_there(reader.chains, places, names)
        gramian = stepper.step(reader.batch(places, names).to(stepper.device.type), watch)
        if gramian is not None:
            gramians.append(gramian.detach().cpu().numpy().astype(float))
    return gramians


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
