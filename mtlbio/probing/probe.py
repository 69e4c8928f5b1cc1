"""``mtlbio probe``: the trial of every latent dimension of a cohort, or of a table of features."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import anndata as ad

from mtlbio.cohort.cohort import Cohort, read_cohort, read_latents
from mtlbio.cohort.composition_covariates import load_markers
from mtlbio.cohort.genesets import load_sets
from mtlbio.config import Training
from mtlbio.errors import InputError, listing
from mtlbio.kinds import kind_of
from mtlbio.kinds.donors import DonorKind
from mtlbio.kinds.schemas import CohortRun, DonorRun, TableRun
from mtlbio.model.ensemble import load_ensemble, model_description
from mtlbio.parts import checked_part, folder_of_parts, sweep
from mtlbio.probing.cohorts import OfEnsemble, examine_cohort, examine_table
from mtlbio.probing.examine import write_tables
from mtlbio.probing.null_refits import NullRefits, empty, share_of_biology, write_null
from mtlbio.probing.replicas import replica_table, replicas
from mtlbio.progress import say
from mtlbio.tables import SPLITS, read_table

_KEPT = "probing/.null"  # refits that a killed run has made


def probe(run: CohortRun, results: Path) -> None:
    """Put every dimension of ``latents.h5ad`` on trial.

    Reads ``cohort.h5ad``, ``splits.tsv``, ``latents.h5ad`` and ``model/`` of ``results``; writes
    ``probing/{audit,association,ablation,enrichment,stability,subspaces,odds,replicas,null,null_runs}.tsv`` and
    ``verdicts.tsv``. The tables of the whole-pipeline null have a header only where ``probe.null_refits`` is 0.
    """
    markers = [load_markers(run.covariates[name].markers) for name in run.estimated]
    examined = partial(examine_cohort, sets=load_sets(run.gene_sets), markers=markers[0] if markers else None)
    return _probe(run, results, examined, examine_cohort)


def probe_table(run: TableRun, results: Path) -> None:
    """The same of a table of features."""
    return _probe(run, results, examine_table, examine_table)


def _probe(run: DonorRun, results: Path, examined: Callable, refitted: Callable) -> None:
    """Read, examine, write. ``refitted`` tries a refit of the whole-pipeline null, as ``examined`` the model."""
    results = Path(results)
    latents = checked_latents(results / "latents.h5ad")
    whole = read_cohort(results / "cohort.h5ad")
    cohort = aligned(whole, latents)
    fold = latents.obs["fold"].to_numpy().astype(int)
    examinee = OfEnsemble(load_ensemble(results / "model"), cohort.expression, fold, cohort.obs)
    tables = examined(cohort, latents, examinee, run.trial_options)
    axes = (latents.var["block"] == "axis").to_numpy()
    tables["replicas"] = replica_table(examinee, replicas(examinee, cohort.clusters, axes), axes)
    write_tables(tables, results)
    null, runs = empty()
    if run.probe.null_refits:
        refits = null_refits(run, results, whole, refitted)
        parts = [folder_of_parts(results, "probe") / name for name in kind_of(run).scatter_of(run, "probe")]
        null, runs = refits.tables(tables["association"], latents.var["block"], results / _KEPT, parts)
        share, low, high = share_of_biology(runs)
        say(f"whole-pipeline null: any biology in {share:.1%} of {len(runs)} refits (95 % {low:.1%} to {high:.1%})")
    write_null(null, runs, results)
    sweep(results, "probe")


def probe_part(run: CohortRun, results: Path, part: str) -> None:
    """Make some refits of the whole-pipeline null, for :func:`probe` to gather: ``parts/probe/<part>``.

    Raises
    ------
    InputError
        The run has no such part, or as of :func:`probe`.
    """
    _probe_part(run, results, part, examine_cohort)


def probe_part_of_table(run: TableRun, results: Path, part: str) -> None:
    """The same of a table of features."""
    _probe_part(run, results, part, examine_table)


def _probe_part(run: DonorRun, results: Path, part: str, refitted: Callable) -> None:
    results, kind = Path(results), kind_of(run)
    assert isinstance(kind, DonorKind)
    numbers = kind.refits_of_part(run, checked_part(part, kind.scatter_of(run, "probe"), "probe"))
    refits = null_refits(run, results, read_cohort(results / "cohort.h5ad"), refitted)
    refits.make_part(numbers, results / _KEPT, folder_of_parts(results, "probe") / part)


def null_refits(run: DonorRun, results: Path, cohort: Cohort, refitted: Callable) -> NullRefits:
    """The whole-pipeline null of a run; ``refitted`` as of :func:`_probe`."""
    from mtlbio.training.device import choose_device

    # the model knows how it was trained; the machine at hand may be another
    training = Training.model_validate(model_description(results / "model")["training"])
    splits = read_table(results / "splits.tsv", SPLITS)
    options = run.probe.model_copy(update={"sites": None})  # a question of the model, not of its null
    return NullRefits(cohort, splits, training, options, choose_device(run.training.device), refitted)


def checked_latents(path: Path) -> ad.AnnData:
    """``latents.h5ad``, checked for what the trial reads."""
    latents = read_latents(path)
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
