"""Step ``probe`` of a protein run: every dimension of h_t on trial, with the rules and tables of a cohort's trial."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.calibration.rates import with_rates
from mtlbio.errors import InputError
from mtlbio.kinds.protein import LEAST_CHAINS
from mtlbio.kinds.schemas import ProteinRun
from mtlbio.kinds.schemas.chains import ResidueProbe
from mtlbio.model.matching import effective_rank
from mtlbio.model.residue_store import ProteinModel, load_model
from mtlbio.model.similarity import linear_cka, svcca
from mtlbio.probing.ablation import ablation
from mtlbio.probing.association import association
from mtlbio.probing.audit import audit, inseparable
from mtlbio.probing.gather import gather, verdict_table
from mtlbio.probing.leakage import leakage
from mtlbio.probing.null_refits import NULL, RUNS, empty
from mtlbio.probing.planes import columns as subspace_columns
from mtlbio.probing.residues.held_out import HeldOutResidues, folds_of
from mtlbio.probing.residues.properties import identity_and_context, properties
from mtlbio.probing.residues.trial import between_chains, make_trial, of_all_variance
from mtlbio.probing.stability import stability
from mtlbio.progress import say
from mtlbio.sequence.sampled import residue_cohort
from mtlbio.tables import VERDICTS, write_table
from mtlbio.wording import of_chains

_RATES = ["error_rate", "error_rate_low", "error_rate_high", "error_rate_from"]


def probe(run: ProteinRun, results: Path) -> None:
    """Reads ``latents.h5ad`` and ``model/``; writes the tables of ``probing/`` and ``verdicts.tsv``.

    ``subspaces.tsv``, ``null.tsv`` and ``null_runs.tsv`` have a header only.

    Raises
    ------
    InputError
        A file is missing, or there are too few held-out chains to put anything on trial.
    """
    results = Path(results)
    path = results / "latents.h5ad"
    if not path.exists():
        raise InputError(f"{path}: no such file; run `mtlbio train` first")
    latents, model = ad.read_h5ad(path), load_model(results / "model")
    tables = examine(latents, model, run.probe)
    for name in ("audit", "association", "ablation", "enrichment", "stability", "subspaces", "replicas"):
        write_table(tables[name], results / "probing" / f"{name}.tsv")
    for name, table, columns in zip(("null", "null_runs"), empty(), (NULL, RUNS), strict=True):
        write_table(table, results / "probing" / f"{name}.tsv", columns)
    write_table(tables["verdicts"], results / "verdicts.tsv", VERDICTS)
    counts = tables["verdicts"]["verdict"].value_counts()
    say("verdicts: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def examine(latents: ad.AnnData, model: ProteinModel, options: ResidueProbe) -> dict[str, pd.DataFrame]:
    """The whole trial in memory: tables by name, as :func:`mtlbio.probing.probe.examine` gives them."""
    trial = make_trial(latents, options)
    chains = len(np.unique(trial.donors))
    if chains < LEAST_CHAINS:
        raise InputError(
            f"latents.h5ad: {chains} held-out chains; the trial needs {LEAST_CHAINS} or more (splits.test)"
        )
    design = audit(trial.obs, trial.tasks, trial.covariates, options, trial.units_of)
    trial = replace(trial, inseparable=frozenset(inseparable(design)))
    found = of_all_variance(association(trial), between_chains(trial.z, trial.donors))
    borrowed = leakage(trial, found)
    again = latents.var["stability"].to_numpy(dtype=float)
    steady = stability(trial, again)
    held_out, cohort = HeldOutResidues(model, latents), residue_cohort(latents)
    removed = ablation(held_out, cohort, folds_of(trial.donors), options)
    named = properties(trial, np.asarray(latents.varm["loadings"], dtype=float))
    evidence = gather(trial, found, borrowed, removed, steady, named)
    verdicts = verdict_table(trial, evidence, removed, design, again)
    shares = identity_and_context(trial)
    verdicts = with_directions(verdicts.merge(shares, on="dim"), named)
    # the rates were counted on runs with replicas: of one network nobody knows what would come back
    rated = with_rates(verdicts, design, kind="chains")
    verdicts = rated if len(model.networks) > 1 else rated.assign(**dict.fromkeys(_RATES, np.nan))
    verdicts = verdicts[[c for c in verdicts if c != "why"] + ["why"]]
    merged = found.merge(borrowed.rename(columns={"task": "variable"}).assign(question="task"), how="left")
    return {
        "audit": _said(design),
        "association": merged,
        "ablation": removed,
        "enrichment": named,
        "stability": steady,
        "subspaces": pd.DataFrame(columns=subspace_columns(trial)),
        "replicas": replicas(held_out.z),
        "verdicts": _said(verdicts),
    }


def with_directions(verdicts: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """The sentences say ``low hydrophobicity`` of a dimension that rises as its property falls."""
    sign = named.set_index(["dim", "set"])["correlation"]
    why = []
    for row in verdicts.itertuples():
        falls = (row.dim, row.driver) in sign.index and sign[row.dim, row.driver] < 0
        why.append(row.why.replace(f"{row.dim} ({row.driver})", f"{row.dim} (low {row.driver})") if falls else row.why)
    return verdicts.assign(why=why)


def replicas(z: np.ndarray) -> pd.DataFrame:
    """A row per replica (replicas, n, D): its rank, and how alike its dimensions are to the mean over all replicas."""
    mean = z.mean(axis=0)
    rows = []
    for r, own in enumerate(z):
        x, y = ((v - v.mean(axis=0)) / np.maximum(v.std(axis=0), 1e-12) for v in (own, mean))
        row = {"fold": 0, "replica": r, "n_held_out": len(own), "effective_rank": effective_rank(own)}
        row |= {"effective_rank_all": effective_rank(own), "cka": linear_cka(own, mean), "svcca": svcca(own, mean)}
        rows.append(row | {"correlation": float(np.median(np.abs((x * y).mean(axis=0))))})
    return pd.DataFrame(rows)


def _said(table: pd.DataFrame) -> pd.DataFrame:
    """The sentences of a table about chains and residues."""
    spoken = {
        c: table[c].map(lambda v: of_chains(v) if isinstance(v, str) else v)
        for c in ("why", "needed_for")
        if c in table
    }
    return table.assign(**spoken)
