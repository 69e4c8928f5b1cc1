"""Reading expression: h5ad, csv/tsv, parquet and the two 10x formats, samples in rows."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import types

from mtlbio.cohort.gene_names import numbered
from mtlbio.cohort.h5ad import h5ad_names, read_h5ad
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import (
    TABLES,
    is_parquet,
    is_table,
    parquet_schema,
    read_matrix,
    read_parquet,
    suffix,
    unique_ids,
)
from mtlbio.cohort.tenx import read_tenx, tenx_names
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.intake.source import kind_of
from mtlbio.reading import check_fits, understood
from mtlbio.text import as_text

FORMATS = ("h5ad", "zarr", "h5mu", "loom", "h5 (10x)", "a 10x/mtx folder", *TABLES)


def read_expression(
    expression: Expression, sample_column: str, described: Collection[str] | None = None, on_disk: bool = False
) -> Measurements:
    """Read the measurements that a run names.

    Parameters
    ----------
    expression : path, scale and layer from the run
    sample_column : column of identifiers in a csv, tsv or parquet file; where there is none, the index or the first
        text column
    described : sample identifiers of the metadata: tells samples from genes
    on_disk : leave a row-compressed h5ad matrix on disk and read it in blocks (single cells before pseudobulk)

    Raises
    ------
    InputError
        Unknown format, unreadable file, missing layer, genes in rows, text among the numbers, duplicated samples.
    """
    path = Path(expression.path)
    file_format = _format(path)
    _check_keys(expression, file_format)
    if file_format == "table":
        table, _ = _read_frame(path, sample_column)
        _check_samples(table.index, table.columns, described, path)
        return Measurements(_names(table.index), _names(table.columns), _numbers(table, path), str(path))
    data = read_tenx(path) if file_format == "10x" else read_h5ad(expression, on_disk)
    data = replace(data, samples=_distinct(data.samples, described))
    _check_samples(data.samples, data.genes, described, path)
    return data


def sample_names(expression: Expression, sample_column: str, described: Collection[str] | None = None) -> np.ndarray:
    """The samples of an expression file (text) in its order, without reading the measurements.

    Parameters and errors as in :func:`read_expression`, as far as names can tell.
    """
    path = Path(expression.path)
    file_format, genes = _format(path), np.array([], dtype=str)
    if file_format == "10x":
        samples = tenx_names(path)
    elif file_format == "h5ad":
        samples, genes = h5ad_names(expression)
        samples = _distinct(samples, described)
    else:
        table, genes = _read_frame(path, sample_column, only_ids=True)
        samples = table.index
    samples = _names(samples)
    _check_samples(samples, genes, described, path)
    return samples


def _format(path: Path) -> str:
    """``10x``, ``h5ad`` (or what else describes its samples) or ``table``."""
    ending = suffix(path)
    if is_annotated(path):
        return "h5ad"
    if path.is_dir() or ending == ".h5":
        return "10x"
    if not is_table(path):
        kind_of(path)  # says what it is where that is known
        raise InputError(f"{path}: expression.path: format {ending!r} is unknown; valid: {listing(FORMATS, 16)}")
    return "table"


def _check_keys(expression: Expression, file_format: str) -> None:
    """Keys that only files have which describe their samples."""
    keys = ("layer", "layers"), ("modality", "modalities"), ("genes", "columns that describe genes")
    for key, what in keys:
        value = getattr(expression, key)
        if value is not None and file_format != "h5ad":
            raise InputError(f"{expression.path}: expression.{key}: {value!r} given, but only h5ad files have {what}")


def _distinct(samples: np.ndarray, described: Collection[str] | None) -> np.ndarray:
    """Names that stand again numbered where the description, which lies in the same file, does so too."""
    unique = numbered(samples)
    return unique if described is not None and (unique != samples).any() and set(unique) <= set(described) else samples


def _names(values) -> np.ndarray:
    return np.asarray(values).astype(str)


def _read_frame(path: Path, sample_column: str, only_ids: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    """Samples as text index, everything else (or nothing) as columns; and the names of all columns of the file."""
    if is_parquet(path):
        schema = parquet_schema(path)
        with understood(path, "a readable parquet file"):
            column = _id_column(schema, sample_column, path)
        table = read_parquet(path, None if not only_ids else [] if column is None else [column])
        # a column that was saved as the index comes back as the index
        table = table.set_index(column) if column in table.columns else table
        names = schema.names
    else:
        table, names = read_matrix(path, sample_column, only_ids)
    if isinstance(table.index, pd.MultiIndex):
        raise InputError(
            f"{path}: an index of {table.index.nlevels} levels; expected one column that names the samples"
        )
    ids = as_text(pd.Series(table.index))
    if ids.isna().any():
        row = int(np.flatnonzero(ids.isna())[0]) + 1
        raise InputError(f"{path}: no sample identifier in row {row} (rows counted below the header)")
    table.index = pd.Index(ids.to_numpy(), dtype=object)
    table.columns = [str(c).strip() for c in table.columns]
    return table, np.array(names)


def _id_column(schema, sample_column: str, path: Path) -> str | None:
    """The column of a parquet file that names the samples; None where its index does."""
    if sample_column in schema.names:
        return sample_column
    if any(isinstance(c, str) for c in (schema.pandas_metadata or {}).get("index_columns", ())):
        return None
    numeric = (types.is_integer, types.is_floating, types.is_boolean)
    text = [f.name for f in schema if not any(is_type(f.type) for is_type in numeric)]
    if not text:
        raise InputError(
            f"{path}: no sample identifiers: expected a column {sample_column!r}, an index or a text column"
        )
    return text[0]


def _numbers(table: pd.DataFrame, path: Path) -> np.ndarray:
    """(samples, genes) float32."""
    for position, dtype in enumerate(table.dtypes):
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
            continue
        column = table.iloc[:, position]
        wrong = column[column.notna() & pd.to_numeric(column, errors="coerce").isna()]
        example = f"{str(wrong.iloc[0])[:40]!r} in sample {wrong.index[0]!r}" if len(wrong) else f"type {dtype}"
        raise InputError(
            f"{path}: column {column.name!r} is not numeric (found {example}); every column beside the sample "
            f"identifier is taken for a gene"
        )
    check_fits(path, table.size * 4, f"a table of {len(table):,} samples and {table.shape[1]:,} columns")
    with understood(path, "a table of numbers"):
        return table.to_numpy(dtype=np.float32, na_value=np.nan)


def _check_samples(samples, genes, described: Collection[str] | None, path: Path) -> None:
    """Refuse a sample twice, and a transposed matrix: samples of the metadata that stand in the columns."""
    described = set(() if described is None else described)
    if described.isdisjoint(samples) and not described.isdisjoint(genes):
        first = str(next(g for g in genes if g in described))
        raise InputError(
            f"{path}: genes in rows? The metadata's samples (such as {first!r}) are the columns here: transpose the "
            f"matrix, samples go in rows"
        )
    unique_ids(samples, str(path))
