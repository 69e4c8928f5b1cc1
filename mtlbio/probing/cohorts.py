"""The trial of a cohort, and of a table of features, from the latents that training wrote."""

from dataclasses import replace
from functools import partial

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Probe
from mtlbio.errors import InputError, listing
from mtlbio.kinds.vocabulary import DONORS, PATIENTS, Vocabulary
from mtlbio.model.ensemble import Ensemble
from mtlbio.probing.composition import composition
from mtlbio.probing.enrichment import enrichment
from mtlbio.probing.examine import Procedure, examine
from mtlbio.probing.examinee import NOTHING, Examinee, WithHeads
from mtlbio.probing.features import features_of_table
from mtlbio.probing.subspaces import Genes
from mtlbio.probing.trial import Trial
from mtlbio.progress import say


class OfEnsemble(WithHeads):
    """The trained ensemble of a cohort as an examinee, with the samples on trial.

    ``expression``: (n, genes) of the ensemble; ``fold``: (n,) fold in which each sample is held out; ``obs``: of the
    samples, with the sites that heads may know.
    """

    saw = NOTHING

    def __init__(self, ensemble: Ensemble, expression: np.ndarray, fold: np.ndarray, obs: pd.DataFrame):
        self.ensemble, self.expression, self.fold = ensemble, expression, fold
        self.dims = ensemble.dims
        self.at = ensemble.at(obs[ensemble.site_column]) if ensemble.sites else None

    def latents(self, fold: int) -> np.ndarray:
        """(seeds, n, D) of all samples."""
        return self.ensemble.latents(self.expression, fold)

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """What the ensemble's heads make of the latents of the samples that the fold holds out."""
        at = None if self.at is None else self.at[self.fold == fold]
        return self.ensemble.predict_from_latents(task, latents, fold, at)


def examine_cohort(
    cohort: Cohort,
    latents: ad.AnnData,
    examinee: Examinee,
    options: Probe,
    sets: dict[str, list[str]] | None = None,
    markers: dict[str, list[str]] | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables of :func:`mtlbio.probing.examine.examine`, dimensions named by gene sets.

    ``cohort``, ``examinee``: samples in the order of ``latents``; ``latents``: as ``latents.h5ad``; ``sets``: gene sets
    by name; ``markers``: genes of a cell type by its name, those of blood cells where left out.
    """
    names = np.asarray(latents.uns["genes"]).astype(str)
    genes = Genes(cohort, np.asarray(latents.varm["loadings"], dtype=float), names, sets or {})

    def gene_sets(trial: Trial) -> pd.DataFrame:
        say("gene sets that name a dimension")
        return enrichment(trial, cohort, genes.loadings, genes.names, genes.sets)

    cells = partial(composition, cohort=cohort, markers=markers)
    procedure = Procedure(gene_sets, rates="measurements", blocks=True, genes=genes, classes=True, composition=cells)
    return examine_samples(cohort, latents, examinee, options, DONORS, procedure)


def examine_table(cohort: Cohort, latents: ad.AnnData, examinee: Examinee, options: Probe) -> dict[str, pd.DataFrame]:
    """The same of a table of features, which name their dimensions; one of them may be a covariate."""

    def features(trial: Trial) -> pd.DataFrame:
        say("features that name a dimension")
        return features_of_table(trial, cohort, np.asarray(latents.varm["loadings"], dtype=float))

    procedure = Procedure(features, rates="table", blocks=True, classes=True, duplicates=True)
    return examine_samples(cohort, latents, examinee, options, PATIENTS, procedure)


def examine_samples(
    cohort: Cohort, latents: ad.AnnData, examinee: Examinee, options: Probe, words: Vocabulary, procedure: Procedure
) -> dict[str, pd.DataFrame]:
    """The trial of samples of donors by any procedure; an InputError where fewer than four have all covariates."""
    procedure = replace(procedure, sites=options.sites)
    trial = trial_of_samples(cohort, latents, options, words)
    return examine(trial, examinee, latents.var["stability"].to_numpy(dtype=float), procedure)


def trial_of_samples(cohort: Cohort, latents: ad.AnnData, options: Probe, words: Vocabulary) -> Trial:
    """The trial before its design is audited; an InputError where fewer than four samples have all covariates."""
    supervised = latents.var[latents.var["block"].astype(str) == "supervised"]
    # of latents that say which task a supervised dimension was trained for
    trained_for = supervised["task"].astype(str).to_dict() if "task" in supervised else {}
    more = {"trained_for": trained_for, "words": words}
    trial = Trial.of_latents(latents, cohort.obs, cohort.tasks, cohort.covariates, options, **more)
    if trial.mask.sum() < 4:
        raise InputError(
            f"cohort.h5ad: {int(trial.mask.sum())} samples have all of {listing(cohort.covariates)}; too few"
        )
    return trial
