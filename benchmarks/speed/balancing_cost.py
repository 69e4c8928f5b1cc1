"""What a step costs under every balancer, in the stack and with TorchJD alone, over a step on the plain sum.

    python benchmarks/speed/balancing_cost.py [--full] [--tasks 3 8] [--methods NAME ...]

*stack*: 30 networks (6 folds x 5 seeds, multi-task) in :func:`mtlbio.training.replicas.fit`, over the same stack on the
plain sum and without the diagnostics of conflict, which need the gradients of all tasks as well. Gradients are taken on
the trunk, or on the representation. *TorchJD*: one network of the same size with ``mtl_backward`` and
``jac_to_grad``, over a step of that network on the plain sum. Beside the ratios: microseconds per network and step.
Last line: networks per second of one stack under PCGrad over the same networks one after another.

Processor time of one thread, best of three, in turns; so a machine that is busy otherwise does not matter. Small form:
60 samples, 40 inputs, some minutes. Full form: the size of a default run, 240 samples in their row space.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.labels import Binary, Label, Regression
from mtlbio.model.outputs import Outputs
from mtlbio.progress import show_progress
from mtlbio.training import networks
from mtlbio.training.balancing.registry import registered
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import Problem
from mtlbio.training.replicas import fit
from mtlbio.training.task_weights import TaskWeights

FOLDS, SEEDS, WIDTH, RATE, REPEATS = 6, 5, 8, 0.3, 3


class Bare(TaskWeights):
    """The plain sum without a look at any task's gradient."""

    def __init__(self, *given):
        super().__init__(*given)
        self.rows = self.rows[:0]


def labels(tasks: int) -> list[Label]:
    """Every other one binary."""
    return [Regression(f"task_{t}") if t % 2 else Binary(f"task_{t}", ("no", "yes")) for t in range(tasks)]


def problem_of(tasks: int, samples: int, inputs: int, folds: int = FOLDS, seeds: int = SEEDS) -> Problem:
    """Noise, every other task binary; the numbers do not matter here."""
    rng = np.random.default_rng([tasks, samples])
    infos = labels(tasks)
    scores = rng.standard_normal((folds, samples, inputs)) / np.sqrt(inputs)
    targets = rng.standard_normal((folds, samples, tasks))
    targets[:, :, ::2] = targets[:, :, ::2] > 0
    inner = rng.random((folds, seeds, samples, 1)) < 0.2
    weights = [part / part.sum(2, keepdims=True) * np.ones(tasks) for part in (~inner, inner)]
    scores, targets, train, validation = (torch.as_tensor(v).float() for v in (scores, targets, *weights))
    nothing, active = torch.zeros(folds, samples, 0), torch.ones(1, tasks)
    packing = Outputs.of({info.name: info for info in infos})
    return Problem(nothing, nothing, scores, nothing, targets, train, validation, active, packing)


def stack_step(problem: Problem, multitask: MultitaskOptions, steps: int, bare: bool = False) -> float:
    """Seconds per step of all networks."""
    seeds = list(range(problem.train.shape[1]))
    with patch.object(networks, "TaskWeights", Bare if bare else TaskWeights):
        start = time.process_time()
        fit(problem, problem.dense, seeds, BlockOptions(WIDTH, steps, 10**9, RATE, multitask))
    return (time.process_time() - start) / steps


def torchjd_aggregators() -> dict[str, Callable[[], object]]:
    """TorchJD's aggregator by our name; those that need solvers of the test requirements included. UPGrad needs
    ``pip install quadprog qpsolvers``, which are under GPL and LGPL."""
    from torchjd import aggregation as a

    there = all(importlib.util.find_spec(solver) for solver in ("quadprog", "qpsolvers"))
    return ({"upgrad": a.UPGrad} if there else {}) | {
        "pcgrad": a.PCGrad,
        "gradvac": a.GradVac,
        "imtl_g": a.IMTLG,
        "aligned_mtl": a.AlignedMTL,
        "mgda": a.MGDA,
        "cagrad": lambda: a.CAGrad(c=0.5),
    }


def torchjd_step(problem: Problem, aggregator, steps: int) -> float:
    """Seconds per step of one network with TorchJD; None as the aggregator: with a plain sum."""
    from torchjd.autojac import jac_to_grad, mtl_backward

    inputs, targets, weights = problem.dense[0], problem.targets[0], problem.train[0, 0]
    trunk = torch.nn.Linear(inputs.shape[1], WIDTH, bias=False)
    heads = torch.nn.ModuleList(torch.nn.Linear(WIDTH, 1) for _ in problem.packing.tasks)
    optimiser = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=RATE)
    start = time.process_time()
    for _ in range(steps):
        optimiser.zero_grad()
        features = trunk(inputs)
        losses = [
            (label.loss(head(features), targets[:, t], weights[:, t]) * weights[:, t]).sum()
            for t, (label, head) in enumerate(zip(problem.packing.tasks, heads, strict=True))
        ]
        if aggregator is None:
            sum(losses).backward()
        else:
            mtl_backward(losses, features=features)
            jac_to_grad(trunk.parameters(), aggregator)
        optimiser.step()
    return (time.process_time() - start) / steps


def measured(tasks: int, full: bool, methods: tuple[str, ...]) -> pd.DataFrame:
    """One row per method: ratios to the plain sum, microseconds per network and step."""
    samples, inputs, steps = (240, 190, 25) if full else (60, 40, 10)
    problem = problem_of(tasks, samples, inputs)
    networks, reads = FOLDS * SEEDS, {name: made.reads_gramian for name, made in registered().items()}
    ways: dict[tuple[str, str], Callable[[], float]] = {
        ("plain", "trunk"): lambda: stack_step(problem, MultitaskOptions(), steps, bare=True),
        ("plain", "torchjd"): lambda: torchjd_step(problem, None, steps),
    }
    for name in methods:
        for where in ("trunk", "representation") if reads[name] else ("trunk",):
            multitask = MultitaskOptions(balancing=name, gradient=where)
            ways[name, where] = lambda multitask=multitask: stack_step(problem, multitask, steps)
    for name, make in torchjd_aggregators().items():
        if name in methods:
            ways[name, "torchjd"] = lambda make=make: torchjd_step(problem, make(), steps)
    for way in ways.values():
        way()  # once before anything is timed
    turns = [{key: way() for key, way in ways.items()} for _ in range(REPEATS)]
    seconds = {key: min(turn[key] for turn in turns) for key in ways}
    rows = []
    for name in ("plain", *methods):
        row = {"tasks": tasks, "method": name}
        for where, count in (("trunk", networks), ("representation", networks), ("torchjd", 1)):
            if (name, where) in seconds:
                plain = seconds["plain", "torchjd" if where == "torchjd" else "trunk"]
                row[where] = seconds[name, where] / plain
                row[f"us, {where}"] = 1e6 * seconds[name, where] / count
        rows.append(row)
    return pd.DataFrame(rows)


def throughput(tasks: int, full: bool, alone: int = 3) -> float:
    """Networks per second of one stack over those of networks one after another, under PCGrad."""
    samples, inputs, steps = (240, 190, 25) if full else (60, 40, 10)
    multitask, single = MultitaskOptions(balancing="pcgrad"), problem_of(tasks, samples, inputs, 1, 1)
    problem = problem_of(tasks, samples, inputs)
    stack_step(single, multitask, 2)
    stack = min(stack_step(problem, multitask, steps) for _ in range(REPEATS)) / (FOLDS * SEEDS)
    return min(stack_step(single, multitask, steps) for _ in range(REPEATS * alone)) / stack


def main(full: bool, counts: list[int], methods: tuple[str, ...]) -> None:
    """Print the tables."""
    for tasks in counts:
        table = measured(tasks, full, methods)
        print(table.to_string(index=False, float_format="{:.1f}".format, na_rep="-"))
        print(
            f"{tasks} tasks, pcgrad: one stack trains {throughput(tasks, full):.1f} times as many networks per second"
        )


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the size of a default run")
    parser.add_argument("--tasks", type=int, nargs="+", default=[3, 8], help="numbers of tasks")
    parser.add_argument("--methods", nargs="+", choices=BALANCERS, default=list(BALANCERS), help="default: all")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(given.full, given.tasks, tuple(given.methods))
