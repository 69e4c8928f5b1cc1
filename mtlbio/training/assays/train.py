"""The train step of a run with blocks: a network per set of blocks, stacked, and axes that the blocks share."""

import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio import __version__
from mtlbio.cohort.cohort import schema_json
from mtlbio.config import Training
from mtlbio.files import replacing
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.model.ensemble import FINAL
from mtlbio.model.matching import effective_rank
from mtlbio.tables import (
    CONFLICT,
    HISTORY,
    PREDICTIONS,
    PREDICTIONS_WITHOUT,
    RESTS_ON,
    VARIANCE_BY_BLOCK,
    write_table,
)
from mtlbio.training.assays.fit import FittedBlocks, fit_blocks
from mtlbio.training.assays.networks import save_networks
from mtlbio.training.assays.tables import predictions, predictions_without, rests_on, variance_by_block
from mtlbio.training.conflict import conflict_table
from mtlbio.training.fold_parts import arms_of, read_prepared
from mtlbio.training.refits import seeds_of
from mtlbio.training.train import HISTORY_EVERY, history_table, labelled_donors


def train(run: BlocksRun, results: Path) -> None:
    """Write what training on one assay writes, ``predictions_without.tsv``, ``rests_on.tsv`` and
    ``variance_by_block.tsv``.

    Raises
    ------
    InputError
        The results folder lacks the prepared cohort, or as of :func:`mtlbio.training.assays.fit.fit_blocks`.
    """
    results, options = Path(results), run.training
    cohort, splits = read_prepared(results)
    (names, arms), seeds = arms_of(cohort, options), seeds_of(options)
    fit = fit_blocks(cohort, splits, options)
    write_model(fit, splits, options, seeds, results)
    write_table(predictions(fit, names, arms, seeds), results / "predictions.tsv", PREDICTIONS)
    write_table(predictions_without(fit, seeds), results / PREDICTIONS_WITHOUT, PREDICTIONS)
    write_table(rests_on(fit), results / "rests_on.tsv", RESTS_ON)
    write_table(variance_by_block(fit), results / "variance_by_block.tsv", VARIANCE_BY_BLOCK)
    # losses and conflicts are those of the network that reads most blocks
    widest = list(fit.views.values())[-1].refit
    dense, tasks = widest.predictors.blocks["dense"], list(cohort.tasks)
    write_table(history_table(dense, widest.folds, names, arms, tasks, seeds), results / "history.tsv", HISTORY)
    conflict = conflict_table(dense.gradients, tasks, labelled_donors(cohort), HISTORY_EVERY)
    write_table(conflict, results / "conflict.tsv", CONFLICT)


def write_model(fit: FittedBlocks, splits: pd.DataFrame, options: Training, seeds: list[int], results: Path) -> None:
    """Write ``model/`` and ``latents.h5ad``: what the trial and new samples need."""
    cohort = fit.cohort
    with replacing(results / "model") as folder:
        folder.mkdir()
        fit.canonical.latents.save(folder)
        save_networks(fit, splits, folder, seeds)
        about: dict[str, Any] = {
            "mtlbio": __version__,
            "kind": cohort.kind,
            "training": options.model_dump(mode="json"),
        }
        about |= {"preprocessing": cohort.preprocessing, "dims": fit.canonical.dims, "seeds": seeds}
        (folder / "model.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    with replacing(results / "latents.h5ad") as temporary:
        latents_table(fit).write_h5ad(temporary)


def latents_table(fit: FittedBlocks) -> ad.AnnData:
    """The table that the trial reads, in the form of a trained model's (``docs/tables.md``)."""
    canonical, obs = fit.canonical, fit.cohort.obs.copy()
    obs.insert(1, "fold", fit.fold)
    latents = canonical.latents.out_of_fold().astype(np.float32)
    axis, squares = np.arange(len(canonical.dims)) < canonical.axes, np.square(canonical.loadings)
    used = max(1, len(fit.axes[FINAL].features.genes_idx))
    columns = {"block": np.where(axis, "axis", "supervised"), "task": canonical.task}
    columns |= {"stability": canonical.stability, "variance": np.where(axis, squares.sum(axis=1) / used, np.nan)}
    uns = {"genes": np.array(fit.cohort.genes), "mtlbio": schema_json(fit.cohort)}
    return ad.AnnData(
        latents,
        obs=obs,
        var=pd.DataFrame(columns, index=pd.Index(canonical.dims, name="dim")),
        layers={"final": canonical.latents.folds[FINAL].latents.mean(axis=0).astype(np.float32)},
        varm={"loadings": canonical.loadings},
        uns=uns | {"effective_rank": effective_rank(latents[:, axis])},
    )
