"""What does a task whose labels are half shuffled do to the others?

    python benchmarks/sharing/contaminated.py [--full] [--seed 0]

Planted cohorts of 200 donors with a disease, an age, and the response of the patients (about 100), which the disease's
main cause drives as well. In a second copy of the cohort half of the responses, of randomly drawn patients, are
shuffled among those; everything else is the same, the inner validation donors too. *Damage* to disease (AUROC) and age
(R2) is the score of the multi-task network with the clean responses minus its score with the shuffled ones, both out of
fold, mean over cohorts; the 95 % interval draws cohorts again and donors within them. Small form: two cohorts, some
minutes on one core. Full form: six.
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
import pandas as pd

from benchmarks.sharing.small_label import DRAWS, TASKS, Fits, planted
from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.evaluation.bootstrap import bootstrap_weights, interval
from mtlbio.training.subsets import out_of_fold

SHUFFLED = 0.5
BAR = 0.01
# name -> options of the training; those without `paths` read all four
METHODS = {
    "hard sharing (default)": {},
    "hard sharing + borrowing": {"borrowing": True},
    "dense: hard": {"paths": ["dense"]},
    "dense: trace_norm": {"paths": ["dense"], "sharing": "trace_norm"},
    "dense: task_relation": {"paths": ["dense"], "sharing": "task_relation"},
    "dense: uncertainty": {"paths": ["dense"], "balancing": "uncertainty"},
    "dense: gradnorm": {"paths": ["dense"], "balancing": "gradnorm"},
    "dense: pcgrad": {"paths": ["dense"], "balancing": "pcgrad"},
    "dense: cvar": {"paths": ["dense"], "balancing": "cvar"},
}

# by task: predictions of all samples, out of fold, with the clean and with the shuffled responses
Pairs = dict[str, tuple[np.ndarray, np.ndarray]]


def contaminated(cohort: Cohort, share: float, seed: int) -> Cohort:
    """The cohort with that share of its responses shuffled among the patients that carry them."""
    rng = np.random.default_rng([seed, 43])
    values = cohort.obs["response"].to_numpy(dtype=object).copy()
    known = np.flatnonzero(cohort.obs["response"].notna())
    chosen = rng.permutation(known)[: round(share * len(known))]
    values[chosen] = values[rng.permutation(chosen)]
    return replace(cohort, obs=cohort.obs.assign(response=values))


def one_cohort(
    seed: int, methods: dict[str, dict], options: Training, folds: int, size: dict
) -> dict[str, tuple[Cohort, Pairs]]:
    """The clean cohort and its predictions, by method."""
    clean = planted("related", seed, **size)[0]
    copies = [clean, contaminated(clean, SHUFFLED, seed)]
    fits = Fits(copies, [np.ones(3)], options, folds, same_inner=True)
    found = {}
    for name, changes in methods.items():
        refits = fits.refits(changes)
        pairs = {
            task: tuple(out_of_fold(copy, refit, 0, task) for copy, refit in zip(copies, refits, strict=True))
            for task in TASKS
        }
        found[name] = (clean, pairs)
    return found


def damage(cohorts: list[tuple[Cohort, Pairs]], task: str) -> tuple[float, float, float, float]:
    """Score with the clean responses, damage and its interval; ``cohorts`` are those of one method."""
    info, values, drawn = TASKS[task], [], []
    for s, (cohort, pairs) in enumerate(cohorts):
        y = cohort.y(task)
        known = ~np.isnan(y)
        weights = bootstrap_weights(cohort.donors[known], DRAWS, s, info.strata(y[known]))
        values.append([info.score(y[known], pred[known]) for pred in pairs[task]])
        scores = [info.score(y[known], pred[known], weights) for pred in pairs[task]]
        drawn.append(scores[0] - scores[1])
    rng = np.random.default_rng([len(cohorts), 44])
    chosen = rng.integers(0, len(cohorts), (len(cohorts), DRAWS))
    low, high = interval(np.take_along_axis(np.array(drawn), chosen, axis=0).mean(axis=0))
    clean, shuffled = np.array(values).mean(axis=0)
    return clean, clean - shuffled, low, high


def table_of(
    seeds: range, methods: dict[str, dict], options: Training, folds: int = 5, **size
) -> tuple[pd.DataFrame, dict[str, float]]:
    """One row per method, and by method the larger damage to disease and age."""
    found: dict[str, list] = {}
    for seed in seeds:
        for name, value in one_cohort(seed, methods, options, folds, size).items():
            found.setdefault(name, []).append(value)
    rows, worst = [], {}
    for name, cohorts in found.items():
        row, worst[name] = {"method": name}, -np.inf
        for task in TASKS:
            clean, lost, low, high = damage(cohorts, task)
            row |= {task: f"{clean:.3f}", f"damage to {task}": f"{lost:+.4f} ({low:+.4f} to {high:+.4f})"}
            worst[name] = max(worst[name], lost) if task != "response" else worst[name]
        rows.append(row)
    return pd.DataFrame(rows), worst


def main(full: bool, first: int) -> None:
    """Print the table and which methods stay below the bar."""
    table, worst = table_of(
        range(first, first + (6 if full else 2)), METHODS, Training(seeds=3), folds=3, donors=200, genes=1000
    )
    print(table.to_string(index=False))
    over = [name for name, lost in worst.items() if lost > BAR]
    print(f"damage to disease and age at most {BAR:g}: all but {', '.join(over) if over else 'none'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="six cohorts")
    parser.add_argument("--seed", type=int, default=0, help="first cohort")
    given = parser.parse_args()
    main(given.full, given.seed)
