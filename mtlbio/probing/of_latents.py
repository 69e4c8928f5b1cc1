"""``mtlbio probe`` of latents that another model made, and the same in memory."""

from functools import partial
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort, read_latents
from mtlbio.cohort.composition_covariates import load_markers
from mtlbio.cohort.genesets import load_sets
from mtlbio.config import Latents, Probe
from mtlbio.embedding.encodings import Encodings
from mtlbio.embedding.table import measured
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.kinds.vocabulary import DONORS
from mtlbio.probing.claims import Statement, refused
from mtlbio.probing.cohorts import examine_samples
from mtlbio.probing.composition import composition
from mtlbio.probing.enrichment import enrichment, named_by_loadings
from mtlbio.probing.examine import Procedure, write_tables
from mtlbio.probing.examinee import Examinee
from mtlbio.probing.null_refits import empty, write_null
from mtlbio.probing.probe import aligned
from mtlbio.probing.replicas import COLUMNS, replica_table, replicas
from mtlbio.probing.subspaces import Genes
from mtlbio.probing.trial import Trial

RATES = "latents"


class OfLatents(Examinee):
    """Latents of another model as an examinee, with the samples on trial; it has no heads.

    ``values``: (n, D) each sample as the model encodes it that is allowed to; ``encodings``: all samples by the model
    of every fold, where they are known.
    """

    def __init__(
        self,
        dims: tuple[str, ...],
        values: np.ndarray,
        fold: np.ndarray,
        saw: str | tuple[str, ...],
        encodings: Encodings | None = None,
    ):
        self.dims, self.values, self.fold, self.saw, self.encodings = dims, values, fold, saw, encodings

    def latents(self, fold: int) -> np.ndarray:
        """(1, n, D) of all samples; those of one model for all where no others are known."""
        values = self.values if self.encodings is None else self.encodings.by_fold[fold]
        return values[None]


def probe(run: LatentsRun, results: Path) -> None:
    """Put every dimension of ``latents.h5ad`` on trial.

    Reads ``cohort.h5ad``, ``latents.h5ad`` and, of latents that a command made for every fold, ``model/``; writes what
    the trial of a trained model writes. ``probing/replicas.tsv`` has a header only where one model made all.
    """
    results = Path(results)
    latents = read_latents(results / "latents.h5ad")
    cohort = aligned(read_cohort(results / "cohort.h5ad"), latents)
    encodings = Encodings.load(results / "model") if run.latents.encode is not None else None
    markers = [load_markers(run.covariates[name].markers) for name in run.estimated]
    tables = examine_latents(
        cohort,
        latents,
        run.latents,
        run.trial_options,
        load_sets(run.gene_sets),
        markers[0] if markers else None,
        encodings,
    )
    write_tables(tables, results)
    write_null(*empty(), results)


def examine_latents(
    cohort: Cohort,
    latents: ad.AnnData,
    options: Latents,
    probe: Probe,
    sets: dict[str, list[str]] | None = None,
    markers: dict[str, list[str]] | None = None,
    encodings: Encodings | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of :func:`mtlbio.probing.examine.examine`, and ``replicas``.

    Parameters
    ----------
    cohort, latents : with the same samples in the same order, ``latents`` as ``latents.h5ad``
    options : what the model saw, and what was taken out beforehand
    sets : gene sets by name; they are scored on the measurements where the cohort has any, else ranked by loadings
    markers : genes of a cell type by its name, those of blood cells where left out
    encodings : of every fold, where they are known: only then is stability asked
    """
    statement = Statement.of_cohort(options, cohort)
    values, fold = np.asarray(latents.X, dtype=float), latents.obs["fold"].to_numpy().astype(int)
    examinee = OfLatents(tuple(latents.var_names), values, fold, statement.saw, encodings)
    weights = np.asarray(latents.varm["loadings"], dtype=float) if "loadings" in latents.varm else None
    genes = (
        None if weights is None else Genes(cohort, weights, np.asarray(latents.uns["genes"]).astype(str), sets or {})
    )
    procedure = Procedure(
        partial(_named, cohort, genes),
        rates=RATES,
        blocks=encodings is not None and genes is not None and measured(cohort),
        genes=genes,
        classes=True,
        composition=partial(composition, cohort=cohort, markers=markers) if measured(cohort) else None,
        claims=partial(refused, statement=statement),
    )
    tables = examine_samples(cohort, latents, examinee, probe, DONORS, procedure)
    axes = np.ones(len(latents.var_names), dtype=bool)
    tables["replicas"] = pd.DataFrame(columns=COLUMNS)
    if encodings is not None:
        tables["replicas"] = replica_table(examinee, replicas(examinee, cohort.clusters, axes), axes)
    return tables


def refused_by_design(run: LatentsRun, trial: Trial, audit: pd.DataFrame) -> dict[str, str]:
    """Task -> why nothing can be claimed of it, as far as is known before anything is measured."""
    return refused(trial, audit, Statement.of(run.latents, trial.labelled, [c.name for c in trial.role("technical")]))


def _named(cohort: Cohort, genes: Genes | None, trial: Trial) -> pd.DataFrame:
    """What names a dimension: sets scored on the measurements, by loadings alone without these, or nothing."""
    if genes is not None and measured(cohort):
        return enrichment(trial, cohort, genes.loadings, genes.names, genes.sets)
    return named_by_loadings(trial, None if genes is None else (genes.loadings, genes.names, genes.sets))
