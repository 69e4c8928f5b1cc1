"""``mtlbio probe`` of several assays: every dimension on trial, with the blocks that it is in."""

from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import block_of_axes, blocks_of, of_blocks, plain
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.genesets import load_sets
from mtlbio.config import Probe
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.kinds.vocabulary import ASSAYS
from mtlbio.labels import Label
from mtlbio.model.block_latents import BlockLatents
from mtlbio.probing.cohorts import examine_samples
from mtlbio.probing.enrichment import COLUMNS, enrichment, named
from mtlbio.probing.examine import Procedure, write_tables
from mtlbio.probing.examinee import NOTHING, WithHeads
from mtlbio.probing.null_refits import empty, write_null
from mtlbio.probing.probe import aligned, checked_latents
from mtlbio.probing.replicas import replica_table, replicas
from mtlbio.probing.trial import Trial
from mtlbio.progress import say
from mtlbio.tables import VARIANCE_BY_BLOCK, read_table

RATES = "blocks"


class OfBlocks(WithHeads):
    """The models of all folds as an examinee, with the samples on trial."""

    saw = NOTHING

    def __init__(self, latents: BlockLatents, tasks: dict[str, Label], dims: tuple[str, ...]):
        self.known, self.tasks, self.dims, self.fold = latents, tasks, dims, latents.fold

    def latents(self, fold: int) -> np.ndarray:
        """(seeds, n, D) of all samples."""
        return self.known.folds[fold].latents.astype(float)

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """What the heads make of the latents of the samples that the fold holds out."""
        return self.known.predict(self.tasks, task, latents, fold)


def probe(run: BlocksRun, results: Path) -> None:
    """Put every dimension of ``latents.h5ad`` on trial.

    Reads ``cohort.h5ad``, ``latents.h5ad``, ``variance_by_block.tsv`` and ``model/``; writes what the trial of any
    cohort writes but the cells of blood, and ``block`` in ``verdicts.tsv``.
    """
    results = Path(results)
    latents = checked_latents(results / "latents.h5ad")
    cohort = aligned(read_cohort(results / "cohort.h5ad"), latents)
    where = block_of_axes(read_table(results / "variance_by_block.tsv", VARIANCE_BY_BLOCK))
    examinee = OfBlocks(BlockLatents.load(results / "model"), cohort.tasks, tuple(latents.var_names))
    tables = examine_blocks(cohort, latents, examinee, run.trial_options, where, load_sets(run.gene_sets))
    write_tables(tables, results)
    write_null(*empty(), results)


def examine_blocks(
    cohort: Cohort,
    latents: ad.AnnData,
    examinee: OfBlocks,
    options: Probe,
    where: dict[str, str],
    sets: dict[str, list[str]],
) -> dict[str, pd.DataFrame]:
    """The tables of :func:`mtlbio.probing.examine.examine`, and ``replicas``.

    ``where``: axis -> the blocks that it is in; ``sets``: gene sets by name, scored on every block that knows their
    genes.
    """
    loadings = np.asarray(latents.varm["loadings"], dtype=float)

    def of_dims(trial: Trial) -> pd.DataFrame:
        return pd.DataFrame({"dim": trial.dims, "block": [where.get(dim) for dim in trial.dims]})

    def gene_sets(trial: Trial) -> pd.DataFrame:
        say("gene sets that name a dimension")
        return sets_by_block(trial, cohort, loadings, sets)

    procedure = Procedure(gene_sets, rates=RATES, blocks=True, classes=True, shares=of_dims)
    tables = examine_samples(cohort, latents, examinee, options, ASSAYS, procedure)
    axes = (latents.var["block"] == "axis").to_numpy()
    tables["replicas"] = replica_table(examinee, replicas(examinee, cohort.clusters, axes), axes)
    return tables


def sets_by_block(trial: Trial, cohort: Cohort, loadings: np.ndarray, sets: dict[str, list[str]]) -> pd.DataFrame:
    """Columns of :mod:`mtlbio.probing.enrichment`: every gene set (``rna:B_CELL``) in every block against every
    dimension, on the samples that have the block.

    Parameters
    ----------
    cohort : samples in the order of ``trial``
    loadings : (D, features of the cohort)
    """
    blocks, tables = blocks_of(cohort), []
    for name in blocks.names:
        rows, columns = blocks.have([name]), blocks.columns([name])
        own = of_blocks(cohort, [name], rows)
        own = replace(own, genes=tuple(plain(feature) for feature in own.genes))
        varying = {key: info for key, info in trial.covariates.items() if trial.obs[key][rows].nunique() > 1}
        part = replace(trial, z=trial.z[rows], obs=trial.obs[rows], covariates=varying)
        table = enrichment(part, own, loadings[:, columns], np.array(own.genes), sets)
        tables.append(table.assign(set=f"{name}:" + table["set"].astype(str)) if len(table) else table)
    found = [table for table in tables if len(table)]
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    return named(pd.concat(found, ignore_index=True), trial.options.alpha)[COLUMNS]
