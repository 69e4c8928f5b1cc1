"""``mtlbio.train(adata, ...)``: the whole job from an AnnData, in memory."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from mtlbio.cohort.cells.units import tell_mixed
from mtlbio.cohort.metadata import unique_ids
from mtlbio.cohort.prepare import prepare
from mtlbio.errors import InputError
from mtlbio.integrity.step import take
from mtlbio.kinds.read import as_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.notebook.content import shared_content
from mtlbio.notebook.memory import cohort_in_memory, genes_of, named
from mtlbio.notebook.trained import TrainResult, leave_in

STEPS = ("train", "baselines", "evaluate", "probe")


def train(
    adata,
    *,
    donor: str,
    tasks: Mapping[str, Any],
    scale: str,
    covariates: Mapping[str, Any] | None = None,
    layer: str | None = None,
    genes: str | None = None,
    gene_sets: str | Path | None = None,
    by: Sequence[str] = (),
    cells: bool | None = None,
    results: str | Path | None = None,
    name: str = "notebook",
    **sections: Any,
) -> TrainResult:
    """Train on the labels of an AnnData, and put every dimension on trial: what ``mtlbio run`` does, in memory.

    The AnnData receives

    - ``obsm["X_mtlbio"]``: (n_obs, D) held-out latents, each row by models that never saw its donor; NaN for samples
      that were dropped; single cells have those of their sample
    - ``varm["mtlbio"]``: (n_vars, D) loadings, NaN for genes that the model does not use
    - ``uns["mtlbio"]``: ``dims``, ``verdicts`` and ``metrics`` (tables), ``run`` (the YAML of the run), ``version``

    Parameters
    ----------
    adata : AnnData, samples or single cells x genes
    donor : column of ``obs`` with the donor, the unit of every test
    tasks : ``{"disease": "SLE"}`` (column: positive label), or what a YAML takes, such as
        ``{"age": {"kind": "regression"}}``
    scale : of the measurements: counts, log, log2, z, beta, linear or percent
    covariates : ``{"age": "confounder", "batch": "technical"}``, or what a YAML takes
    layer, genes : which measurements (``raw`` for ``raw.X``; ``X`` where left out), and the column of var with the
        genes' names
    gene_sets : GMT file, or ``"builtin"``
    by : columns that make a sample besides the donor, of single cells
    cells : whether rows are single cells; where left out, they are if a donor has 20 or more at the median
    results : folder that keeps all files of the run, with its page; nothing is left behind where left out
    name : of the run, on its page
    **sections : further sections of a YAML as dictionaries: ``training``, ``splits``, ``probe``, ``baselines``, ``qc``

    Returns
    -------
    TrainResult
        ``verdicts``, ``metrics``, ``predictions``, ``audit``, ``plan``, ``report(path)``, ``save(folder)``;
        ``result["z03"].why``. Verdicts are those of the command line on the same cohort.

    Raises
    ------
    InputError
        What does not fit, in one line, as of ``mtlbio prepare``.

    Examples
    --------
    >>> import anndata as ad, pandas as pd, mtlbio as mb
    >>> obs = pd.read_csv("planted/metadata.csv", index_col="sample_id")
    >>> adata = ad.AnnData(pd.read_parquet("planted/expression.parquet").loc[obs.index], obs=obs)
    >>> small = {"training": {"genes": 100, "axes": 4, "curves": 40, "block": 2, "seeds": 1, "epochs": 10}}
    >>> small |= {"splits": {"folds": 2}, "probe": {"permutations": 99, "bootstrap": 100}}
    >>> small |= {"baselines": {"arms": ["ridge"]}, "evaluate": {"bootstrap": 100}}
    >>> found = mb.train(adata, donor="donor_id", tasks={"disease": "case"}, scale="log2",
    ...                  covariates={"age": "confounder", "batch": "technical"}, **small)
    >>> adata.obsm["X_mtlbio"].shape == (48, len(found)), sorted(found.metrics["arm"].unique())
    (True, ['multitask', 'ridge', 'singletask'])
    """
    run = run_of(adata, name, donor, tasks, covariates, scale, layer, genes, gene_sets, by, cells, sections)
    if results is None:
        with tempfile.TemporaryDirectory(prefix="mtlbio_") as temporary:
            result = taken(run, adata, Path(temporary), STEPS)
    else:
        result = taken(run, adata, Path(results), (*STEPS, "report"))
    leave_in(adata, result, genes_of(adata, layer, genes))
    return result


def run_of(adata, name: str, *said: Any) -> CohortRun:
    """The run that a call describes; ``said``: what :func:`shared_content` takes after ``where``."""
    if not all(hasattr(adata, part) for part in ("obs", "var", "obsm", "varm")):
        raise InputError(f"adata: found {type(adata).__name__}; expected an AnnData with samples in rows, or a run")
    content = {"run": name, "kind": "cohort", **shared_content(named(adata.obs), "adata.obs", *said)}
    return cast(CohortRun, as_run(content))


def taken(run: CohortRun, adata, folder: Path, steps: Sequence[str]) -> TrainResult:
    """Take the steps of a run whose data are in memory."""
    take_steps(run, adata, folder, steps)
    return TrainResult.read(run, folder)


def take_steps(run: CohortRun, adata, folder: Path, steps: Sequence[str]) -> None:
    """Prepare what is in memory, then take the steps; all of it is written into ``folder``."""
    take("prepare", run, folder, partial(prepare, made=partial(_cohort, adata)))
    for step in steps:
        take(step, run, folder)


def _cohort(adata, run: CohortRun):
    unique_ids(named(adata.obs).index, "adata.obs")
    tell_mixed(run, named(adata.obs), "adata.obs")
    return cohort_in_memory(run, adata)
