"""``mtlbio probe``: the trial of every latent dimension."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.calibration.rates import with_rates
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.genesets import load_sets
from mtlbio.config import Probe, Training
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import DonorRun
from mtlbio.model.blocks import replica_table, replicas
from mtlbio.probing import enrichment as sets_of_genes
from mtlbio.probing.ablation import ablation
from mtlbio.probing.association import association
from mtlbio.probing.audit import audit, inseparable
from mtlbio.probing.by_class import by_class
from mtlbio.probing.features import features_of_table
from mtlbio.probing.gather import gather, verdict_table
from mtlbio.probing.held_fixed import held_fixed
from mtlbio.probing.leakage import leakage
from mtlbio.probing.null_refits import NULL, RUNS, empty, null_refits, share_of_biology
from mtlbio.probing.planes import decided_by_subspaces, subspace_table
from mtlbio.probing.stability import stability
from mtlbio.probing.subspaces import Genes, subspace_tests, subspaces
from mtlbio.probing.trial import Trial
from mtlbio.progress import say
from mtlbio.tables import SPLITS, VERDICTS, read_table, write_table


def probe(run: DonorRun, results: Path) -> None:
    """Put every dimension of ``latents.h5ad`` on trial.

    Reads ``cohort.h5ad``, ``splits.tsv``, ``latents.h5ad`` and ``model/`` of ``results``; writes
    ``probing/{audit,association,ablation,enrichment,stability,subspaces,replicas,null,null_runs}.tsv`` and
    ``verdicts.tsv``. The tables of the whole-pipeline null have a header only where ``probe.null_refits`` is 0.
    """
    from mtlbio.model.ensemble import load_ensemble

    results = Path(results)
    latents = read_latents(results / "latents.h5ad")
    whole = read_cohort(results / "cohort.h5ad")
    cohort = aligned(whole, latents)
    ensemble = load_ensemble(results / "model")
    tables = examine(cohort, latents, ensemble, run.probe, load_sets(run.gene_sets))
    axes, fold = (latents.var["block"] == "axis").to_numpy(), latents.obs["fold"].to_numpy().astype(int)
    found = replicas(ensemble, cohort.expression, cohort.donors, fold, axes)
    tables["replicas"] = replica_table(ensemble, found, cohort.expression, axes)
    for name in ("audit", "association", "ablation", "enrichment", "stability", "subspaces", "replicas"):
        write_table(tables[name], results / "probing" / f"{name}.tsv")
    write_table(tables["verdicts"], results / "verdicts.tsv", VERDICTS)
    counts = tables["verdicts"]["verdict"].value_counts()
    say("verdicts: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    null, runs = _null(run, results, whole, latents, tables["association"])
    write_table(null, results / "probing" / "null.tsv", NULL)
    write_table(runs, results / "probing" / "null_runs.tsv", RUNS)


def _null(run: DonorRun, results: Path, cohort: Cohort, latents: ad.AnnData, association: pd.DataFrame):
    """The whole-pipeline null of the model in ``results``, where the run asks for it."""
    if not run.probe.null_refits:
        return empty()
    from mtlbio.model.ensemble import model_description
    from mtlbio.training.train import choose_device

    # the model knows how it was trained; the machine at hand may be another
    training = Training.model_validate(model_description(results / "model")["training"])
    splits = read_table(results / "splits.tsv", SPLITS)
    device = choose_device(run.training.device)
    null, runs = null_refits(
        cohort, splits, association, latents.var["block"], training, run.probe, device, results / "probing" / ".null"
    )
    share, low, high = share_of_biology(runs)
    say(f"whole-pipeline null: any biology in {share:.1%} of {len(runs)} refits (95 % {low:.1%} to {high:.1%})")
    return null, runs


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


def read_latents(path: Path) -> ad.AnnData:
    """``latents.h5ad``, checked for what the trial reads."""
    if not path.exists():
        raise InputError(f"{path}: no such file; run `mtlbio train` first")
    latents = ad.read_h5ad(path)
    missing = [f"var[{c!r}]" for c in ("block", "stability") if c not in latents.var]
    missing += [f"obs[{c!r}]" for c in ("donor", "fold") if c not in latents.obs]
    missing += [] if "loadings" in latents.varm else ["varm['loadings']"]
    missing += [] if "genes" in latents.uns else ["uns['genes']"]
    if missing:
        raise InputError(f"{path}: lacks {listing(missing)}; `mtlbio train` writes it")
    return latents


def aligned(cohort: Cohort, latents: ad.AnnData) -> Cohort:
    """The cohort with its samples in the order of the latents."""
    strangers = latents.obs_names.difference(cohort.obs.index)
    if len(strangers):
        raise InputError(f"latents.h5ad: samples {listing(strangers)} are not in cohort.h5ad; run `mtlbio train` again")
    place = cohort.obs.index.get_indexer(latents.obs_names)
    return replace(cohort, expression=cohort.expression[place], obs=cohort.obs.iloc[place])
