"""One network: epochs of mini-batches, a learning rate that falls to zero, early stopping on the validation chains."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch

from mtlbio.kinds.schemas.chains import ResidueTraining
from mtlbio.model.residues import ResidueNetwork
from mtlbio.progress import say
from mtlbio.sequence.chains import Chains, ResidueTask
from mtlbio.training.chains.batches import Reader, make_batches
from mtlbio.training.chains.losses import loss_sum, null_loss
from mtlbio.training.chains.steps import Scale, Stepper

WARM_UP = 0.05  # share of the training over which the learning rate rises
_WATCHED = 8  # steps per epoch in which the tasks' gradients are compared, at most one in fifty


@dataclass
class Fitted:
    """A trained network on the CPU.

    Attributes
    ----------
    network : with the parameters of its best epoch
    history : rows (epoch, task, part, loss)
    gramians : (epoch, Gramian (T, T)) of the steps in which several tasks' gradients were compared
    residues_per_second : of the training, validation not counted
    """

    network: ResidueNetwork
    history: list[tuple[int, str, str, float]] = field(default_factory=list)
    gramians: list[tuple[int, np.ndarray]] = field(default_factory=list)
    residues_per_second: float = 0.0


def fit(
    network: ResidueNetwork,
    reader: Reader,
    tasks: list[ResidueTask],
    train: np.ndarray,
    validation: np.ndarray,
    options: ResidueTraining,
    seed: int,
    device: str = "cpu",
    name: str = "network",
) -> Fitted:
    """Train a network on the tasks of its arm.

    Parameters
    ----------
    train, validation : places of chains
    seed : of the order of the chains; the network was initialised by the caller
    """
    # gradients vanish over long chains until they are denormal numbers, with which a processor is several times slower
    torch.set_flush_denormal(True)
    names = tuple(task.name for task in tasks)
    chains = reader.chains
    train = taking_part(chains, train, names, options)
    scale = _scale(reader, tasks, train, options.batch)
    network = network.to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    torch.manual_seed(seed)
    stepper = Stepper(
        network,
        tasks,
        scale,
        optimiser,
        options.masked_residues or 0.0,
        options.balancing,
        options.balancing_options,
        seed,
        half=device == "cuda",
    )
    found = Fitted(network)
    best, best_state, waited, seconds, seen = math.inf, None, 0, 0.0, 0
    for epoch in range(options.epochs):
        rng = np.random.default_rng([seed, epoch, len(train)])
        parts = list(reader_order(reader, train, options.batch, rng))
        most, watched, started = int(np.clip(len(parts) // 50, 2, _WATCHED)), 0, time.perf_counter()
        for i, places in enumerate(parts):
            for group in optimiser.param_groups:
                group["lr"] = options.learning_rate * rate((epoch + i / len(parts)) / options.epochs)
            watch = len(names) > 1 and watched < most and _all_there(chains, places, names)
            watched += watch
            gramian = stepper.step(reader.batch(places, names).to(device), watch)
            if gramian is not None:
                found.gramians.append((epoch, gramian.detach().cpu().numpy().astype(float)))
            seen += int(chains.lengths[places].sum())
        seconds += time.perf_counter() - started
        sums = evaluate(network, reader, tasks, validation, scale, device)
        trained = evaluate(network, reader, tasks, _some(train, len(validation), seed), scale, device)
        for part, values in (("train", trained), ("validation", sums)):
            found.history += [(epoch, task, part, float(v)) for task, v in zip(names, values, strict=True)]
        score = float(np.nansum(sums))
        shown = ", ".join(f"{task} {value:.3f}" for task, value in zip(names, sums, strict=True))
        say(f"{name}: epoch {epoch + 1} of {options.epochs}, validation loss {shown}, {seen / seconds:,.0f} residues/s")
        if score < best:
            best, waited = score, 0
            best_state = {key: value.detach().cpu().clone() for key, value in network.state_dict().items()}
        else:
            waited += 1
            if waited >= options.patience:
                break
    network.to("cpu")
    if best_state is not None:
        network.load_state_dict(best_state)
    found.network = network.eval()
    found.residues_per_second = seen / max(seconds, 1e-9)
    return found


def taking_part(chains: Chains, places: np.ndarray, tasks: tuple[str, ...], options: ResidueTraining) -> np.ndarray:
    """The chains with a label of these tasks; all of them where masked residues are told (``masked_residues``)."""
    if options.masked_residues:
        return places
    return places[np.any([chains.labelled(task) for task in tasks], axis=0)[places]]


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


def reader_order(reader: Reader, places: np.ndarray, residues: int, rng: np.random.Generator):
    """Places of the chains of every batch of an epoch."""
    return make_batches(reader.chains.lengths, places, residues, rng)


@torch.no_grad()
def evaluate(
    network: ResidueNetwork, reader: Reader, tasks: list[ResidueTask], places: np.ndarray, scale: Scale, device: str
) -> np.ndarray:
    """(T,) mean loss over the labelled residues of some chains, 1 where nothing is known; NaN without labels."""
    network.eval()
    names = tuple(task.name for task in tasks)
    sums, counts = np.zeros(len(tasks)), np.zeros(len(tasks))
    for batch in reader.batches(places, 16_384, names):
        batch = batch.to(device)
        raw = network.outputs(network.latents(batch.letters, batch.mask, batch.wide))
        for i, task in enumerate(tasks):
            total, count = loss_sum(task, raw[task.name], batch)
            sums[i] += float(total) / scale.null[task.name]
            counts[i] += int(count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _scale(reader: Reader, tasks: list[ResidueTask], train: np.ndarray, residues: int) -> Scale:
    chains = reader.chains
    rows = chains.residues(train)
    batches = len(reader_order(reader, train, residues, np.random.default_rng(0)))
    null = {task.name: null_loss(chains, task, rows) for task in tasks}
    expected = {task.name: max(float((chains.known(task.name) & rows).sum()) / batches, 1.0) for task in tasks}
    for name, (_, spread) in reader.centre.items():
        if name in null and spread <= 0:
            raise ValueError(f"{name} does not vary")
    return Scale(null, expected)


def _all_there(chains, places: np.ndarray, names: tuple[str, ...]) -> bool:
    rows = np.concatenate([np.arange(chains.offsets[p], chains.offsets[p + 1]) for p in places])
    return all(chains.known_at(name, rows).any() for name in names)


def _some(places: np.ndarray, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, len(places)])
    return np.sort(rng.permutation(places)[: max(count, 20)])
