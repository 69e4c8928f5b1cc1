"""The trial of a cohort, and of a table of features, from the latents that training wrote."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Probe
from mtlbio.errors import InputError, listing
from mtlbio.kinds.vocabulary import DONORS, PATIENTS, Vocabulary
from mtlbio.probing.enrichment import enrichment
from mtlbio.probing.examine import Procedure, examine
from mtlbio.probing.examinee import Examinee
from mtlbio.probing.features import features_of_table
from mtlbio.probing.subspaces import Genes
from mtlbio.probing.trial import Trial
from mtlbio.progress import say


def examine_cohort(
    cohort: Cohort, latents: ad.AnnData, examinee: Examinee, options: Probe, sets: dict[str, list[str]] | None = None
) -> dict[str, pd.DataFrame]:
    """The tables of :func:`mtlbio.probing.examine.examine`, dimensions named by gene sets.

    Parameters
    ----------
    cohort : samples in the order of ``latents``
    latents : as ``latents.h5ad``
    examinee : with the same samples
    sets : gene sets by name
    """
    genes = Genes(cohort, *_loadings(latents), sets or {})

    def names(trial: Trial) -> pd.DataFrame:
        say("gene sets that name a dimension")
        return enrichment(trial, cohort, genes.loadings, genes.names, genes.sets)

    trial, stability = cohort_trial(cohort, latents, options, DONORS)
    procedure = Procedure(names, rates="measurements", blocks=True, genes=genes, classes=True)
    return examine(trial, examinee, stability, procedure)


def examine_table(cohort: Cohort, latents: ad.AnnData, examinee: Examinee, options: Probe) -> dict[str, pd.DataFrame]:
    """The same of a table of features, which name their dimensions; one of them may be a covariate."""

    def names(trial: Trial) -> pd.DataFrame:
        say("features that name a dimension")
        return features_of_table(trial, cohort, _loadings(latents)[0])

    trial, stability = cohort_trial(cohort, latents, options, PATIENTS)
    procedure = Procedure(names, rates="table", blocks=True, classes=True, duplicates=True)
    return examine(trial, examinee, stability, procedure)


def cohort_trial(cohort: Cohort, latents: ad.AnnData, options: Probe, words: Vocabulary) -> tuple[Trial, np.ndarray]:
    """The trial of ``latents.h5ad``, and the stability (D,) of its dimensions.

    Raises
    ------
    InputError
        Fewer than four samples have all covariates.
    """
    trial = Trial(
        z=np.asarray(latents.X, dtype=float),
        dims=tuple(latents.var_names),
        block=latents.var["block"].to_numpy().astype(str),
        obs=cohort.obs,
        tasks=cohort.tasks,
        covariates=cohort.covariates,
        options=options,
        trained_for=trained_for(latents),
        words=words,
    )
    if trial.mask.sum() < 4:
        raise InputError(
            f"cohort.h5ad: {int(trial.mask.sum())} samples have all of {listing(cohort.covariates)}; too few"
        )
    return trial, latents.var["stability"].to_numpy(dtype=float)


def trained_for(latents: ad.AnnData) -> dict[str, str]:
    """Supervised dimension -> its task; empty where the latents do not say."""
    if "task" not in latents.var:
        return {}
    supervised = latents.var[latents.var["block"].astype(str) == "supervised"]
    return dict(zip(supervised.index, supervised["task"].astype(str), strict=True))


def _loadings(latents: ad.AnnData) -> tuple[np.ndarray, np.ndarray]:
    """Loadings (D, genes), and the names of the genes."""
    return np.asarray(latents.varm["loadings"], dtype=float), np.asarray(latents.uns["genes"]).astype(str)
