"""Step ``probe`` of a protein run: every dimension of h_t on trial, with the rules and tables of a cohort's trial."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import read_latents
from mtlbio.errors import InputError
from mtlbio.kinds.protein import LEAST_CHAINS
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.schemas.chains import ResidueProbe
from mtlbio.model.residue_store import ProteinModel, load_model
from mtlbio.probing.examine import Procedure, examine, write_tables
from mtlbio.probing.null_refits import empty, write_null
from mtlbio.probing.replicas import replicas_of_one_fold
from mtlbio.probing.residues.held_out import HeldOutResidues
from mtlbio.probing.residues.properties import identity_and_context, properties
from mtlbio.probing.residues.trial import ResidueTrial, between_chains, of_all_variance


def probe(run: ProteinRun, results: Path) -> None:
    """Reads ``latents.h5ad`` and ``model/``; writes the tables of ``probing/`` and ``verdicts.tsv``.

    ``subspaces.tsv``, ``null.tsv`` and ``null_runs.tsv`` have a header only. An InputError where a file is missing, or
    where there are too few held-out chains to put anything on trial.
    """
    results = Path(results)
    tables = examine_residues(read_latents(results / "latents.h5ad"), load_model(results / "model"), run.probe)
    write_tables(tables, results)
    write_null(*empty(), results)


def examine_residues(latents: ad.AnnData, model: ProteinModel, options: ResidueProbe) -> dict[str, pd.DataFrame]:
    """The tables of :func:`mtlbio.probing.examine.examine`, dimensions named by properties, and ``replicas``."""
    trial = ResidueTrial.of(latents, options)
    chains = len(np.unique(trial.donors))
    if chains < LEAST_CHAINS:
        raise InputError(
            f"latents.h5ad: {chains} held-out chains; the trial needs {LEAST_CHAINS} or more (splits.test)"
        )
    examinee = HeldOutResidues(model, latents)
    between, loadings = between_chains(trial.z, trial.donors), np.asarray(latents.varm["loadings"], dtype=float)
    procedure = Procedure[ResidueTrial](
        lambda trial: properties(trial, loadings),
        # the rates were counted on runs with replicas: of one network nobody knows what would come back
        rates="chains" if len(model.networks) > 1 else None,
        rescaled=lambda association: of_all_variance(association, between),
        shares=identity_and_context,
    )
    tables = examine(trial, examinee, latents.var["stability"].to_numpy(dtype=float), procedure)
    return {**tables, "replicas": replicas_of_one_fold(examinee.z)}
