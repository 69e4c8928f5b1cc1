"""What the benchmarks of doses share: settings, folds, and how two predictions of the same people compare.

Every number is of people (cell lines) that were held out, in the units of the file; intervals are paired bootstraps
over them, 95 %. Nothing is chosen on held-out people: settings are the defaults but for the curves, of which there are
fewer for the sake of time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.prepare import build_cohort
from mtlbio.config import Training
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.kinds.read import read_run
from mtlbio.metrics import Metric, metric
from mtlbio.training.problem import make_problem, make_targets, prepare_fold
from mtlbio.training.refits import Refit, Refitter

DRAWS = 1000


def settings(full: bool, **changes) -> Training:
    """The defaults with borrowing, and fewer curves, which cost time, unless the form is full. All five seeds: only
    together do they validate on every labelled sample."""
    return Training(**{"curves": 500 if full else 200, "borrowing": True} | changes)


def fitted(
    cohort: Cohort, fold: np.ndarray, options: Training, arms: list[np.ndarray], only: list[int] | None = None
) -> Refit:
    """Train on the samples outside each fold of ``only``, all of them where left out; ``fold`` (n,)."""
    splits = pd.DataFrame({"sample": cohort.samples, "donor": cohort.donors, "fold": fold})
    folds = [prepare_fold(cohort, splits, f, options) for f in (only or sorted(set(fold.tolist())))]
    problem = make_problem(cohort, folds, make_targets(cohort, folds), arms, options.seeds, "cpu")
    (refit,) = Refitter(options, folds, problem).refit([cohort])
    return refit


def compared(
    cohort: Cohort, task: str, together: np.ndarray, alone: np.ndarray, by: Metric = metric.MAE, other: str = "alone"
) -> str:
    """Both, the gain and its interval, on the samples that both predict; ``other`` names the second."""
    arms = {"together": together, "alone": alone}
    scores = TaskPredictions(cohort.tasks[task], cohort.samples, cohort.donors, cohort.y(task), arms).common(*arms)
    both = [scores.value(arm, by) for arm in arms]
    gain = scores.difference(*arms, by, DRAWS, 0)
    said = f"{by.name} together {both[0]:.3f}, {other} {both[1]:.3f}; gain {gain.value:.3f} ({gain.ci_low:.3f} to "
    share = f", {gain.value / both[1]:.1%} of {other}" if by.lower_is_better else ""
    return f"{said}{gain.ci_high:.3f}){share}, n {scores.n_samples}, {'above 0' if gain.ci_low > 0 else 'NOT above 0'}"


def told(cohort: Cohort, task: str, pred: np.ndarray) -> str:
    """MAE, R2, r and the share within the tolerance, with intervals."""
    info, arms = cohort.tasks[task], {"own": pred}
    scores = TaskPredictions(info, cohort.samples, cohort.donors, cohort.y(task), arms).common("own")
    shown = [metric.MAE, metric.R2, metric.PEARSON, *(m for m in info.metrics if m.name.startswith("within"))]
    found = {m.name: scores.estimate("own", m, DRAWS, 0) for m in shown}
    return ", ".join(f"{name} {e.value:.3f} ({e.ci_low:.3f} to {e.ci_high:.3f})" for name, e in found.items())


def cohort_of(table: pd.DataFrame, run: dict) -> Cohort:
    """The cohort that ``mtlbio prepare`` would make of a table and a run's YAML."""
    with tempfile.TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "table.csv", index=False, na_rep="NA")
        run = {"run": "doses", **run, "features": {"path": "table.csv", **run["features"]}}
        (Path(folder) / "run.yaml").write_text(yaml.safe_dump(run))
        return build_cohort(read_run(Path(folder) / "run.yaml"))[0]
