"""The cohort of a run whose latents another model made: the same way from files and from memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.cohort.cells.units import tell_mixed
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.content import understood_content
from mtlbio.cohort.given.files import source_of
from mtlbio.cohort.given.given import Given
from mtlbio.cohort.given.loadings import read_loadings
from mtlbio.cohort.given.source import Source
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import read_metadata, text_table, unique_ids
from mtlbio.cohort.prepare import cohort_of_measurements
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import Raw, described, joined, used_columns
from mtlbio.cohort.samples import auxiliary_apart, checked, list_missing_covariates, samples_of
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.progress import say

Expressed = Callable[[], Cohort]  # the cohort of the measurements of the same samples


def cohort_of_latents(run: LatentsRun) -> tuple[Cohort, QcList]:
    """The cohort of a run of kind latents, from its files, and the list of what was dropped on the way."""
    if run.latents.encode is not None:
        cohort, qc = cohort_of_measurements(run)
        return cohort, qc
    say(f"{run.run}: reading {Path(str(run.latents.path)).name}")
    source, table = _files(run)
    expressed = (lambda: cohort_of_measurements(run)[0]) if run.expression is not None else None
    return cohort_of(run, source, table, expressed)


def read_roster(run: LatentsRun, qc: QcList) -> Raw:
    """Labels and covariates of the samples that have latents."""
    if run.latents.encode is not None:
        from mtlbio.cohort.read import read_roster as roster_of_measurements

        return roster_of_measurements(run, qc)
    raw = _joined(run, *_files(run), qc)
    nothing = np.zeros((len(raw.measurements.samples), 0))
    return replace(raw, measurements=replace(raw.measurements, genes=np.array([], dtype=str), matrix=nothing))


def cohort_of(
    run: LatentsRun, source: Source, table: pd.DataFrame | None, expressed: Expressed | None
) -> tuple[Cohort, QcList]:
    """The cohort of latents and of what describes their samples.

    Parameters
    ----------
    table : the description as text by sample; that of the source where left out
    expressed : makes the cohort of the same samples' measurements, on which gene sets are scored

    Returns
    -------
    cohort : its measurements are those of ``expressed``, else the latents themselves
    qc : what was dropped, and why

    Raises
    ------
    InputError
        Nothing that describes the samples, values that are no finite numbers, no dimension that varies, a model that
        made some latents of a donor and not all, or samples without measurements.
    """
    qc = QcList()
    raw = _joined(run, source, table, qc)
    data, obs, tasks, covariates = samples_of(run, raw, qc, scale="latents")
    obs = checked(run, obs, tasks, covariates, raw.source)
    values = np.asarray(data.dense(), dtype=float)
    varies = values.std(axis=0) > 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0, initial=0.0))
    qc.add(data.genes[~varies], "note", "constant dimension", "dropped: the same value in every sample")
    if not varies.any():
        raise InputError(f"{data.source}: no dimension varies over the {len(values)} samples")
    list_missing_covariates(obs, list(covariates), qc)
    own, dims = tuple(data.genes.astype(str)), tuple(data.genes[varies].astype(str))
    weights = read_loadings(run.latents, source, dims, own) if run.latents.loadings is not None else (None, ())
    given = Given(values[:, varies], dims, _folds(run, raw, obs, data), *weights)
    preprocessing: dict[str, Any] = {"kind": run.kind, "scale": "latents", "size": None}
    measured = given.values.astype(np.float32), dims
    if expressed is not None:
        of_genes = expressed()
        there = obs.index.isin(of_genes.obs.index)
        if not there.any():
            raise InputError(
                f"{run.measured.path}: no sample in common with {data.source}: {listing(of_genes.samples, 3)} here, "
                f"{listing(obs.index, 3)} there"
            )
        qc.add(obs.index[~there], "sample", "not in expression", "dropped: latents without measurements")
        obs, given = checked(run, obs[there], tasks, covariates, raw.source), given.keep(there)
        rows = of_genes.obs.index.get_indexer(obs.index)
        measured = of_genes.expression[rows], of_genes.genes
        preprocessing = of_genes.preprocessing
    return auxiliary_apart(Cohort(*measured, obs, tasks, covariates, preprocessing, given=given), run), qc


def _files(run: LatentsRun) -> tuple[Source, pd.DataFrame | None]:
    """The latents of a run, and the description of its samples as text; None where it comes with the latents."""
    table = None
    if run.metadata.path is not None:
        table = described(run, read_metadata(run.metadata.path), run.metadata.path)
    return source_of(run.latents, run.metadata.sample, None if table is None else table.index), table


def _joined(run: LatentsRun, source: Source, table: pd.DataFrame | None, qc: QcList) -> Raw:
    """Latents and description of the samples that have both; repeated names and unknown columns are errors."""
    about = run.metadata.path or source.path
    if table is None:
        own = source.obs()
        if own is None:
            raise InputError("metadata.path: missing; only an h5ad, zarr or h5mu may carry its own metadata")
        about = f"{source.path} (obs)"
        unique_ids(own.index, about)
        table = understood_content(run, text_table(own, used_columns(run, own, about)), about)
        table.index = table.index.astype(str)
    if run.pseudobulk is not None:
        tell_mixed(run, table, about)
    data = source.latents()
    unique_ids(data.samples, source.path)
    return joined(run, data, table, about, qc, "latents")


def _folds(run: LatentsRun, raw: Raw, obs: pd.DataFrame, data: Measurements) -> np.ndarray | None:
    """(samples,) which model made the latents of a sample; None where one made all."""
    column = run.latents.fold
    if column is None:
        return None
    named, donors = raw.metadata[column], raw.metadata[run.metadata.donor].astype(str)
    where = f"{raw.source}: latents.fold: column {column!r}"
    if named.isna().any():
        raise InputError(f"{where} is empty for {listing(named.index[named.isna()], 3)}; expected a value for each")
    models = named.groupby(donors.to_numpy()).agg(["nunique", "first"])
    mixed = models.index[models["nunique"] > 1]
    if len(mixed):
        raise InputError(
            f"{where}: samples of donor {listing(mixed, 3)} lie in several folds; expected all samples of a donor in "
            f"one, made by a model without that donor"
        )
    if models["first"].nunique() < 2:
        raise InputError(f"{where}: found one value; expected a fold for every model, two or more")
    return np.unique(models["first"].reindex(obs["donor"]).to_numpy().astype(str), return_inverse=True)[1]
