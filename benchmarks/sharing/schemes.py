"""What every sharing scheme costs, and what it does to the tasks, on planted cohorts.

    python benchmarks/sharing/schemes.py [--full] [--seed 0]

Two sets of tasks, fitted from all genes as in a run, multi-task and single-task networks of several folds and seeds in
one stack. *planted*: disease, age and the response of some of the patients, which have little in common once every
donor has labels. *related*: six measurements of the interferon programme, four up and two down, each with noise of its
own and known for a third of the donors: what sharing is for.

Printed per scheme: parameters of one multi-task network and the seconds for a given number of steps, best of three,
over those of hard sharing (planted tasks); and for both sets, mean over tasks, the lowest validation loss of the
single-task networks minus that of hard sharing (*alone*), and what sharing does, the multi-task networks minus the
single-task ones of the same scheme (*shared*; below 0: helps). Inner validation donors choose the epoch and give the
loss, so the losses rank schemes and are no performance. Small form: some minutes on one core. Full form: cohorts and
networks of the size of a default run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from benchmarks.speed.replicas import RATE, TASKS, WIDTH
from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.choices.sharing import SHARING
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.simulate import simulate
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.labels import Regression
from mtlbio.model.sharing.make import make_sharing
from mtlbio.progress import show_progress
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import Problem, make_problem, make_targets, prepare_fold
from mtlbio.training.replicas import Fitted, fit

COHORTS, PATIENCE, REPEATS, TIMED = 5, 40, 3, 40


def problem_of(kind: str, donors: int, genes: int, folds: int, seeds: int, seed: int) -> Problem:
    """The problem of one cohort, its first arm multi-task, then one arm per task."""
    simulation = simulate("clear", seed, donors=donors, genes=genes)
    obs = simulation.metadata.set_index("sample_id").rename(columns={"donor_id": "donor"})
    tasks = TASKS
    if kind == "related":
        rng = np.random.default_rng([seed, 6])
        tasks = {f"measured_{k}": Regression(f"measured_{k}") for k in range(6)}
        programme = simulation.truth["interferon"].to_numpy()
        for k, name in enumerate(tasks):
            values = (1 if k < 4 else -1) * programme + rng.standard_normal(donors)
            obs[name] = np.where(rng.random(donors) < 1 / 3, values, np.nan)
    cohort = Cohort(simulation.expression.to_numpy(), tuple(simulation.expression.columns), obs, tasks)
    splits = make_splits(cohort, Splits(folds=max(folds - 1, 2)))
    parts = [prepare_fold(cohort, splits, fold, Training(axes=5, seeds=seeds)) for fold in [*range(folds - 1), -1]]
    arms = [np.ones(len(tasks)), *np.eye(len(tasks))]
    return make_problem(cohort, parts, make_targets(cohort, parts), arms, seeds, "cpu")


def fitted(problem: Problem, seeds: list[int], name: str, epochs: int, patience: int = PATIENCE) -> Fitted:
    """All networks of a cohort under a scheme."""
    return fit(problem, problem.dense, seeds, BlockOptions(WIDTH, epochs, patience, RATE, MultitaskOptions(name)))


def lowest(found: Fitted) -> np.ndarray:
    """(arms, tasks) lowest validation loss, pooled over seeds, mean over folds."""
    return found.history[:, 1].mean(3).min(0).values.mean(0).cpu().numpy()


def parameters(problem: Problem, name: str) -> int:
    """Numbers that one multi-task network learns, biases apart."""
    sharing = make_sharing(name, problem.packing, WIDTH)
    start = sharing.start(problem.dense.shape[2], torch.Generator().manual_seed(0))
    return sum(value.numel() for value in start.values())


def seconds_of(problem: Problem, seeds: list[int]) -> dict[str, float]:
    """Best of some fits of a few steps; in turns, so that a busy minute of the machine meets all schemes."""
    seconds: dict[str, list[float]] = {name: [] for name in SHARING}
    for _ in range(REPEATS):
        for name in SHARING:
            start = time.perf_counter()
            fitted(problem, seeds, name, TIMED, patience=10**9)
            seconds[name].append(time.perf_counter() - start)
    return {name: min(found) for name, found in seconds.items()}


def main(full: bool, first: int) -> None:
    """Print the table."""
    donors, genes, folds, replicas, epochs = (300, 5000, 6, 5, 400) if full else (120, 800, 3, 3, 300)
    seeds = list(range(replicas))
    rows = {name: {"scheme": name} for name in SHARING}
    for kind in ("planted", "related"):
        problems = [problem_of(kind, donors, genes, folds, replicas, first + k) for k in range(COHORTS)]
        if kind == "planted":
            networks, seconds = folds * len(problems[0].active) * replicas, seconds_of(problems[0], seeds)
            for name, row in rows.items():
                row["parameters"] = parameters(problems[0], name)
                row["time / hard"] = f"{seconds[name] / seconds['hard']:.1f}"
        hard = None
        for name, row in rows.items():
            losses = np.stack([lowest(fitted(problem, seeds, name, epochs)) for problem in problems])
            own = np.arange(losses.shape[2])
            single = losses[:, 1 + own, own].mean(1)
            hard = single if hard is None else hard
            for what, found in {"alone": single - hard, "shared": losses[:, 0].mean(1) - single}.items():
                error = found.std(ddof=1) / np.sqrt(COHORTS)
                row[f"{kind}, {what}"] = f"{found.mean():+.3f} ({error:.3f})"
    print(f"hard sharing: {seconds['hard']:.2f} s for {TIMED} steps of {networks} networks")
    print(f"differences of the validation loss, mean over tasks and {COHORTS} cohorts (standard error)")
    print(pd.DataFrame(rows.values()).to_string(index=False))


if __name__ == "__main__":
    show_progress()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the size of a default run")
    parser.add_argument("--seed", type=int, default=0, help="first cohort")
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    main(given.full, given.seed)
