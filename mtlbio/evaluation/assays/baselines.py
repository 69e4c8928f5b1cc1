"""Baselines of a run with blocks: every arm on each block alone and on all of them, and their late fusion.

An arm of a block predicts the samples that have it, and one of all blocks (features side by side, every block with the
same total variance) those that have all: nothing is imputed. Late fusion predicts everybody, by the mean of what ridge
says from each block that a sample has.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import blocks_of, of_blocks
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.evaluation.baselines import predict_baselines
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.progress import say
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table

ALL, FUSION = "all", "late_fusion"
_LEAST = 30  # samples with all blocks, from which a baseline of all of them is fitted


def baselines(run: BlocksRun, results: Path) -> None:
    """Step ``baselines``: cohort.h5ad, splits.tsv -> baselines/predictions.tsv."""
    results, options = Path(results), run.baselines
    cohort, splits = read_cohort(results / "cohort.h5ad"), read_table(results / "splits.tsv", SPLITS)
    table = block_baselines(cohort, splits, list(options.arms), run.training.genes, options.seed)
    write_table(table, results / "baselines" / "predictions.tsv", PREDICTIONS)


def block_baselines(cohort: Cohort, splits: pd.DataFrame, arms: list[str], n_genes: int, seed: int = 0) -> pd.DataFrame:
    """Columns ``mtlbio.tables.PREDICTIONS``: arms such as ``ridge_rna``, ``ridge_all``, ``late_fusion``.

    Parameters
    ----------
    splits : a row per sample of the cohort, in its order
    arms : names out of ridge, elasticnet, lightgbm, pca_linear, covariates
    n_genes : the most variable features of each block, chosen in each fold
    """
    blocks, tables = blocks_of(cohort), []
    measured = [arm for arm in arms if arm != "covariates"]
    for name, own in [*((name, (name,)) for name in blocks.names), (ALL, blocks.names)] if measured else []:
        rows = np.flatnonzero(blocks.have(own))
        if len(rows) < _LEAST and len(own) > 1:
            say(f"baselines: {len(rows)} samples have all blocks; none is fitted to all of them")
            continue
        some = splits.iloc[rows].reset_index(drop=True)
        table = predict_baselines(of_blocks(cohort, own, rows), some, measured, n_genes, seed)
        tables.append(table.assign(arm=table["arm"] + f"_{name}"))
    alone = [f"ridge_{name}" for name in blocks.names]
    if "ridge" in measured:
        tables.append(fused(pd.concat(tables, ignore_index=True), alone))
    if "covariates" in arms:
        tables.append(predict_baselines(cohort, splits, ["covariates"], n_genes, seed))
    return pd.concat(tables, ignore_index=True)[PREDICTIONS] if tables else pd.DataFrame(columns=PREDICTIONS)


def fused(table: pd.DataFrame, arms: list[str]) -> pd.DataFrame:
    """The mean prediction of some arms for every sample that any of them predicts, as arm ``late_fusion``."""
    rows = table[table["arm"].isin(arms)].assign(label=lambda own: own["label"].astype(object).fillna(""))
    keys = ["sample", "donor", "fold", "seed", "task", "label"]
    mean = rows.groupby(keys, sort=False)[["y_true", "y_pred"]].agg({"y_true": "first", "y_pred": "mean"})
    mean = mean.reset_index().assign(arm=FUSION)
    return mean.assign(label=mean["label"].where(mean["label"] != "", None))[PREDICTIONS]
