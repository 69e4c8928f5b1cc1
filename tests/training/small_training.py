"""A small cohort with a task of every kind, missing labels and a few second visits, and its training problem."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.labels import Binary, Multiclass, Ordinal, Regression
from mtlbio.training.problem import FoldData, Problem, Targets, make_problem, make_targets, prepare_fold

TASKS = {
    "disease": Binary("disease", ("healthy", "sick")),
    "age": Regression("age"),
    "stage": Ordinal("stage", ("I", "II", "III", "IV")),
    "subtype": Multiclass("subtype", ("A", "B", "C")),
}
OPTIONS = Training(genes=70, axes=6, block=4, curves=40, seeds=2, epochs=40, patience=15, single_task=False)


def small_cohort(donors: int = 60, genes: int = 80, seed: int = 0, tasks: tuple[str, ...] = tuple(TASKS)) -> Cohort:
    """Four sparse programmes: disease, age, stage and subtype each follow one; every fourth donor comes twice."""
    rng = np.random.default_rng([seed, 17])
    activity = rng.standard_normal((donors, 4))
    disease = (activity[:, 0] + 0.5 * rng.standard_normal(donors) > 0).astype(int)
    age = 50 + 15 * activity[:, 1] + 4 * rng.standard_normal(donors)
    stage = np.digitize(activity[:, 2] + 0.4 * rng.standard_normal(donors), [-0.7, 0, 0.7])
    subtype = np.digitize(activity[:, 3] + 0.4 * rng.standard_normal(donors), [-0.4, 0.4])
    rows = np.sort(np.concatenate([np.arange(donors), np.arange(0, donors, 4)]))
    loadings = np.zeros((4, genes))
    for k in range(4):
        loadings[k, rng.choice(genes, genes // 5, replace=False)] = rng.normal(0, 1.0, genes // 5)
    expression = 7 + activity[rows] @ loadings + 0.7 * rng.standard_normal((len(rows), genes))
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:03d}" for i in rows],
            "disease": np.array(TASKS["disease"].classes, dtype=object)[disease][rows],
            "age": age[rows],
            "stage": np.array(TASKS["stage"].classes, dtype=object)[stage][rows],
            "subtype": np.array(TASKS["subtype"].classes, dtype=object)[subtype][rows],
        },
        index=[f"s{i:03d}" for i in range(len(rows))],
    )
    for name, share in {"disease": 0.1, "age": 0.2, "stage": 0.3, "subtype": 0.15}.items():
        unknown = rng.random(donors) < share
        obs.loc[unknown[rows], name] = np.nan
    obs = obs[["donor", *tasks]]
    names = tuple(f"g{i:03d}" for i in range(genes))
    return Cohort(expression.astype(np.float32), names, obs, {name: TASKS[name] for name in tasks})


def folds_of(cohort: Cohort, options: Training = OPTIONS, splits: pd.DataFrame | None = None) -> list[FoldData]:
    """Fold 0, fold 1 and the final model's fold of a three-fold split."""
    splits = make_splits(cohort, Splits(folds=3)) if splits is None else splits
    return [prepare_fold(cohort, splits, fold, options) for fold in (0, 1, -1)]


def problem_of(
    cohort: Cohort, folds: list[FoldData], arms: list[np.ndarray] | None = None, options: Training = OPTIONS
) -> tuple[Problem, Targets]:
    """The multi-task arm alone, or the arms given."""
    targets = make_targets(cohort, folds)
    arms = arms or [np.ones(len(cohort.tasks))]
    return make_problem(cohort, folds, targets, arms, options.seeds, "cpu"), targets


def changed(problem: Problem, **values: torch.Tensor) -> Problem:
    """The problem with other tensors."""
    return Problem(**(problem.__dict__ | values))
