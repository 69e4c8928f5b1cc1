"""The trial in memory: every dimension of a table of latents, from the design's audit to the verdicts."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.calibration.rates import with_rates
from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Probe
from mtlbio.errors import InputError, listing
from mtlbio.probing import enrichment as sets_of_genes
from mtlbio.probing.ablation import ablation
from mtlbio.probing.association import association
from mtlbio.probing.audit import audit, inseparable
from mtlbio.probing.by_class import by_class
from mtlbio.probing.features import features_of_table
from mtlbio.probing.gather import gather, verdict_table
from mtlbio.probing.held_fixed import held_fixed
from mtlbio.probing.leakage import leakage
from mtlbio.probing.planes import decided_by_subspaces, subspace_table
from mtlbio.probing.stability import stability
from mtlbio.probing.subspaces import Genes, subspace_tests, subspaces
from mtlbio.probing.trial import Trial
from mtlbio.progress import say


def examine(
    cohort: Cohort, latents: ad.AnnData, ensemble, options: Probe, sets: dict[str, list[str]]
) -> dict[str, pd.DataFrame]:
    """The whole trial in memory.

    Parameters
    ----------
    cohort : samples in the order of ``latents``
    latents : as ``latents.h5ad``
    ensemble : :class:`mtlbio.model.ensemble.Ensemble`
    sets : gene sets by name, may be empty

    Returns
    -------
    Tables by name: ``audit, association, ablation, enrichment, stability, subspaces, verdicts``
    """
    design = audit(cohort.obs, cohort.tasks, cohort.covariates, options)
    trial = Trial(
        z=np.asarray(latents.X, dtype=float),
        dims=tuple(latents.var_names),
        block=latents.var["block"].to_numpy().astype(str),
        obs=cohort.obs,
        tasks=cohort.tasks,
        covariates=cohort.covariates,
        options=options,
        trained_for=trained_for(latents),
    )
    trial = replace(trial, inseparable=frozenset(inseparable(design)))
    if trial.mask.sum() < 4:
        raise InputError(
            f"cohort.h5ad: {int(trial.mask.sum())} samples have all of {listing(cohort.covariates)}; too few"
        )
    found = association(trial)
    borrowed = leakage(trial, found)
    again, fold = latents.var["stability"].to_numpy(dtype=float), latents.obs["fold"].to_numpy().astype(int)
    steady = stability(trial, again)
    blocks = subspaces(trial, ensemble, cohort, fold, again)
    removed = ablation(ensemble, cohort, fold, options, {b.name: b.places for b in blocks if b.block.stable})
    say("gene sets that name a dimension" if cohort.table is None else "features that name a dimension")
    loadings, genes = np.asarray(latents.varm["loadings"], dtype=float), np.asarray(latents.uns["genes"]).astype(str)
    if cohort.table is None:
        named = sets_of_genes.enrichment(trial, cohort, loadings, genes, sets)
    else:
        named = features_of_table(trial, cohort, loadings)
    uneven = by_class(trial)
    fixed = {} if cohort.table is None else held_fixed(trial, fold)
    evidence = gather(trial, found, borrowed, removed, steady, named, uneven, fixed)
    verdicts = verdict_table(trial, evidence, removed, design, again)
    if cohort.table is not None:
        verdicts.insert(verdicts.columns.get_loc("why"), "held_fixed", [fixed.get(dim) for dim in trial.dims])
    tests, names = subspace_tests(trial, blocks, found, Genes(cohort, loadings, genes, sets))
    planes, changes = subspace_table(trial, blocks, tests, removed, again, names, found)
    # leakage has no table of its own: what it found belongs to the rows of the task's effect
    merged = found.merge(borrowed.rename(columns={"task": "variable"}).assign(question="task"), how="left")
    merged = pd.concat([merged, uneven], ignore_index=True) if len(uneven) else merged
    tables = {"audit": design, "association": merged, "ablation": removed, "enrichment": named, "stability": steady}
    kind = "measurements" if cohort.table is None else "table"
    verdicts = with_rates(decided_by_subspaces(verdicts, changes), design, kind=kind)
    return {**tables, "subspaces": planes, "verdicts": verdicts}


def trained_for(latents: ad.AnnData) -> dict[str, str]:
    """Supervised dimension -> its task; empty where the latents do not say."""
    if "task" not in latents.var:
        return {}
    supervised = latents.var[latents.var["block"].astype(str) == "supervised"]
    return dict(zip(supervised.index, supervised["task"].astype(str), strict=True))
