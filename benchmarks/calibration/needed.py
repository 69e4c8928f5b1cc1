"""Are four of five found with the donors that were stated, and at the smallest effect that a plan states?

    python benchmarks/calibration/needed.py [--runs 100] [--workers 2] [--write]

Axes are given. ``donors_needed``: cohorts of 60 donors whose interferon effect is drawn (log odds 0 to 2 per SD); where
the axis is left underpowered for want of a link, a fresh cohort of the donors stated for it is planted with the same
effect. ``smallest_effect``: axes of nothing but one, which is given the effect that ``mtlbio plan`` states for disease
and such a cohort. Prints how often the axis is then found; 100 runs take ten minutes on one core. ``--write`` puts
the tables into docs/plan.md.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.calibration.given_axes import results_of
from benchmarks.calibration.pages import DOCS, between, rate
from benchmarks.calibration.planted import COVARIATES, TASKS, Planted, plant
from benchmarks.shared.places import RESULTS
from mtlbio.config import Probe
from mtlbio.probing.association import association
from mtlbio.probing.audit import audited
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.leakage import leakage
from mtlbio.probing.linked import with_links
from mtlbio.probing.plan import task_plan
from mtlbio.probing.plan_design import Design
from mtlbio.probing.trial import Trial
from mtlbio.progress import console, track
from mtlbio.tables import write_table

# name -> what is planted, and the outcomes of the trial
DESIGNS: dict[str, tuple[dict, tuple[str, ...]]] = {
    "one outcome": ({"response": "nothing"}, ("disease",)),
    "two outcomes, one of them driven": ({"response": "nothing"}, ("disease", "response")),
    "two outcomes, both driven": ({"response": "interferon"}, ("disease", "response")),
    "two outcomes, both driven, P(batch = disease) .85": (
        {"response": "interferon", "batch_disease": 0.85},
        ("disease", "response"),
    ),
}
PLANS = {
    "one outcome": ({"response": "nothing"}, ("disease",)),
    "two outcomes": ({"response": "nothing"}, ("disease", "response")),
    "two outcomes, P(batch = disease) .85": (
        {"response": "nothing", "batch_disease": 0.85},
        ("disease", "response"),
    ),
}
DONORS, MOST, LABELLED = 60, 1500, 0.6
SIZES = ((60, 10), (150, 20), (300, 40))


def settled(job: tuple[str, int]) -> list[dict]:
    """A row if the interferon axis of this cohort is open for want of a link: donors stated, and if they found it."""
    console.quiet = True
    name, run = job
    changes, outcomes = DESIGNS[name]
    effect = float(np.random.default_rng([run, 5]).uniform(0, 2))
    first = interferon(DONORS, run, outcomes, interferon=effect, **changes)
    words = first["needed_for"] if isinstance(first["needed_for"], str) else ""
    if "link to" not in words or not first["donors_needed"] <= MOST:
        return []
    # the number counts donors whose label is known
    known = LABELLED if "link to response" in words else 1.0
    again = interferon(math.ceil(first["donors_needed"] / known), 100_000 + run, outcomes, interferon=effect, **changes)
    found = again["verdict"] == "biology"
    return [{"design": name, "effect": effect, "donors": first["donors_needed"], "found": found}]


def interferon(donors: int, run: int, outcomes: tuple[str, ...], **changes) -> pd.Series:
    """The row of ``verdicts.tsv`` of the interferon axis of a planted cohort."""
    planted = with_tasks(plant(donors, run, noise_dims=5, **changes), outcomes)
    tables = examine_cohort(planted.cohort, *results_of(planted), Probe(permutations=199, bootstrap=100))
    return tables["verdicts"].iloc[planted.roles.index("interferon")]


def with_tasks(planted: Planted, outcomes: tuple[str, ...]) -> Planted:
    """The cohort with some of its outcomes."""
    tasks = {name: TASKS[name] for name in (*outcomes, "age")}
    return replace(planted, cohort=replace(planted.cohort, tasks=tasks))


def planned(job: tuple[str, int, int, int]) -> dict:
    """Whether an axis with the smallest effect of the plan is linked, and firmly with disease."""
    name, donors, dims, run = job
    console.quiet = True
    changes, outcomes = PLANS[name]
    obs = plant(donors, run, interferon=0.0, **changes).obs
    tasks = {task: TASKS[task] for task in outcomes}
    options = Probe()
    design = Design(name, *audited(Trial.to_come(obs, tasks, dict(COVARIATES), options)), dims, {})
    effect = task_plan(design, "disease").smallest
    case = (obs["disease"] == "case").to_numpy(float)
    z = np.random.default_rng([run, 6]).normal(size=(donors, dims))
    explained = effect**2 * case.mean() * (1 - case.mean())
    z[:, 0] = effect * case + math.sqrt(1 - explained) * z[:, 0]
    names = tuple(f"z{d:02d}" for d in range(dims))
    trial = Trial(z, names, np.array(["axis"] * dims), obs, tasks, dict(COVARIATES), options)
    beside = leakage(trial, with_links(trial, association(trial)))
    mine = beside[(beside["dim"] == names[0]) & (beside["task"] == "disease")]
    return {"design": name, "donors": donors, "dims": dims, "effect": effect, "found": bool(mine["firm"].any())}


def documented(needed: pd.DataFrame, plans: pd.DataFrame) -> list[str]:
    """Both tables of docs/plan.md."""
    out = ["| `donors_needed` of a link, stated at 60 donors | median stated | found with them |", "|---|---|---|"]
    for name, its in [*needed.groupby("design", sort=False), ("all", needed)]:
        out.append(f"| {name} | {its['donors'].median():.0f} | {rate(its['found'])} |")
    out += ["", "| `smallest_effect` | donors, dimensions | mean, SD | found |", "|---|---|---|---|"]
    for (name, donors, dims), its in plans.groupby(["design", "donors", "dims"], sort=False):
        out.append(f"| {name} | {donors}, {dims} | {its['effect'].mean():.2f} | {rate(its['found'])} |")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/plan.md")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    given = parser.parse_args()
    open_ = [(name, run) for name in DESIGNS for run in range(given.runs)]
    sizes = [(name, *size, run) for name in PLANS for size in SIZES for run in range(given.runs)]
    with ProcessPoolExecutor(given.workers) as pool:
        rows = track(pool.map(settled, open_, chunksize=4), "cohorts of 60 donors", len(open_))
        needed = pd.DataFrame([row for some in rows for row in some])
        plans = pd.DataFrame(track(pool.map(planned, sizes, chunksize=4), "planned cohorts", len(sizes)))
    write_table(needed, RESULTS / "donors_needed.tsv")
    write_table(plans, RESULTS / "smallest_effect.tsv")
    text = "\n".join(documented(needed, plans))
    if given.write:
        between(DOCS / "plan.md", text, "<!-- needed -->")
    print(text)


if __name__ == "__main__":
    main()
