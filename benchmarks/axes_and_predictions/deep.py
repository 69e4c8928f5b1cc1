"""Does a deep trunk beside the linear predictors pay, from how many donors on, and what does it cost?

    python benchmarks/axes_and_predictions/deep.py [--donors 5000 ...] [--designs interactions ...] [--full]
    python benchmarks/axes_and_predictions/deep.py DATA [--cohorts sle ...]

Planted (300 features, independent programmes of 30 features each, noise of the size of a programme; a binary label):

* ``interactions``: the log-odds are products of two pairs of 12 programmes;
* ``many``: the same of 30 programmes, which cosines of the axes hardly reach;
* ``thresholds``: two programmes count beyond one standard deviation on either side, and two only together;
* ``linear``: the log-odds are a sum of two of 12 programmes.

With DATA the cohorts of ``benchmarks/real/cohorts.py``. Every fold is fitted once; its predictors are mixed without and
with the deep trunk, on the same donors, folds and seeds. Printed per task: the metric that decides of both, the
difference with the interval of 1,000 draws of donors and its call at a margin of .005, the metric of the deep trunk
alone, its mean share, and seconds of CPU time for the linear predictors and for the deep trunk. Small form: 3 folds, 2
seeds; ``--full``: 5 folds, 5 seeds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.real.cohorts import COHORTS, write_run
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.evaluation.bootstrap import bootstrap_weights, interval
from mtlbio.evaluation.comparisons import call_difference
from mtlbio.kinds.read import read_run
from mtlbio.labels import Binary
from mtlbio.training.deep.fit import fit_deep
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predictors import Predictors, fit_predictors
from mtlbio.training.problem import Problem
from mtlbio.training.refits import Refitter
from mtlbio.training.stacking import stack_predictors
from mtlbio.training.subsets import out_of_fold

FEATURES, OF_PROGRAMME, MARGIN, DRAWS = 300, 30, 0.005, 1000
PROGRAMMES = {"interactions": 12, "many": 30, "thresholds": 12, "linear": 12}


def log_odds(design: str, activity: np.ndarray) -> np.ndarray:
    """(n,) of the label, from the activity of the programmes (n, k)."""
    a, b, c, d = activity.T[:4]
    if design == "linear":
        return a + 0.7 * b
    if design == "thresholds":
        beyond = 2.5 * ((np.abs(a) > 1) - 0.32) + 2.0 * ((np.abs(d) > 1) - 0.32)
        return beyond + 2.0 * (((b > 0.5) & (c > 0)) - 0.15)
    return 1.5 * a * b + 1.5 * c * d


def planted(design: str, donors: int, seed: int) -> tuple[Cohort, np.ndarray]:
    """A cohort with one binary label, and its log-odds."""
    rng = np.random.default_rng([seed, 61])
    activity = rng.standard_normal((donors, PROGRAMMES[design]))
    loadings = np.zeros((activity.shape[1], FEATURES))
    for own in loadings:
        places = rng.choice(FEATURES, OF_PROGRAMME, replace=False)
        own[places] = rng.choice([-1, 1], OF_PROGRAMME) * rng.uniform(0.4, 0.8, OF_PROGRAMME)
    measured = 7 + activity @ loadings + rng.standard_normal((donors, FEATURES))
    odds = log_odds(design, activity)
    sick = rng.random(donors) < 1 / (1 + np.exp(-odds))
    names = [f"d{i:05d}" for i in range(donors)]
    classes = ("healthy", "sick")
    obs = pd.DataFrame({"donor": names, "disease": np.array(classes, dtype=object)[sick.astype(int)]}, index=names)
    genes = tuple(f"g{i:03d}" for i in range(FEATURES))
    return Cohort(measured.astype(np.float32), genes, obs, {"disease": Binary("disease", classes)}), odds


def compared(cohort: Cohort, splits: pd.DataFrame, options: Training) -> pd.DataFrame:
    """A row per task: linear, with the deep trunk, and the deep trunk alone."""
    start = time.process_time()
    refitter = Refitter.of(cohort, splits, options, "cpu", final=False)
    labelled = refitter.labelled([cohort])
    problem, (folds, targets) = refitter.stacked([cohort], labelled), labelled[0]
    lines = fit_predictors(problem, refitter.seeds, options)
    of_lines = time.process_time() - start
    order = np.argsort(cohort.obs.index.astype(str), kind="stable")
    deep = fit_deep(problem, refitter.seeds, options, order)
    of_deep = time.process_time() - start - of_lines

    def predicted(problem: Problem, predictors: Predictors) -> Refit:
        stacking = stack_predictors(problem, predictors.outputs, folds, targets, cohort.donors)
        return Refit(folds, targets, predictors, stacking)

    both = predicted(problem, replace(lines, deep=deep))
    alone = replace(both, stacking=replace(both.stacking, outputs=deep.outputs.numpy()))
    refits = {"linear": predicted(problem, lines), "with deep": both, "deep alone": alone}
    rows = []
    for t, (name, task) in enumerate(cohort.tasks.items()):
        y = cohort.y(name)
        has = ~np.isnan(y)
        of_refits = {arm: out_of_fold(cohort, refit, 0, name)[has] for arm, refit in refits.items()}
        weights = bootstrap_weights(cohort.donors[has], DRAWS, 0, task.strata(y[has]))
        score = {arm: float(task.score(y[has], p)) for arm, p in of_refits.items()}
        drawn = {arm: np.asarray(task.score(y[has], of_refits[arm], weights)) for arm in ("linear", "with deep")}
        sign = -1 if task.decisive.lower_is_better else 1
        difference = sign * (score["with deep"] - score["linear"])
        low, high = interval(sign * (drawn["with deep"] - drawn["linear"]))
        shares = [both.stacking.mixture[i, 0, t].shares[-1] for i in range(len(folds))]
        rows.append(
            {"task": name, "metric": task.decisive.name, "donors": len(np.unique(cohort.donors[has]))}
            | {arm: f"{value:.3f}" for arm, value in score.items()}
            | {"difference": f"{difference:+.4f} [{low:+.4f}, {high:+.4f}]"}
            | {"call": call_difference(low, high, MARGIN), "share": f"{np.mean(shares):.2f}"}
            | {"reads": "/".join(sorted({deep.chosen[i, 0].inputs for i in range(len(folds))}))}
            | {"s linear": f"{of_lines:.0f}", "s deep": f"{of_deep:.0f}"}
        )
    return pd.DataFrame(rows)


def main(given: argparse.Namespace) -> None:
    """Print a table per cohort, one line per task."""
    folds, seeds = (5, 5) if given.full else (3, 2)
    options = Training(seeds=seeds, single_task=False, device="cpu", encoder="mlp", seed=given.seed)
    if given.data is None:
        for donors in given.donors:
            for design in given.designs:
                cohort, odds = planted(design, donors, given.seed)
                table = compared(cohort, make_splits(cohort, Splits(folds=folds)), options)
                (task,) = cohort.tasks.values()
                truth = task.score(cohort.y("disease"), 1 / (1 + np.exp(-odds)))
                table.insert(0, "design", design)
                print(table.assign(truth=f"{truth:.3f}").to_string(index=False), flush=True)
        return
    for name in given.cohorts:
        if not (given.data / name / "expression.parquet").exists():
            print(f"{name}: skipped, no {given.data / name / 'expression.parquet'}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            run = read_run(write_run(name, given.data.resolve(), Path(folder)))
            cohort = build_cohort(run)[0]
        splits = make_splits(cohort, Splits(folds=folds))
        table = compared(cohort, splits, options.model_copy(update={"genes": given.genes}))
        table.insert(0, "cohort", name)
        print(table.to_string(index=False), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--donors", type=int, nargs="+", default=[5000], help="of the planted cohorts")
    parser.add_argument("--designs", nargs="+", default=list(PROGRAMMES), choices=list(PROGRAMMES))
    parser.add_argument("data", type=Path, nargs="?", help="folder of real cohorts, in place of planted ones")
    parser.add_argument("--cohorts", nargs="+", default=list(COHORTS), choices=list(COHORTS))
    parser.add_argument("--genes", type=int, default=5000, help="of real cohorts")
    parser.add_argument("--full", action="store_true", help="five folds and five seeds")
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args())
