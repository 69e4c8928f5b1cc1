"""Do heads of the network that know the site predict better there? Heart disease at 4 hospitals, warfarin at 18 sites.

    python benchmarks/real/site_heads.py DATA [--only heart] [--folds 5] [--write]

DATA holds ``heart_four_hospitals/`` and ``warfarin_iwpc/``. The same folds of patients three times: heads that all
sites share, an intercept of each site, slopes of its own (``training.sites``). Prints, at every hospital and over all
sites, the log loss of the disease (an intercept changes no AUROC within a site) and the mean absolute error of the dose
in mg a week, and how much more or less it is than of the shared heads, with the interval of 1,000 bootstrap draws of
patients within sites. ``--write`` keeps it in ``docs/sites.md``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import yaml

from benchmarks.calibration.pages import DOCS, between
from benchmarks.doses.warfarin import CATEGORIES, NUMERIC, patients
from benchmarks.real.hospitals import described
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.config.training import Sites
from mtlbio.kinds.read import read_run
from mtlbio.labels import Label
from mtlbio.progress import show_progress
from mtlbio.training.fold_parts import fit_folds

FORMS = (None, "intercept", "deviations")
SHOWN = 100  # patients of a site with a line of its own
DRAWS = 1000


def warfarin(data: Path, folder: Path) -> dict:
    """The run of the dose; writes its table."""
    patients(data).to_csv(folder / "warfarin.csv", index=False)
    return {
        "run": "warfarin",
        "features": {"path": "warfarin.csv", "numeric": NUMERIC, "categories": CATEGORIES},
        "metadata": {"sample": "subject_id", "donor": "subject_id"},
        "tasks": {"dose": {"kind": "regression", "column": "dose_mg_week", "transform": "sqrt"}},
        "covariates": {"site": {"role": "technical"}},
    }


RUNS = {"heart": described, "warfarin": warfarin}


def predicted(content: dict, folder: Path, folds: int) -> tuple[Label, pd.DataFrame]:
    """The task, and of every patient ``site``, ``y`` and the held-out prediction of every form."""
    (folder / "run.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    run = read_run(folder / "run.yaml")
    cohort = build_cohort(run)[0]
    splits = make_splits(cohort, Splits(folds=folds))
    (task,) = cohort.tasks.values()
    table = pd.DataFrame({"site": cohort.obs["site"].astype(str).to_numpy(), "y": cohort.y(task.name)})
    for form in FORMS:
        sites = None if form is None else Sites(by="site", heads=form)
        options = run.training.model_copy(update={"sites": sites, "single_task": False, "device": "cpu"})
        refit = fit_folds(cohort, splits, options, sorted(splits["fold"].unique()))
        values = np.full(len(table), np.nan)
        for i, data in enumerate(refit.folds):
            outputs = refit.stacking.outputs[i, 0][:, data.test]
            values[data.test] = task.to_prediction(outputs, refit.targets.mean[i, 0], refit.targets.scale[i, 0]).mean(0)
        table[form or "shared"] = values
    return task, table


def loss(task: Label, rows: pd.DataFrame, form: str) -> np.ndarray:
    """(n,) of every patient: minus the logarithm of what was predicted of its class, or the absolute error."""
    y, predicted = rows["y"].to_numpy(), rows[form].to_numpy()
    if not task.classes:
        return np.abs(predicted - y)
    return -np.log(np.clip(np.where(y == 1, predicted, 1 - predicted), 1e-6, 1))


def mean_draws(values: np.ndarray, site: np.ndarray) -> np.ndarray:
    """(draws,) means of values (n,), patients drawn anew within sites."""
    rng, sums = np.random.default_rng(0), np.zeros(DRAWS)
    for level in np.unique(site):
        its = values[site == level]
        sums += its[rng.integers(0, len(its), (DRAWS, len(its)))].sum(axis=1)
    return sums / len(values)


def lines(name: str, task: Label, table: pd.DataFrame) -> list[str]:
    """A line for every site, and one for all."""
    table, out = table.dropna(), []
    sites = [(site, its) for site, its in table.groupby("site") if len(its) >= SHOWN]
    for site, rows in [*(sites if task.classes else []), ("all", table)]:
        shared = loss(task, rows, "shared")
        cells = [f"{shared.mean():.3f}"]
        for form in FORMS[1:]:
            own = loss(task, rows, str(form))
            low, high = np.quantile(mean_draws(own - shared, rows["site"].to_numpy()), [0.025, 0.975])
            cells.append(f"{own.mean():.3f} ({low:+.3f} to {high:+.3f})")
        out.append(f"| {name} | {site} | {len(rows)} | {' | '.join(cells)} |")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=list(RUNS), action="append")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    text = ["| cohort | site | patients | shared | intercept | deviations |", "|---" * 6 + "|"]
    for name in given.only or RUNS:
        with tempfile.TemporaryDirectory() as folder:
            text += lines(name, *predicted(RUNS[name](given.data, Path(folder)), Path(folder), given.folds))
    print("\n".join(text))
    if given.write:
        between(DOCS / "sites.md", "\n".join(text), "<!-- site heads -->")


if __name__ == "__main__":
    show_progress()
    main()
