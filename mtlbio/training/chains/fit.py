"""One network: epochs over the training chains, early stopping on the validation chains."""

import math
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from mtlbio.kinds.schemas.chains import ResidueTraining
from mtlbio.labels.residues import ResidueLabel
from mtlbio.model.residues import ResidueNetwork
from mtlbio.progress import say
from mtlbio.sequence.chains import Chains
from mtlbio.training.chains.batches import Reader, make_batches
from mtlbio.training.chains.course import run_epoch
from mtlbio.training.chains.steps import Scale, Stepper


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network on the CPU.

    Attributes
    ----------
    network : with the parameters of its best epoch
    history : rows (epoch, task, part, loss)
    gramians : (epoch, Gramian (T, T)) of the steps in which several tasks' gradients were compared
    residues_per_second : of the training, validation not counted
    """

    network: ResidueNetwork
    history: list[tuple[int, str, str, float]]
    gramians: list[tuple[int, np.ndarray]]
    residues_per_second: float


class Parts(NamedTuple):
    """Places of the chains that are trained on, and of those that say when to stop."""

    train: np.ndarray
    validation: np.ndarray


def fit(
    network: ResidueNetwork,
    reader: Reader,
    tasks: list[ResidueLabel],
    parts: Parts,
    options: ResidueTraining,
    seed: int,
    device: str = "cpu",
    name: str = "network",
) -> TrainedNetwork:
    """Train a network, initialised by the caller, on the tasks of its arm; ``seed`` is that of the order of the chains,
    ``name`` stands in messages."""
    # gradients vanish over long chains until they are denormal numbers, with which a processor is several times slower
    torch.set_flush_denormal(True)
    names = tuple(task.name for task in tasks)
    train = taking_part(reader.chains, parts.train, names, options)
    scale = _scale(reader, tasks, train, options.batch)
    network = network.to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    torch.manual_seed(seed)
    stepper = Stepper(network, tasks, scale, optimiser, options, seed)
    looked_at = Parts(_some(train, len(parts.validation), seed), parts.validation)
    history: list[tuple[int, str, str, float]] = []
    gramians: list[tuple[int, np.ndarray]] = []
    state, best, waited, seconds = None, math.inf, 0, 1e-9
    for epoch in range(options.epochs):
        started = time.perf_counter()
        gramians += [(epoch, gramian) for gramian in run_epoch(stepper, reader, train, options, epoch, seed)]
        seconds += time.perf_counter() - started
        per_second = (epoch + 1) * int(reader.chains.lengths[train].sum()) / seconds
        losses = [evaluate(network, reader, tasks, places, scale, device) for places in looked_at]
        for part, values in zip(looked_at._fields, losses, strict=True):
            history += [(epoch, task, part, float(v)) for task, v in zip(names, values, strict=True)]
        shown = ", ".join(f"{task} {value:.3f}" for task, value in zip(names, losses[1], strict=True))
        say(f"{name}: epoch {epoch + 1} of {options.epochs}, validation loss {shown}, {per_second:,.0f} residues/s")
        waited += 1
        if (score := float(np.nansum(losses[1]))) < best:
            state = {key: value.detach().cpu().clone() for key, value in network.state_dict().items()}
            best, waited = score, 0
        if waited >= options.patience:
            break
    network.to("cpu")
    if state is not None:  # None while no loss was a number
        network.load_state_dict(state)
    return TrainedNetwork(network.eval(), history, gramians, per_second)


def taking_part(chains: Chains, places: np.ndarray, tasks: tuple[str, ...], options: ResidueTraining) -> np.ndarray:
    """The chains with a label of these tasks; all of them where masked letters are predicted (``masked_residues``)."""
    if options.masked_residues:
        return places
    return places[np.any([chains.labelled(task) for task in tasks], axis=0)[places]]


@torch.no_grad()
def evaluate(
    network: ResidueNetwork, reader: Reader, tasks: list[ResidueLabel], places: np.ndarray, scale: Scale, device: str
) -> np.ndarray:
    """(T,) mean loss over the labelled residues of some chains, 1 where nothing is known; NaN without labels."""
    network.eval()
    names = tuple(task.name for task in tasks)
    sums, counts = np.zeros(len(tasks)), np.zeros(len(tasks))
    for batch in reader.batches(places, 16_384, names):
        batch = batch.to(device)
        raw = network.outputs(network.latents(batch.letters, batch.mask, batch.wide))
        for i, task in enumerate(tasks):
            total, count = task.loss_sum(raw[task.name], batch.labels[task.name], batch.q3.get(task.name))
            sums[i] += float(total) / scale.null[task.name]
            counts[i] += int(count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _scale(reader: Reader, tasks: list[ResidueLabel], train: np.ndarray, residues: int) -> Scale:
    chains = reader.chains
    rows = chains.residues(train)
    batches = len(make_batches(chains.lengths, train, residues, np.random.default_rng(0)))
    null = {task.name: task.null_loss(*chains.labels_at(task.name, rows)) for task in tasks}
    expected = {task.name: max(float((chains.known(task.name) & rows).sum()) / batches, 1.0) for task in tasks}
    return Scale(null, expected)


def _some(places: np.ndarray, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, len(places)])
    return np.sort(rng.permutation(places)[: max(count, 20)])
