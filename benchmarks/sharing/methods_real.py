"""Every balancer and every sharing scheme against the plain sum, on real cohorts: is the plain default honest?

    python benchmarks/sharing/methods_real.py DATA [--only sle covid_proteome ...] [--seeds 2] [--tables]

Each cohort is trained on its natural tasks, out of fold, once per method; folds, axes, seeds and inner validation
donors are the same for all. Two settings: *as shipped*, where the sparse heads on axes and genes stand beside the
shared part and the mixture may lean on them, and *shared part only* (``training.paths: [dense, curved]``), where a
method has nothing to hide behind. Compared is the primary metric of every task (AUROC, macro AUROC, R2) with that of
equal weights and hard sharing; *alone* are the matched single-task networks of the plain sum. The interval is a paired
bootstrap over donors, and holds for all methods and tasks of a cohort and setting at once (largest standardised
deviation over the draws): *wins* and *loses* are differences whose interval excludes 0.

DATA holds the cohorts, as in ``benchmarks/real/cohorts.py``; two tabular ones are read as they are: ln IC50 of three
drugs on one pathway, and heart disease with a task for each of four hospitals. Cohorts with a single task are left out.
Predictions are kept below results/benchmarks/methods_real/ until a source of the training changes, so a killed run goes
on where it stopped; ``--tables`` prints what is there.
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

from benchmarks.real.cohorts import COHORTS
from benchmarks.real.runs import described, prepared
from benchmarks.real.tabular import TABULAR, described_table
from benchmarks.shared.places import RESULTS, ROOT
from benchmarks.shared.sources import digest_of
from benchmarks.sharing.refitted import with_options
from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.sharing import SHARING
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Training
from mtlbio.evaluation.bootstrap import bootstrap_weights, fewest, simultaneous
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.progress import hushed, say, show_progress, track
from mtlbio.training.cross_task_stacking import with_cross_task_stacks
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.refits import Refit, Refitter
from mtlbio.training.stacking import stack_predictors
from mtlbio.training.subsets import out_of_fold

STORE = RESULTS / "methods_real"
PLAIN, ALONE = "equal", "alone"
SETTINGS = {"as shipped": ("axes", "genes", "dense", "curved"), "shared part only": ("dense", "curved")}
METHODS: dict[str, dict] = {
    PLAIN: {},
    **{name: {"balancing": name} for name in BALANCERS if name != PLAIN},
    **{name: {"sharing": name} for name in SHARING if name != "hard"},
    "borrowing": {"borrowing": True},
}
SHIPPED = {"leukaemia": ROOT / "config" / "runs" / "leukaemia.yaml"}
NAMES = (*COHORTS, *SHIPPED, *TABULAR)
DRAWS = 2000

# by (setting, method, task): predictions of all samples, out of fold
Found = dict[tuple[str, str, str], np.ndarray]


def run_of(name: str, data: Path) -> CohortRun:
    """The run of a cohort, on a processor."""
    if name in SHIPPED:
        run = read_run(SHIPPED[name])
        return run.model_copy(update={"training": run.training.model_copy(update={"device": "cpu"})})
    return described_table(name, data, STORE) if name in TABULAR else described(name, data, STORE)


class Fits:
    """A cohort on its folds, with everything that no method changes fitted once."""

    def __init__(self, cohort: Cohort, splits: pd.DataFrame, options: Training):
        tasks = len(cohort.tasks)
        self.cohort, self.options = cohort, options
        self.refitter = Refitter.of(cohort, splits, options, "cpu", [np.ones(tasks), *np.eye(tasks)], final=False)
        ((self.folds, self.targets),) = self.refitter.labelled([cohort])
        problem = self.refitter.stacked([cohort], [(self.folds, self.targets)])
        self.base = fit_predictors(problem, self.refitter.seeds, options)
        # methods act where tasks meet: the single-task networks are fitted once
        self.problem = replace(problem, active=problem.active[:1])

    def predictions(self, changes: dict) -> Found:
        """Out-of-fold predictions under other options; of the plain sum, those of the single-task networks too."""
        options = self.options.model_copy(update=changes)
        paths, found = with_options(self.problem, self.base, options, changes, self.refitter.seeds), {}
        for setting, names in SETTINGS.items():
            problem = replace(self.refitter.problem, paths=names)
            if paths is not self.base:
                problem = replace(problem, active=problem.active[:1])
            stacking = stack_predictors(problem, paths.outputs, self.folds, self.targets)
            stacking = (
                with_cross_task_stacks(problem, stacking, self.folds, self.targets)
                if changes.get("borrowing")
                else stacking
            )
            refit = Refit(self.folds, self.targets, paths, stacking)
            for t, task in enumerate(self.cohort.tasks):
                found[setting, "", task] = out_of_fold(self.cohort, refit, 0, task)
                if not changes:
                    found[setting, ALONE, task] = out_of_fold(self.cohort, refit, 1 + t, task)
        return found


def version() -> str:
    """Digest of the sources that predictions depend on."""
    return digest_of(("mtlbio.cohort", "mtlbio.model", "mtlbio.training"))


def make(name: str, data: Path, seeds: int) -> None:
    """Fit every method on a cohort unless its predictions are there."""
    run, folder = run_of(name, data), STORE / name
    cohort = prepared(run, folder)
    options = run.training.model_copy(update={"seeds": seeds, "single_task": True})
    places = {method: folder / version() / f"{method}.npz" for method in METHODS}
    missing = [method for method, place in places.items() if not place.exists()]
    if not missing:
        return
    say(f"{name}: {len(cohort.obs)} samples, tasks {', '.join(cohort.tasks)}")
    fits = Fits(cohort, make_splits(cohort, run.splits), options)
    for method in track(missing, f"{name}: methods", len(missing)):
        found = fits.predictions(METHODS[method])
        places[method].parent.mkdir(parents=True, exist_ok=True)
        hidden = places[method].with_name(f".{method}.npz")
        np.savez_compressed(hidden, **{"|".join(key): value for key, value in found.items()})
        os.replace(hidden, places[method])


def kept(name: str, latest: bool) -> Found:
    """What was predicted by the present sources; ``latest``: by those that predicted last."""
    found: Found = {}
    folder = STORE / name / version()
    if latest:
        places = (STORE / name).glob("*/[!.]*.npz")
        folder = max(places, key=lambda f: f.stat().st_mtime, default=folder / "none").parent
    for place in sorted(folder.glob("[!.]*.npz")):
        with np.load(place) as values:
            for key in values.files:
                setting, arm, task = key.split("|")
                found[setting, arm or place.stem, task] = values[key]
    return found


def differences(cohort: Cohort, found: Found, setting: str) -> pd.DataFrame:
    """One row per method and task: score, difference from the plain sum and its simultaneous interval."""
    methods = [PLAIN, *dict.fromkeys(method for own, method, _ in found if own == setting and method != PLAIN)]
    rows, drawn, donors = [], [], []
    for task, info in cohort.tasks.items():
        y = cohort.y(task)
        known = ~np.isnan(y)
        weights = bootstrap_weights(cohort.donors[known], DRAWS, 0, info.strata(y[known]))
        preds = {method: found[setting, method, task][known] for method in methods}
        plain = info.score(y[known], preds[PLAIN]), info.score(y[known], preds[PLAIN], weights)
        for method, pred in preds.items():
            value, own = info.score(y[known], pred), info.score(y[known], pred, weights)
            row = {"task": task, "metric": info.decisive.name, "method": method, "value": value}
            rows.append(row | {"difference": value - plain[0]})
            drawn.append(own - plain[1])
            donors.append(fewest(info, y, cohort.donors))
    table = pd.DataFrame(rows)
    low, high = simultaneous(table["difference"].to_numpy(), np.array(drawn).T, np.array(donors))
    return table.assign(low=low, high=high)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Methods in rows, tasks in columns."""

    def cell(row: pd.Series) -> str:
        if row["method"] == PLAIN:
            return f"{row['value']:.3f}"
        mark = " wins" if row["low"] > 0 else " loses" if row["high"] < 0 else ""
        return f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f}){mark}"

    out = table.assign(cell=table.apply(cell, axis=1), task=table["task"] + ", " + table["metric"])
    wide = out.pivot(index="method", columns="task", values="cell")
    return wide.reindex(columns=out["task"].unique(), index=[m for m in (*METHODS, ALONE) if m in wide.index])


def by_method(tables: dict[tuple[str, str], pd.DataFrame], setting: str) -> pd.DataFrame:
    """One row per method: its differences over all cohorts and tasks, in which it wins and in which it loses."""
    rows = pd.concat([t.assign(cohort=name) for (name, own), t in tables.items() if own == setting])
    rows = rows[rows["method"] != PLAIN]
    rows["where"] = rows["cohort"] + " " + rows["task"] + rows["difference"].map(" {:+.3f}".format)
    lines = []
    for method in [m for m in (*METHODS, ALONE) if m in set(rows["method"])]:
        own = rows[rows["method"] == method]
        spread = own["difference"].quantile([0, 0.5, 1]).map("{:+.3f}".format)
        line = {"method": method, "comparisons": len(own), "least": spread[0], "median": spread[0.5]}
        line |= {"most": spread[1], "wins": ", ".join(own.loc[own["low"] > 0, "where"])}
        lines.append(line | {"loses": ", ".join(own.loc[own["high"] < 0, "where"])})
    return pd.DataFrame(lines)


def main() -> None:
    """Fit what is missing and print a table per cohort and setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of real cohorts")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tables", action="store_true", help="only print what is there")
    options = parser.parse_args()
    tables = {}
    for name in options.only:
        folder = {"leukaemia": None}.get(name, options.data / name)
        if folder is not None and not folder.exists():
            print(f"{name}: skipped, no {folder}")
            continue
        if not options.tables:
            make(name, options.data.resolve(), options.seeds)
        found = kept(name, options.tables)
        if not found:
            continue
        with hushed():
            cohort = prepared(run_of(name, options.data.resolve()), STORE / name)
        for setting in SETTINGS:
            tables[name, setting] = differences(cohort, found, setting)
            print(f"\n{name}, {setting} ({len(set(cohort.donors))} donors)")
            print(shown(tables[name, setting]).to_string(), flush=True)
    for setting in SETTINGS if tables else ():
        print(f"\nAll cohorts, {setting}: difference from the plain sum")
        print(by_method(tables, setting).to_string(index=False))


if __name__ == "__main__":
    show_progress()
    main()
