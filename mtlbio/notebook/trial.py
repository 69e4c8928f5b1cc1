"""``mtlbio.trial(latents, ...)``: latents of any model on trial, in memory."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pandas as pd

from mtlbio.cohort.genesets import load_sets
from mtlbio.cohort.given.build import cohort_of
from mtlbio.cohort.given.source import Source
from mtlbio.cohort.split import make_splits
from mtlbio.embedding.train import table_of
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.read import as_run
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.notebook.content import shared_content
from mtlbio.notebook.memory import InAnnData, InFrame, cohort_in_memory, named
from mtlbio.notebook.result import TrialResult
from mtlbio.probing.of_latents import examine_latents
from mtlbio.threads import one_thread


def trial(
    latents,
    key: str | None = None,
    *,
    obs: pd.DataFrame | None = None,
    donor: str,
    tasks: Mapping[str, Any],
    covariates: Mapping[str, Any] | None = None,
    saw: str | Sequence[str] | None = None,
    fold: str | None = None,
    corrected_for: Sequence[str] | None = None,
    kept: Sequence[str] | None = None,
    loadings: str | pd.DataFrame | None = None,
    scale: str | None = None,
    layer: str | None = None,
    genes: str | None = None,
    gene_sets: str | None = None,
    by: Sequence[str] = (),
    cells: bool | None = None,
    name: str = "trial",
    **sections: Any,
) -> TrialResult:
    """Put latents that any model made on trial: what is biology, a confounder, technical, and what may be claimed.

    Parameters
    ----------
    latents : AnnData with the latents in ``obsm[key]``, or a DataFrame (samples, dimensions) with ``obs``
    obs : of a DataFrame: labels and covariates, samples in rows under the same names
    donor : column of ``obs`` with the donor, the unit of every test; rows of single cells become samples of donors
    tasks : ``{"disease": "SLE"}`` (column: positive label), or what a YAML takes, such as
        ``{"disease": {"kind": "multiclass"}}``
    covariates : ``{"age": "confounder", "batch": "technical"}``, or what a YAML takes
    saw : what the model saw of the samples: ``"nothing"`` (with ``fold``), ``"donors"`` (no label), or the tasks whose
        labels it saw; where left out the worst is taken: all of them
    fold : with ``saw="nothing"``: column that says which model made the latents of a sample
    corrected_for, kept : covariates that were taken out beforehand, and tasks that this was told to protect; where left
        out the worst is taken
    loadings : name of a matrix in ``varm``, or a DataFrame (genes, dimensions)
    scale : of the measurements in ``latents.X`` (or ``layer``): counts, log, log2, z, beta ...; where left out they are
        not used, and gene sets are ranked by ``loadings`` alone
    layer, genes : which measurements, and the column of var with the genes' names
    gene_sets : GMT file, or ``"builtin"``
    by : columns that make a sample besides the donor, of single cells
    cells : whether rows are single cells; where left out, they are if a donor has ``CELLS`` or more at the median
    name : of the run, on its page
    **sections : further sections of a YAML as dictionaries: ``probe``, ``splits``, ``metadata``, ``pseudobulk``, ``qc``

    Returns
    -------
    TrialResult
        ``verdicts``, ``audit``, ``plan``, ``report(path)``; ``result["z03"].why``

    Raises
    ------
    InputError
        What does not fit, in one line, as of ``mtlbio prepare``.

    Examples
    --------
    >>> import numpy as np, pandas as pd, mtlbio as mb
    >>> rng = np.random.default_rng(0)
    >>> obs = pd.DataFrame({"donor": [f"D{i}" for i in range(60)], "disease": ["case", "control"] * 30})
    >>> Z = pd.DataFrame(rng.normal(size=(60, 3)), columns=["z1", "z2", "z3"])
    >>> Z["z2"] += 3.0 * (obs["disease"] == "case")
    >>> found = mb.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, saw="donors")
    >>> found["z2"].verdict
    'biology'
    """
    source, described = _source(latents, key, obs, loadings)
    where, gap = described, "obs" if obs is not None else "adata.obs"
    weights = "loadings" if isinstance(loadings, pd.DataFrame) else loadings
    stated = {
        "path": "memory",
        "loadings": weights,
        "genes": genes if scale is None else None,
        "saw": saw if saw is None or isinstance(saw, str) else list(saw),
        "fold": fold,
        "corrected_for": None if corrected_for is None else list(corrected_for),
        "kept": None if kept is None else list(kept),
    }
    content = {
        "run": name,
        "kind": "latents",
        "latents": {k: v for k, v in stated.items() if v is not None},
        **shared_content(where, gap, donor, tasks, covariates, scale, layer, genes, gene_sets, by, cells, sections),
    }
    run = cast(LatentsRun, as_run(content))
    with one_thread(), noticing() as notes:
        cohort, qc = cohort_of(
            run, source, None, (lambda: cohort_in_memory(run, latents)[0]) if scale is not None else None
        )
        splits = make_splits(cohort, run.splits)
        table = table_of(cohort, splits)
        tables = examine_latents(cohort, table, run.latents, run.trial_options, load_sets(run.gene_sets))
    return TrialResult(run, cohort, splits, table, tables, qc.table(), [note.text for note in notes])


def _source(latents, key: str | None, obs: pd.DataFrame | None, loadings) -> tuple[Source, pd.DataFrame]:
    """The source, and what describes its samples."""
    if isinstance(latents, pd.DataFrame):
        if obs is None:
            raise InputError("obs: missing; a DataFrame of latents needs one that describes the same samples")
        if key is not None:
            raise InputError(f"key: found {key!r} beside a DataFrame; valid: with an AnnData")
        if isinstance(loadings, str):
            raise InputError(f"loadings: found {loadings!r}; valid with a DataFrame: a DataFrame (genes, dimensions)")
        return InFrame(latents, obs, loadings), named(obs)
    if not hasattr(latents, "obsm") or not hasattr(latents, "obs"):
        raise InputError(
            f"latents: found {type(latents).__name__}; expected an AnnData, or a DataFrame with samples in rows"
        )
    if key is None:
        raise InputError(f"key: missing; obsm has {', '.join(map(str, latents.obsm)) or 'nothing'}")
    if obs is not None:
        raise InputError("obs: found beside an AnnData, which has its own; valid: with a DataFrame")
    return InAnnData(latents, key), named(latents.obs)
