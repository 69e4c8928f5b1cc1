"""Reading a cohort's two files and joining them on the sample identifier."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.cells.h5ad import h5ad_obs
from mtlbio.cohort.cells.layers import tell_averages
from mtlbio.cohort.cells.units import tell_mixed
from mtlbio.cohort.content import understood_content
from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.cohort.measurements import Measurements, check_names
from mtlbio.cohort.metadata import by_sample, read_metadata, text_table, unique_ids
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.values.missing import without_gaps
from mtlbio.cohort.values.scale_check import as_counts, check_scale
from mtlbio.cohort.values.tidy import tidied
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import DonorRun
from mtlbio.text import OWN_DONORS, TO_CHOOSE, suggestion


@dataclass(frozen=True)
class Raw:
    """Samples that stand in both files: ``metadata`` (text, missing = NaN) belongs row by row to ``measurements``;
    ``source`` names its file for messages."""

    measurements: Measurements
    metadata: pd.DataFrame
    source: str


def read(run: DonorRun, qc: QcList) -> Raw:
    """Read expression and metadata and join them.

    Samples in one file only, and samples without a donor, are dropped and listed in ``qc``.

    Raises
    ------
    InputError
        Unreadable files, missing columns, duplicated identifiers, no sample in common, genes in rows.
    """
    source, metadata = _metadata(run)
    data = read_expression(run.measured, run.metadata.sample, metadata.index, on_disk=run.pseudobulk is not None)
    _tell_averages(run)
    return measured(run, data, metadata, source, qc)


def measured(run: DonorRun, data: Measurements, metadata: pd.DataFrame, source: str, qc: QcList) -> Raw:
    """Measurements as they came, tidied, checked and joined with the description of their samples.

    ``metadata``: the columns that the run uses, as text, by sample; ``source`` names it. Errors as of :func:`read`.
    """
    check_names(data)
    data = tidied(data, run.measured.scale, qc, metadata.columns)
    raw = joined(run, data, metadata, source, qc, "expression")
    _labels_among_genes(run, raw.measurements, raw.metadata)
    data = without_gaps(raw.measurements, run.measured.missing, qc)
    data = as_counts(data, run.measured.scale)
    check_scale(data, run.measured.scale)
    return replace(raw, measurements=data, metadata=raw.metadata.loc[data.samples])


def read_roster(run: DonorRun, qc: QcList) -> Raw:
    """As :func:`read`, but of the expression file only the samples' names are read: the measurements have no genes.

    What the measurements themselves could be wrong in is not looked at.
    """
    source, metadata = _metadata(run)
    samples = sample_names(run.measured, run.metadata.sample, metadata.index)
    _tell_averages(run)
    return joined(run, without_genes(samples, run.measured.path), metadata, source, qc, "expression")


def _tell_averages(run: DonorRun) -> None:
    if run.pseudobulk is not None and run.measured.scale != "counts":
        tell_averages(run.measured)


def without_genes(samples: np.ndarray, source: str) -> Measurements:
    """Samples whose measurements are not looked at."""
    return Measurements(samples, np.array([], dtype=str), np.zeros((len(samples), 0), np.float32), source)


def joined(run: DonorRun, data: Measurements, metadata: pd.DataFrame, source: str, qc: QcList, what: str) -> Raw:
    """The samples that stand in both files and have a donor; ``what``: the key of the file that is not ``source``."""
    kind = "sample" if run.pseudobulk is None else "cell"
    in_metadata = np.isin(data.samples, metadata.index.to_numpy().astype(str))
    if not in_metadata.any():
        raise InputError(
            f"{data.source}: no sample in common with {source}: {what} has {listing(data.samples, 3)}; "
            f"metadata has {listing(metadata.index, 3)} in column {run.metadata.sample!r}"
        )
    qc.add(data.samples[~in_metadata], kind, "not in metadata", f"dropped: only in the {what} file")
    in_expression = metadata.index.isin(data.samples)
    qc.add(metadata.index[~in_expression], kind, f"not in {what}", "dropped: only in the metadata")
    data = data.keep(in_metadata)
    metadata = metadata.loc[data.samples]

    donor = metadata[run.metadata.donor]
    if donor.isna().all():
        raise InputError(f"{source}: metadata.donor: column {run.metadata.donor!r} is empty for every sample")
    qc.add(donor.index[donor.isna()], kind, "donor missing", "dropped: the donor is the unit of every test")
    data, metadata = data.keep(donor.notna().to_numpy()), metadata[donor.notna()]
    return Raw(data, metadata, source)


def _metadata(run: DonorRun) -> tuple[str, pd.DataFrame]:
    """Name of the metadata file, and the columns that the run uses, as text, by sample."""
    if run.metadata.path is not None:
        whole = read_metadata(run.metadata.path)
        table = described(run, whole, run.metadata.path)
        tell_mixed(run, whole, run.metadata.path)
        return run.metadata.path, table
    source = f"{run.measured.path} (obs)"
    table = h5ad_obs(run.measured.path, run.measured.modality)
    unique_ids(table.index, source)
    columns = used_columns(run, table, source, [])
    tell_mixed(run, table, source)
    return source, understood_content(run, text_table(table, columns), source)


def described(run: DonorRun, table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The columns of a metadata table that the run uses, as text, by sample.

    Raises
    ------
    InputError
        No rows, a column that does not exist, a sample twice or without an identifier.
    """
    sample = run.metadata.sample
    columns = used_columns(run, table, source, [("metadata.sample", sample)])
    return by_sample(understood_content(run, text_table(table, columns), source), sample, source)


def used_columns(run: DonorRun, table: pd.DataFrame, source: str, named: Sequence[tuple[str, str]] = ()) -> list[str]:
    """The columns that the run names, after those ``named`` by key and column; one that does not exist is an error."""
    if not len(table):
        raise InputError(f"{source}: no rows; expected one row per sample")
    named = [*named, ("metadata.donor", run.metadata.donor)]
    further = {"metadata.family": run.metadata.family, "metadata.order": run.metadata.order}
    named += [(key, column) for key, column in further.items() if column is not None]
    for task in run.tasks:
        columns = run.task_columns(task).items()
        named += [(f"tasks.{task}" if key == "column" else f"tasks.{task}.{key}", column) for key, column in columns]
    named += [(f"tasks.{t}.where", column) for t, task in run.tasks.items() for column in task.where]
    named += [(f"covariates.{c}", run.covariate_column(c)) for c in run.recorded]
    named += list(run.further_columns.items())
    named += [("pseudobulk.by", column) for column in (run.pseudobulk.by if run.pseudobulk else [])]
    for key, column in named:
        if column == TO_CHOOSE and column not in table.columns:
            own = f" ({OWN_DONORS})" if key == "metadata.donor" and source.endswith("(obs)") else ""
            raise InputError(f"{source}: {key}: not chosen yet; name the column: {listing(table.columns, 20)}{own}")
        if column not in table.columns:
            raise InputError(f"{source}: {key}: no column {column!r}; {suggestion(column, table.columns)}")
    return [column for _, column in named]


def label_columns(run: DonorRun) -> set[str]:
    """Metadata columns that any task is read from."""
    return {column for task in run.tasks for column in run.task_columns(task).values()}


def _labels_among_genes(run: DonorRun, data: Measurements, metadata: pd.DataFrame) -> None:
    """A label that was left among the measurements would be predicted from itself."""
    columns = label_columns(run) | {run.covariate_column(c) for c in run.recorded}
    for column in sorted(columns.intersection(data.genes)):
        gene = np.flatnonzero(data.genes == column)[:1]
        values = np.concatenate([sparse.csr_matrix(block[:, gene]).toarray().ravel() for _, block in data.blocks()])
        label = pd.to_numeric(metadata[column], errors="coerce").to_numpy(dtype=float)
        both = np.isfinite(label) & np.isfinite(values)
        if both.any() and np.allclose(values[both], label[both], rtol=1e-5):
            raise InputError(
                f"{data.source}: column {str(column)!r} holds the metadata column of that name, not a gene: "
                f"remove it, or write expression.drop: [{column}]"
            )
