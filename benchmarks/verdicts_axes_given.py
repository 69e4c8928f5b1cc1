"""Error rates of the trial when the axes are given: type I error, coverage, and planted role x verdict.

    python benchmarks/verdicts_axes_given.py [--full] [--seed 0]

Small form: some minutes on one core. The axes are planted, so this judges the statistics and the rules, not the
model that finds the axes.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "probing"))

import numpy as np
import pandas as pd
from planted import plant, results_of, trial_of
from scipy import stats

from mtlbio.config import Probe
from mtlbio.probing.association import association, effects, task_design
from mtlbio.probing.inference import Contrast
from mtlbio.probing.probe import examine
from mtlbio.progress import console

SHAPES = ("linear", "u", "step", "age_x_batch")
ARMS = {
    "clear": {},
    "interferon rises with age (r .6)": {"interferon_age": 0.6},
    "P(batch = disease) .85": {"batch_disease": 0.85},
    "P(batch = disease) 1": {"batch_disease": 1.0},
    "disease follows age, U": {"shape": "u", "age_effect": 1.5},
    "disease follows age x batch": {"shape": "age_x_batch", "age_effect": 1.5},
    "three visits": {"visits": 3},
    "4 batches": {"batches": 4},
    "nothing causes disease": {"interferon": 0.0, "age_effect": 0.0, "response": "nothing"},
    "disease follows age only": {"interferon": 0.0, "age_effect": 1.5, "response": "age"},
}


def wilson(hits: int, n: int) -> str:
    """Rate with its 95 % Wilson interval."""
    if n == 0:
        return "-"
    interval = stats.binomtest(int(hits), int(n)).proportion_ci(method="wilson")
    return f"{hits / n:.3f} ({interval.low:.3f}-{interval.high:.3f}, n={n})"


def type_one(shape: str, donors: int, runs: int, seed: int, visits: int = 1, noise_dims: int = 10) -> dict[str, str]:
    """Rejection of true nulls at .05: dimensions that follow the (shaped) age, or nothing, and never the disease."""
    hits = {"wald": 0, "permutation": 0, "both": 0}
    n = 0
    for run in range(runs):
        planted = plant(
            donors, seed + run, 0.0, 1.5, shape, visits=visits, noise_dims=noise_dims, leak=0.0, shaped_axis=True
        )
        trial = trial_of(planted)
        table = association(trial)
        rows = table[(table["question"] == "task") & (table["variable"] == "disease")]
        # the dimensions that follow the programme of age are the ones that confounding can fool
        rows = rows[np.isin(planted.roles, ["age"]) if noise_dims == 0 else np.ones(len(rows), bool)]
        for key, column in (("wald", "p_wald"), ("permutation", "p_permutation"), ("both", "p")):
            hits[key] += int((rows[column] < 0.05).sum())
        n += len(rows)
    return {key: wilson(count, n) for key, count in hits.items()}


def coverage(donors: int, runs: int, seed: int, **changes) -> tuple[int, int]:
    """How often the 95 % interval of the disease effect holds the true one (that of 20,000 donors)."""
    big = plant(20_000, seed + 1, noise_dims=0, **changes)
    truth = _disease_effect(big)[0]
    inside = n = 0
    for run in range(runs):
        _, low, high = _disease_effect(plant(donors, seed + 1000 + run, noise_dims=0, **changes))
        inside += int(((low <= truth) & (truth <= high)).sum())
        n += len(truth)
    return inside, n


def _disease_effect(planted):
    trial = trial_of(planted)
    units, given, columns = task_design(trial, "disease")
    z = units.mean(trial.z)
    return effects(Contrast(columns, given, units).wald(z), z)


def confusion(donors: int, runs: int, seed: int, **changes) -> tuple[pd.DataFrame, int]:
    """Planted role x verdict over ``runs`` cohorts, and the runs with any biology that is not interferon."""
    counts: dict[tuple[str, str], int] = {}
    false_runs = 0
    for run in range(runs):
        planted = plant(donors, seed + run, **changes)
        latents, ensemble = results_of(planted)
        verdicts = examine(planted.cohort, latents, ensemble, Probe(permutations=499, bootstrap=300), {})["verdicts"]
        causal = changes.get("interferon", 1.5) != 0 or changes.get("response", "interferon") == "interferon"
        pairs = list(zip(planted.roles, verdicts["verdict"], strict=True))
        false_runs += any(v == "biology" and not (r == "interferon" and causal) for r, v in pairs)
        for role, verdict in pairs:
            counts[role, verdict] = counts.get((role, verdict), 0) + 1
    table = pd.Series(counts).unstack(fill_value=0)
    return table, false_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="twenty times the cohorts, three sizes")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    runs, sizes = (100, (80, 200, 500)) if arguments.full else (5, (80, 200))
    console.quiet = True
    print("Type I error at .05, 80 donors (age axis only, then all axes; both = what counts)")
    for shape in SHAPES:
        for label, dims in (("age axis", 0), ("all axes", 10)):
            print(
                f"  {shape:12s} {label}",
                type_one(shape, 80, runs * (8 if dims == 0 else 3), arguments.seed, noise_dims=dims),
            )
    print("  three visits, all axes", type_one("linear", 80, runs * 3, arguments.seed, visits=3))
    print("Coverage of the 95 % interval of the disease effect, five axes")
    for donors in sizes:
        for label in ("clear", "P(batch = disease) .85", "three visits"):
            inside, n = coverage(donors, runs * 5, arguments.seed, **ARMS[label])
            print(f"  {donors} donors, {label}: {wilson(inside, n)}")
    for donors in sizes:
        for label, changes in ARMS.items():
            table, false_runs = confusion(donors, runs, arguments.seed, **changes)
            print(f"\n{donors} donors, {label}: runs with any false biology {wilson(false_runs, runs)}")
            print(table.to_string(), flush=True)


if __name__ == "__main__":
    main()
