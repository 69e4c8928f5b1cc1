"""The train step: folds x arms x seeds in one stack, then everything folded onto canonical dimensions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.config import Training
from mtlbio.errors import InputError, listing
from mtlbio.kinds import kind_named
from mtlbio.kinds.schemas import DonorRun
from mtlbio.model.ensemble import FINAL, save_ensemble
from mtlbio.model.latents import write_latents
from mtlbio.model.outputs import Outputs
from mtlbio.progress import say, track
from mtlbio.tables import CONFLICT, HISTORY, PREDICTIONS, SPLITS, read_table, write_table
from mtlbio.training.conflict import conflict_table
from mtlbio.training.cross_task_stacking import with_cross_task_stacks
from mtlbio.training.device import choose_device
from mtlbio.training.extras import with_extras
from mtlbio.training.folding import fold_in_of
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.problem import make_problem, make_targets, prepare_fold
from mtlbio.training.stacking import stack_predictors

# The history keeps every fifth epoch: enough for a curve, a fifth of the rows.
_HISTORY_EVERY = 5


def train(run: DonorRun, results: Path) -> None:
    """Fit the network; write ``model/``, ``history.tsv``, ``conflict.tsv``, ``latents.h5ad``, ``predictions.tsv``.

    Raises
    ------
    InputError
        A GPU was asked for and there is none, the results folder lacks the prepared cohort, or a prediction is no
        number.
    """
    results = Path(results)
    cohort = read_cohort(results / "cohort.h5ad")
    splits = read_table(results / "splits.tsv", SPLITS)
    options = run.training
    device = choose_device(options.device)
    numbers = [*sorted(int(fold) for fold in splits["fold"].unique()), FINAL]
    folds = [
        prepare_fold(cohort, splits, fold, options) for fold in track(numbers, "Finding gene-sparse axes", len(numbers))
    ]
    say(f"Axes per fold: {', '.join(str(data.axes.n_axes) for data in folds)} (last: all donors)")
    names, arms = arms_of(cohort, options)
    targets = make_targets(cohort, folds)
    problem = make_problem(cohort, folds, targets, arms, options.seeds, device)
    problem = with_extras(problem, cohort, folds, options)
    seeds = [options.seed + s for s in range(options.seeds)]
    say(f"Training {2 * len(folds) * len(arms) * len(seeds)} networks on {device}")
    predictors = fit_predictors(
        problem, seeds, options, lambda epochs, name: track(epochs, f"Training the {name} block", len(epochs))
    )
    stacking = stack_predictors(problem, predictors.outputs, folds, targets)
    if options.borrowing:
        stacking = with_cross_task_stacks(problem, stacking, folds, targets)
    canonical = fold_in_of(cohort)(cohort, folds, targets, predictors.heads, predictors.blocks, stacking, seeds)
    description = {"kind": cohort.kind, "training": options.model_dump(mode="json")}
    description |= {"preprocessing": cohort.preprocessing}
    save_ensemble(canonical.ensemble, results / "model", description)
    write_latents(cohort, splits, canonical, results / "latents.h5ad")
    write_table(
        _predictions(cohort, folds, targets, stacking, names, arms, seeds), results / "predictions.tsv", PREDICTIONS
    )
    kind_named(cohort.kind).part("train", "further_tables", missing=None)(cohort, canonical.ensemble, results)
    history = _history(predictors.blocks["dense"], folds, names, arms, list(cohort.tasks), seeds)
    write_table(history, results / "history.tsv", HISTORY)
    write_table(
        conflict_table(
            predictors.blocks["dense"].gradients, list(cohort.tasks), _labelled_donors(cohort), _HISTORY_EVERY
        ),
        results / "conflict.tsv",
        CONFLICT,
    )


def arms_of(cohort: Cohort, options: Training) -> tuple[list[str], list[np.ndarray]]:
    """Name and active tasks of every arm: all tasks together, then each task alone."""
    t = len(cohort.tasks)
    alone = list(np.eye(t)) if options.single_task else []
    return ["multitask"] + ["singletask"] * len(alone), [np.ones(t), *alone]


def _labelled_donors(cohort: Cohort) -> np.ndarray:
    """(donors, tasks) who has which label."""
    known = np.stack([~np.isnan(cohort.y(task)) for task in cohort.tasks], axis=1)
    return pd.DataFrame(known).groupby(cohort.donors).any().to_numpy()


def _predictions(cohort, folds, targets, stacking, names, arms, seeds) -> pd.DataFrame:
    """Rows of predictions.tsv for every held-out sample, arm, seed and task."""
    packing = Outputs.of(cohort.tasks)
    parts = []
    for i, data in enumerate(folds):
        if data.fold == FINAL:
            continue
        base = {"sample": cohort.samples[data.test], "donor": cohort.donors[data.test], "fold": data.fold}
        for j, (name, active) in enumerate(zip(names, arms, strict=True)):
            for t, task in enumerate(packing.tasks):
                if not active[t]:
                    continue
                y = cohort.y(task.name)[data.test]
                for q, seed in enumerate(seeds):
                    raw = stacking.outputs[i, j, q][data.test][:, packing.outputs[t]]
                    predicted = task.to_prediction(raw, targets.mean[i, t], targets.scale[i, t])
                    row = base | {"seed": str(seed), "arm": name, "task": task.name}
                    parts += [pd.DataFrame(row | own) for own in task.rows(y, predicted)]
    table = pd.concat(parts, ignore_index=True)
    astray = table.loc[~np.isfinite(table["y_pred"]), "task"].unique()
    if len(astray):
        raise InputError(
            f"{listing(astray)}: some predictions are no numbers, so a loss has diverged; lower "
            "training.learning_rate, or let the kind of label bound the curvature of its loss (docs/labels.md)"
        )
    return table


def _history(fitted, folds, names, arms, tasks, seeds) -> pd.DataFrame:
    """Rows of history.tsv: loss of the block's epochs, training and validation donors."""
    losses = fitted.history.cpu().numpy()[::_HISTORY_EVERY]
    epochs, parts, f, a, s, t = losses.shape
    index = pd.MultiIndex.from_product(
        [
            np.arange(epochs) * _HISTORY_EVERY,
            ["train", "validation"],
            [data.fold for data in folds],
            np.arange(a),
            [str(seed) for seed in seeds],
            np.arange(t),
        ],
        names=["epoch", "part", "fold", "arm", "seed", "task"],
    )
    table = pd.DataFrame({"loss": losses.ravel()}, index).reset_index()
    trained = np.stack(arms)[table["arm"], table["task"]] > 0
    table = table[trained].reset_index(drop=True)
    table["task"] = np.array(tasks)[table["task"]]
    table["arm"] = np.array(names)[table["arm"]]
    return table
