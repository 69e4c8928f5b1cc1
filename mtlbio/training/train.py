"""The train step: folds x arms x seeds in one stack, then everything folded onto canonical dimensions."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.errors import InputError, listing
from mtlbio.kinds import kind_named
from mtlbio.kinds.schemas import DonorRun
from mtlbio.model.ensemble import FINAL, save_ensemble
from mtlbio.model.latents import write_latents
from mtlbio.model.outputs import Outputs
from mtlbio.parts import sweep
from mtlbio.tables import (
    CONFLICT,
    HISTORY,
    PREDICTIONS,
    SITE_PREDICTIONS,
    SITE_SPLITS,
    SPLITS,
    read_table,
    write_table,
)
from mtlbio.training.conflict import conflict_table
from mtlbio.training.fold_parts import arms_of, fit_folds, fit_part, gathered, read_prepared
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.problem import FoldData
from mtlbio.training.refits import folds_of, seeds_of
from mtlbio.training.replicas import Fitted

# The history keeps every fifth epoch: enough for a curve, a fifth of the rows.
HISTORY_EVERY = 5


def train(run: DonorRun, results: Path) -> None:
    """Fit the network; write ``model/``, ``history.tsv``, ``conflict.tsv``, ``latents.h5ad``, ``predictions.tsv``.

    With ``splits.also`` all arms are fitted once more with whole levels held out: ``sites/predictions.tsv``.

    Raises
    ------
    InputError
        A GPU was asked for and there is none, the results folder lacks the prepared cohort, or a prediction is no
        number.
    """
    results, options = Path(results), run.training
    cohort, splits = read_prepared(results)
    refit = gathered(run, results, cohort, splits)
    names, arms = arms_of(cohort, options)
    seeds, tasks, dense = seeds_of(options), list(cohort.tasks), refit.predictors.blocks["dense"]
    canonical = kind_named(cohort.kind).part("train", "canonical_axes")(cohort, refit, seeds)
    description = {"kind": cohort.kind, "training": options.model_dump(mode="json")}
    reference = kind_named(cohort.kind).part("train", "reference", missing=None)(cohort, canonical.ensemble, splits)
    description |= {"preprocessing": cohort.preprocessing}
    save_ensemble(canonical.ensemble, results / "model", description, reference)
    write_latents(cohort, splits, canonical, results / "latents.h5ad")
    write_table(_predictions(cohort, refit, names, arms, seeds), results / "predictions.tsv", PREDICTIONS)
    kind_named(cohort.kind).part("train", "further_tables", missing=None)(cohort, canonical.ensemble, results)
    write_table(history_table(dense, refit.folds, names, arms, tasks, seeds), results / "history.tsv", HISTORY)
    conflict = conflict_table(dense.gradients, tasks, labelled_donors(cohort), HISTORY_EVERY)
    write_table(conflict, results / "conflict.tsv", CONFLICT)
    if run.splits.also is not None:
        sites = read_table(results / SITE_SPLITS, SPLITS)
        of_sites = fit_folds(cohort, sites, options, folds_of(sites))
        write_table(_predictions(cohort, of_sites, names, arms, seeds), results / SITE_PREDICTIONS, PREDICTIONS)
    sweep(results, "train")


def train_part(run: DonorRun, results: Path, part: str) -> None:
    """Fit the folds of one part, for :func:`train` to gather: ``parts/train/<part>``; errors as of that, and an
    InputError where the run has no such part."""
    fit_part(run, results, part)


def labelled_donors(cohort: Cohort) -> np.ndarray:
    """(donors, tasks) who has which label."""
    labelled = np.stack([~np.isnan(cohort.y(task)) for task in cohort.tasks], axis=1)
    return pd.DataFrame(labelled).groupby(cohort.donors).any().to_numpy()


def _predictions(
    cohort: Cohort, refit: Refit, names: list[str], arms: list[np.ndarray], seeds: list[int]
) -> pd.DataFrame:
    """Rows of predictions.tsv for every held-out sample, arm, seed and task."""
    packing, targets = Outputs.of(cohort.tasks), refit.targets
    parts = []
    for i, data in enumerate(refit.folds):
        if data.fold == FINAL:
            continue
        outputs = refit.stacking.of_held_out(i, data.test, len(cohort.obs))
        about_fold = {"sample": cohort.samples[data.test], "donor": cohort.donors[data.test], "fold": data.fold}
        for j, (name, active) in enumerate(zip(names, arms, strict=True)):
            for t in np.flatnonzero(active):
                task = packing.tasks[t]
                y = cohort.y(task.name)[data.test]
                for q, seed in enumerate(seeds):
                    raw = outputs[j, q][:, packing.outputs[t]]
                    predicted = task.to_prediction(raw, targets.mean[i, t], targets.scale[i, t])
                    about = about_fold | {"seed": str(seed), "arm": name, "task": task.name}
                    parts += [pd.DataFrame(about | columns) for columns in task.rows(y, predicted)]
    table = pd.concat(parts, ignore_index=True)
    astray = table.loc[~np.isfinite(table["y_pred"]), "task"].unique()
    if len(astray):
        raise InputError(
            f"{listing(astray)}: some predictions are no numbers, so a loss has diverged; lower "
            "training.learning_rate, or let the kind of label bound the curvature of its loss (docs/labels.md)"
        )
    return table


def history_table(
    block: Fitted, folds: list[FoldData], names: list[str], arms: list[np.ndarray], tasks: list[str], seeds: list[int]
) -> pd.DataFrame:
    """Rows of history.tsv: loss of the block's epochs, training and validation donors."""
    losses = block.history.cpu().numpy()[::HISTORY_EVERY]
    levels = {
        "epoch": np.arange(len(losses)) * HISTORY_EVERY,
        "part": ["train", "validation"],
        "fold": [data.fold for data in folds],
        "arm": np.arange(len(arms)),
        "seed": [str(seed) for seed in seeds],
        "task": np.arange(len(tasks)),
    }
    index = pd.MultiIndex.from_product(levels.values(), names=levels.keys())
    table = pd.DataFrame({"loss": losses.ravel()}, index).reset_index()
    trained = np.stack(arms)[table["arm"], table["task"]] > 0
    table = table[trained].reset_index(drop=True)
    return table.assign(task=np.array(tasks)[table["task"]], arm=np.array(names)[table["arm"]])
