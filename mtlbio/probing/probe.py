"""``mtlbio probe``: the trial of every latent dimension."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata as ad
import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.genesets import load_sets
from mtlbio.config import Run, Training
from mtlbio.errors import InputError, listing
from mtlbio.model.blocks import replica_table, replicas
from mtlbio.probing.examine import examine
from mtlbio.probing.null_refits import NULL, RUNS, empty, null_refits, share_of_biology
from mtlbio.progress import say
from mtlbio.tables import SPLITS, VERDICTS, read_table, write_table


def probe(run: Run, results: Path) -> None:
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


def _null(run: Run, results: Path, cohort: Cohort, latents: ad.AnnData, association: pd.DataFrame):
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
