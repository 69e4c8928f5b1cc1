"""What two processes compute for the tests of processes, in one start: gradients and networks, as one process does."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from safetensors.torch import save_file
from small_training import TASKS
from torch import distributed

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.config.training import Deep, Shape
from mtlbio.labels.survival import Survival
from mtlbio.labels.survival.records import records_of
from mtlbio.model.outputs import Outputs
from mtlbio.training.deep.group import Group
from mtlbio.training.deep.network import Data, fit_network
from mtlbio.training.deep.steps import Steps

SHAPE = Shape(width=16, depth=1, dropout=0.3)
OPTIONS = Deep(shapes=[SHAPE], epochs=3, patience=3, batch=64)
FLOATS = {torch.float32: 1e-5, torch.float64: 1e-10}  # how equal gradients are, of the largest of them
METHODS = [(name, "trunk", torch.float64) for name in BALANCERS]
METHODS += [(name, "representation", torch.float64) for name, facts in BALANCERS.items() if facts.reads_gramian]
METHODS += [(name, "trunk", torch.float32) for name in ("equal", "uncertainty", "pcgrad", "upgrad", "famo")]
# of a batch of 2 in an odd number of samples, one process has nothing at times
NETWORKS = {"hard": ("hard", 64), "mmoe": ("mmoe", 64), "tiny": ("hard", 2), "death": ("hard", 64)}


def data_of(name: str = "") -> Data:
    """150 samples that train and 50 that validate; three kinds of labels, one of them rare, or times to an event."""
    rng, n = np.random.default_rng(1), 200
    inputs = rng.standard_normal((n, 4))
    product = inputs[:, 0] * inputs[:, 1]
    if name == "death":
        time, event = rng.exponential(np.exp(-1.5 * inputs[:, 0])), (rng.random(n) < 0.7).astype(float)
        nobody, none = np.full(n, -np.inf), np.zeros(n, dtype=int)
        task = Survival("death", records_of(time, event, nobody, none), (float(np.median(time)),))
        tasks, targets = {"death": task}, task.table.place(time, event, nobody, none)[:, None]
    else:
        tasks = {k: TASKS[k] for k in ("disease", "age", "stage")}
        targets = np.stack([product > 0, product, np.digitize(inputs[:, 2], [-0.7, 0, 0.7])], axis=1)
    trains = np.arange(n) < (31 if name == "tiny" else 150)
    train, validation = (np.repeat(rows[:, None], len(tasks), axis=1).astype(float) for rows in (trains, ~trains))
    train[25:, 2:] = 0
    kind = torch.get_default_dtype()
    tensors = [
        torch.as_tensor(v, dtype=kind) for v in (inputs, targets, train / train.sum(0), validation / validation.sum(0))
    ]
    return Data(*tensors, torch.arange(n), Outputs.of(tasks), len(tasks))


@contextmanager
def precision(kind: torch.dtype):
    """Everything in that precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def gradient_of_a_step(balancing: str, what: str, kind: torch.dtype, group: Group) -> torch.Tensor:
    """Gradient of the third step, when balancers remember two, on all parameters; the network moves in between."""
    seen, plain = [], Steps.gradients

    def recorded(self, *given):
        seen.append(plain(self, *given))
        return seen[-1]

    with precision(kind), patch.object(Steps, "gradients", recorded):
        options = OPTIONS.model_copy(update={"epochs": 1})
        fit_network(data_of(), options, SHAPE, MultitaskOptions(balancing=balancing, gradient=what), 4, 0, group)
    assert len(seen) == 3
    return torch.cat([slope.flatten() for slope in seen[2]])


def computed(group: Group) -> dict[str, torch.Tensor]:
    """Everything that is compared, by name."""
    torch.set_num_threads(1)
    found = {}
    for balancing, what, kind in METHODS:
        found[f"{balancing}/{what}/{kind}"] = gradient_of_a_step(balancing, what, kind, group)
    for name, (sharing, batch) in NETWORKS.items():
        options = OPTIONS.model_copy(update={"batch": batch})
        network = fit_network(data_of(name), options, SHAPE, MultitaskOptions(sharing), 4, 0, group)
        found |= {f"outputs/{name}": network.outputs, f"best/{name}": torch.as_tensor(network.best_epoch)}
    return found


def in_a_process(rank: int, size: int, folder: str) -> None:
    """Called in each of them; the files are ``<rank>.safetensors``."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=size)
    save_file(computed(Group(rank, size)), Path(folder, f"{rank}.safetensors"))
    distributed.destroy_process_group()
