"""The trial of a finished run once more, as often as one likes: what the model is stays as the run's tables have it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import read_cohort
from mtlbio.cohort.genesets import load_sets
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.model.ensemble import load_ensemble
from mtlbio.probing.audit import audited
from mtlbio.probing.cohorts import OfEnsemble, trial_of_samples
from mtlbio.probing.covariate_duplicates import covariate_duplicates
from mtlbio.probing.examine import Held, Procedure, Tested, judged_again
from mtlbio.probing.probe import aligned, checked_latents
from mtlbio.probing.subspaces import Genes, subspaces
from mtlbio.probing.trial import Trial
from mtlbio.progress import hushed
from mtlbio.tables import read_table


@dataclass(frozen=True)
class Retrial:
    """A trial that can be held without some donors.

    Attributes
    ----------
    trial : before its design is audited
    stability, held, procedure : as :func:`mtlbio.probing.examine.judged_again` takes them
    """

    trial: Trial
    stability: np.ndarray
    held: Held
    procedure: Procedure

    def judged(self, without: str | None = None, seed: int = 0) -> Tested:
        """Everything that is tested, without a donor (a family); ``seed``: what is added to that of the draws."""
        trial, held = self.trial, self.held
        if without is not None:
            keep = trial.clusters != without
            trial = replace(trial, z=trial.z[keep], obs=trial.obs[keep])
            blocks = [replace(space.block, latents=space.block.latents[keep]) for space in held.spaces]
            spaces = [replace(s, block=block) for s, block in zip(held.spaces, blocks, strict=True)]
            held = replace(held, spaces=spaces)
        options = trial.options.model_copy(update={"seed": trial.options.seed + seed})
        with hushed():
            trial, design = audited(replace(trial, options=options))
            return judged_again(trial, design, self.stability, held, self.procedure)


def retrial_of(run: DonorRun, results: Path) -> Retrial:
    """The trial of a cohort or a table of features whose ``probing/*.tsv`` are there."""
    latents = checked_latents(results / "latents.h5ad")
    cohort = aligned(read_cohort(results / "cohort.h5ad"), latents)
    fold = latents.obs["fold"].to_numpy().astype(int)
    trial = trial_of_samples(cohort, latents, run.trial_options, kind_of(run).vocabulary)
    stability = latents.var["stability"].to_numpy(dtype=float)
    examinee = OfEnsemble(load_ensemble(results / "model"), cohort.expression, fold, cohort.obs)
    named, cells = (read_or_none(results / f"probing/{name}.tsv") for name in ("enrichment", "composition"))
    names, loadings = np.asarray(latents.uns["genes"]).astype(str), np.asarray(latents.varm["loadings"], dtype=float)
    of_table = "table" in cohort.preprocessing
    genes = None if of_table else Genes(cohort, loadings, names, load_sets(getattr(run, "gene_sets", None)))
    held = Held(
        subspaces(audited(trial)[0], examinee, stability),
        read_table(results / "probing/ablation.tsv"),
        pd.DataFrame() if named is None else named,
        covariate_duplicates(trial, fold) if of_table else {},
        cells,
    )
    procedure = Procedure[Trial](lambda trial: held.named, blocks=True, genes=genes, classes=True)
    return Retrial(trial, stability, held, procedure)


def read_or_none(path: Path) -> pd.DataFrame | None:
    """A table that not every run has."""
    return read_table(path) if path.exists() else None
