"""Reading expression: h5ad, csv/tsv, parquet and the two 10x formats, samples in rows."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pyarrow import types

from mtlbio.cohort.cells.h5ad import h5ad_names, read_h5ad
from mtlbio.cohort.cells.tenx import read_tenx, tenx_names
from mtlbio.cohort.cells.tenx_h5 import holds_anndata
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import (
    TABLES,
    is_parquet,
    is_table,
    read_matrix,
    read_parquet,
    suffix,
    unique_ids,
)
from mtlbio.cohort.of_layout import of_layout
from mtlbio.cohort.values.gene_names import numbered
from mtlbio.cohort.values.matching import named_as
from mtlbio.cohort.values.number_cells import numbers_of
from mtlbio.cohort.values.orientation import (
    check_orientation,
    genes_apart,
    guess_genes_in,
    samples_by_name,
    without_text,
)
from mtlbio.cohort.values.tidy import dropped, without
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.intake.formats.registry import TABLE, measuring
from mtlbio.intake.parquet import parquet_schema
from mtlbio.intake.source import kind_of
from mtlbio.intake.tenx_files import is_matrix_market
from mtlbio.reading import understood
from mtlbio.text import as_text

FORMATS = ("h5ad", "zarr", "h5mu", "loom", "h5 (10x)", "a 10x/mtx folder", *TABLES)

_FIRST = "\0"  # no column is called so: the first one


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
    on_disk : leave the matrix of an h5ad (or the like) or a 10x h5 on disk, to be read part by part (single cells)

    Raises
    ------
    InputError
        Unknown format, unreadable file, missing layer, genes in rows, text among the numbers, duplicated samples.
    """
    path = Path(expression.path)
    file_format = _format(path, _named(expression))
    _check_keys(expression, file_format)
    if file_format == "layout":
        data = without(of_layout(path, expression.format, described), expression.drop)
    elif file_format == "table":
        data = _of_table(expression, sample_column, described, path)
    else:
        data = read_tenx(path, described, on_disk) if file_format == "10x" else read_h5ad(expression, on_disk)
        data = without(data, expression.drop)
        data = replace(data, samples=_distinct(data.samples, described))
    data = replace(data, samples=named_as(data.samples, described, path))
    check_orientation(data.samples, data.genes, described, expression.genes_in, path)
    unique_ids(data.samples, str(path))
    return data


def _of_table(
    expression: Expression, sample_column: str, described: Collection[str] | None, path: Path
) -> Measurements:
    """A table of text or parquet, its genes in columns or in rows."""
    rows = expression.genes_in == "rows"
    table, names = _read_frame(path, _FIRST if rows else sample_column)
    if rows:
        table = genes_apart(table, names.tolist(), expression.genes, described, path)
        table = without_text(table, described, path)
    else:
        _no_gap(table.index, path)
    keep = dropped(_names(table.index if rows else table.columns), expression.drop, path)
    if not keep.all():
        table = table[keep] if rows else table.loc[:, keep]
    table, values = numbers_of(table, rows, path)
    samples, genes = (table.columns, table.index) if rows else (table.index, table.columns)
    return Measurements(_names(samples), _names(genes), values.T.copy() if rows else values, str(path))


def names_of_columns(path: str | Path) -> list[str]:
    """Names of all columns of a table of measurements; none of a file of another kind."""
    path = Path(path)
    return _read_frame(path, _FIRST, only_ids=True)[1].tolist() if _format(path) == "table" else []


def genes_in(path: str | Path, sample_column: str, described: pd.DataFrame | None) -> Literal["rows", "columns"]:
    """Which way a file of measurements lies, by its names alone; ``described``: the metadata as text."""
    path = Path(path)
    if _format(path) != "table":
        return "columns"
    table, names = _read_frame(path, sample_column, only_ids=True)
    return guess_genes_in(table.index.dropna(), names.tolist(), described, path)


def sample_names(expression: Expression, sample_column: str, described: Collection[str] | None = None) -> np.ndarray:
    """The samples of an expression file (text) in its order, without reading the measurements.

    Parameters and errors as in :func:`read_expression`, as far as names can tell.
    """
    path = Path(expression.path)
    file_format, genes = _format(path, _named(expression)), np.array([], dtype=str)
    if file_format == "layout":
        samples = of_layout(path, expression.format, described).samples
    elif file_format == "10x":
        samples = tenx_names(path, described)
    elif file_format == "h5ad":
        samples, genes = h5ad_names(expression)
        samples = _distinct(samples, described)
    elif expression.genes_in == "rows":
        table, names = _read_frame(path, _FIRST, only_ids=True)
        samples = np.array(samples_by_name(names.tolist(), expression.genes, described, path), dtype=str)
        genes = table.index.dropna()
    else:
        table, genes = _read_frame(path, sample_column, only_ids=True)
        _no_gap(table.index, path)
        samples = table.index
    samples = named_as(_names(samples), described, path)
    check_orientation(samples, genes, described, expression.genes_in, path)
    unique_ids(samples, str(path))
    return samples


def _named(expression: Expression) -> str | None:
    """The layout that a run names; whoever names the column of the genes means a table."""
    return expression.format or (TABLE if expression.genes is not None else None)


def _format(path: Path, named: str | None = None) -> str:
    """``10x``, ``h5ad`` (or what else describes its samples), ``layout`` of a vendor or repository, or ``table``."""
    ending = suffix(path)
    if is_annotated(path):
        return "h5ad"
    if measuring(path, named) is not None:
        return "layout"
    if path.is_dir() or is_matrix_market(path) or ending == ".h5":
        return "h5ad" if ending == ".h5" and not path.is_dir() and holds_anndata(path) else "10x"
    if not is_table(path):
        kind_of(path)  # says what it is where that is known
        raise InputError(f"{path}: expression.path: format {ending!r} is unknown; valid: {listing(FORMATS, 16)}")
    return "table"


def _check_keys(expression: Expression, file_format: str) -> None:
    """Keys that only some files have a meaning for."""
    table, rows = file_format == "table", expression.genes_in == "rows"
    for key, what in (("layer", "layers"), ("modality", "modalities")):
        value = getattr(expression, key)
        if value is not None and file_format != "h5ad":
            raise InputError(f"{expression.path}: expression.{key}: {value!r} given, but only h5ad files have {what}")
    if expression.genes is not None and not (file_format == "h5ad" or table and rows):
        raise InputError(
            f"{expression.path}: expression.genes: {expression.genes!r} given, but only h5ad files and tables with "
            f"genes_in: rows have columns that describe genes"
        )
    if rows and file_format not in ("table", "layout"):  # a layout knows which way it lies
        raise InputError(
            f"{expression.path}: expression.genes_in: rows given; valid: columns, as only tables have rows"
        )


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
    table.index = pd.Index(as_text(pd.Series(table.index)).to_numpy(), dtype=object)
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


def _no_gap(ids: pd.Index, path: Path) -> None:
    if ids.isna().any():
        row = int(np.flatnonzero(ids.isna())[0]) + 1
        raise InputError(f"{path}: no sample identifier in row {row} (rows counted below the header)")
