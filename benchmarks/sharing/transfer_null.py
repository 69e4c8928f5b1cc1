"""How often does the verdict on sharing say *helps* or *hurts* where there is nothing to find?

    python benchmarks/sharing/transfer_null.py [--full] [--seed 0] [--only simulated trained]

*simulated*: a classification and a regression per cohort, each predicted by two arms whose errors are independent and
equally large, for 40, 80 and 200 donors. *trained*: planted cohorts of 100 donors with a disease, an age and a
response; the single-task networks are trained twice on the same folds and axes, with other seeds and other inner
validation donors, and compared as if one of them were the multi-task network. Counted are cohorts in which any task
gets a wrong word, with the Wilson interval (95 %), and the same where intervals were not widened for few donors.

Small form: 100 simulated cohorts per size and 6 trained ones, a few minutes on one core. Full form: 400 and 60.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.special import expit

import mtlbio.evaluation.transfer as room
from benchmarks.sharing.small_label import TASKS, as_cohort
from mtlbio.cohort.simulate import simulate
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.labels import Label
from mtlbio.probing.rates import wilson
from mtlbio.progress import track
from mtlbio.training.refits import Refit, Refitter
from mtlbio.training.subsets import out_of_fold

SIZES, DRAWS, MARGIN = (40, 80, 200), 1000, 0.02
SIMULATED = {"disease": (TASKS["disease"], 1.0), "age": (TASKS["age"], 0.6)}  # the task, spread of both arms' errors
PARTS = ("simulated", "trained")


def simulated(info: Label, spread: float, donors: int, seed: int) -> TaskPredictions:
    """A task that two arms predict equally well, each with errors of its own."""
    rng = np.random.default_rng([seed, donors, len(info.name)])
    y = rng.integers(0, 2, donors).astype(float) if info.classes else rng.normal(size=donors)
    values = [y + spread * rng.normal(size=donors) for _ in range(2)]
    arms = dict(zip(("multitask", "singletask"), [expit(v - 0.5) if info.classes else v for v in values], strict=True))
    names = np.array([f"d{i:03d}" for i in range(donors)])
    return TaskPredictions(info, names, names, y, arms)


def wrong(tasks: list[TaskPredictions], seed: int, widened: bool = True) -> bool:
    """Whether any task gets a word; without ``widened`` by the plain percentile interval."""
    own = room.expanded
    room.expanded = own if widened else lambda level, fewest: level
    try:
        carriers = {scores.task.name: scores.carriers for scores in tasks}
        return bool((room.transfer(tasks, carriers, DRAWS, seed, MARGIN)["verdict"] != "cannot tell").any())
    finally:
        room.expanded = own


def trained(
    seed: int, options: Training, donors: int = 100, genes: int = 1000, folds: int = 5
) -> list[TaskPredictions]:
    """A planted cohort, and what two trainings of the same single-task networks predict out of fold."""
    cohort = as_cohort(simulate("clear", seed, donors=donors, genes=genes))
    splits = make_splits(cohort, Splits(folds=folds))
    first = Refitter.of(cohort, splits, options, "cpu", list(np.eye(len(TASKS))), final=False)
    again = replace(first, options=options.model_copy(update={"seed": options.seed + 1000}))
    refits: list[Refit] = [refitter.refit([cohort])[0] for refitter in (first, again)]
    found = []
    for t, (name, info) in enumerate(TASKS.items()):
        arms = {
            arm: out_of_fold(cohort, r, t, name) for arm, r in zip(("multitask", "singletask"), refits, strict=True)
        }
        found.append(TaskPredictions(info, cohort.samples, cohort.donors, cohort.y(name), arms))
    return found


def told(count: int, of: int) -> str:
    """A share with its interval."""
    rate, low, high = wilson(count, of)
    return f"{count} of {of} cohorts ({rate:.1%}, {low:.1%} to {high:.1%})"


def main(full: bool, first: int, only: list[str]) -> dict[str, int]:
    """Print the counts."""
    found = {}
    cohorts = 400 if full else 100
    for donors in SIZES if "simulated" in only else ():
        both = [
            [simulated(*about, donors, seed) for about in SIMULATED.values()] for seed in range(first, first + cohorts)
        ]
        counts = [sum(wrong(tasks, s, widened) for s, tasks in enumerate(both)) for widened in (True, False)]
        print(
            f"simulated, {donors} donors: {told(counts[0], cohorts)}; not widened: {counts[1] / cohorts:.1%}",
            flush=True,
        )
        found[f"simulated {donors}"] = counts[0]
    if "trained" in only:
        cohorts = 60 if full else 6
        seeds = track(range(first, first + cohorts), "trained", cohorts)
        found["trained"] = sum(wrong(trained(seed, Training()), seed) for seed in seeds)
        print(f"trained twice: {told(found['trained'], cohorts)}", flush=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="400 simulated cohorts per size, 60 trained ones")
    parser.add_argument("--seed", type=int, default=0, help="first cohort")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    main(given.full, given.seed, given.only)
