"""Which way a table of measurements lies: samples in rows, or genes in rows beside columns that describe them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from mtlbio.cohort.values.annotation import is_annotation, names_genes
from mtlbio.cohort.values.matching import matched
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.text import as_text, suggestion

_LONGER = 4  # times as many rows as columns: more likely genes than samples
_IN_FRONT = 12  # columns
_NO_GENE = r"[\W_]*"  # --- of Affymetrix
_MANY = 1_000  # rows: fewer may well be samples


def genes_apart(
    table: pd.DataFrame, names: Sequence[str], wanted: str | None, described: Collection[str] | None, path: Path
) -> pd.DataFrame:
    """A table with genes in rows: names of the genes as its index, samples as its columns.

    Parameters
    ----------
    table : as read, its index is what stood in the first column (or the index of a parquet file)
    names : all columns of the file
    wanted : ``expression.genes``
    described : samples of the metadata

    Raises
    ------
    InputError
        ``wanted`` is no column, no column is left that could be a sample, or most rows have no name.
    """
    inside = set(table.columns)
    outside = [name for name in names if name not in inside]
    first = outside[0] if outside else ""
    column = _gene_column(table, first, wanted, path)
    names_of_genes = table.index if column is None else pd.Index(as_text(table[column]).to_numpy(), dtype=object)
    left = [name for name in table.columns if name != column]
    samples = dict(zip(left, samples_apart(left, column or first, described, path), strict=True))
    keep = np.array([samples.get(name, False) for name in table.columns], dtype=bool)
    table = table.loc[:, keep] if not keep.all() else table
    if column is not None:
        table.index = names_of_genes
    unnamed = table.index.isna() | table.index.astype(str).str.fullmatch(_NO_GENE)
    if unnamed.sum() > 0.5 * len(table):
        raise InputError(
            f"{path}: {unnamed.sum()} of {len(table)} rows have no name in column {column or first!r}; expected "
            f"the names of genes: expression.genes chooses another column"
        )
    if unnamed.any():
        rows = listing((np.flatnonzero(unnamed) + 1).tolist(), 3)
        notice(path, f"{unnamed.sum()} rows without the name of a gene left out (below the header: {rows})", doubt=True)
        table = table[~unnamed]
    return table


def _gene_column(table: pd.DataFrame, first: str, wanted: str | None, path: Path) -> str | None:
    """The column that names the genes; None where it is what stands first, which is the index already."""
    if wanted is not None and wanted != first:
        if wanted not in table.columns:
            raise InputError(
                f"{path}: expression.genes: no column {wanted!r}; {suggestion(wanted, [first, *table.columns])}"
            )
        return wanted
    called = [name for name in table.columns if names_genes(name)]
    if wanted is not None or not called or names_genes(first):
        return None
    # pandas counts its rows in a first column without a name
    counted = table.index.isin([str(i) for i in range(len(table) + 1)]).all()
    return called[0] if counted or is_annotation(first) else None


def samples_apart(
    columns: Sequence[str], genes: str | None, described: Collection[str] | None, path: Path
) -> np.ndarray:
    """(columns,) True where a column of a table with genes in rows is a sample, by name; the others are told."""
    described = set(() if described is None else described)
    annotation = np.array([is_annotation(name) and name not in described for name in columns], dtype=bool)
    left = [name for name, is_left in zip(columns, annotation, strict=True) if is_left]
    if annotation.all():
        raise InputError(
            f"{path}: expression.genes_in: rows: every column ({listing(columns, 6)}) is called as what describes "
            f"genes; expected one column per sample"
        )
    if left:
        also = [name for name in left if names_genes(name)]
        hint = f"; genes are named by {genes!r}, expression.genes chooses another" if also and genes else ""
        notice(path, f"genes in rows: {listing(left, 8)} describe genes and are no samples: left out{hint}")
    return ~annotation


def without_text(table: pd.DataFrame, described: Collection[str] | None, path: Path) -> pd.DataFrame:
    """A table with genes in rows without columns that hold text and are no samples of the metadata; they are told."""
    if described is None or not len(described):
        return table
    names = matched(np.array([str(name) for name in table.columns]), described)[0]
    sample = np.isin(names, [str(name) for name in described])
    text = np.array([not pd.api.types.is_numeric_dtype(dtype) for dtype in table.dtypes], dtype=bool)
    left = table.columns[text & ~sample].tolist()
    if left and sample.any():
        notice(path, f"genes in rows: {listing(left, 6)} hold text and are no samples of the metadata: left out")
        return table.loc[:, ~text | sample]
    return table


def samples_by_name(
    names: Sequence[str], wanted: str | None, described: Collection[str] | None, path: Path
) -> list[str]:
    """Samples of a table with genes in rows, of which only the names of the columns are known."""
    names = [str(name).strip() for name in names if not str(name).startswith("__index_level_")]
    known = set(() if described is None else described)
    # the first column names the genes even where it has the name of a sample: nothing else is in front of the samples
    if wanted is None and names and names[0] not in known and not is_annotation(names[0]):
        names = names[1:]
    return [name for name in names if name != wanted and (name in known or not is_annotation(name))]


def guess_genes_in(
    ids: Collection[str], columns: Sequence[str], described: pd.DataFrame | None, path: Path
) -> Literal["rows", "columns"]:
    """``rows`` or ``columns``, and a note where it is rows.

    Parameters
    ----------
    ids : the first column of the file
    columns : its column names
    described : the metadata as text; its samples stand in the rows or in the columns
    """
    names, rows = np.array([str(name) for name in columns]), np.array([str(name) for name in ids], dtype=str)
    known = {} if described is None else {c: described[c].dropna().astype(str).unique() for c in described.columns}
    about = np.array([is_annotation(name) for name in names.tolist()], dtype=bool)
    for share in (_exactly, _nearly):
        fit = {c: (share(names[~about], samples), share(rows, samples)) for c, samples in known.items()}
        best = max(fit, key=lambda c: abs(fit[c][0] - fit[c][1]), default=None)
        if best is not None and fit[best][0] > fit[best][1]:
            notice(path, f"genes in rows: its columns are the samples of the metadata's column {best!r}")
            return "rows"
        if best is not None and fit[best][0] < fit[best][1]:
            return "columns"
    # in front of the samples; further behind they are genes that are called so (IDS, MAX)
    if about[:_IN_FRONT].sum() > 1:
        notice(
            path, f"genes in rows: columns such as {listing(names[about][:_IN_FRONT], 3)} describe genes", doubt=True
        )
        return "rows"
    if len(ids) >= _MANY and len(ids) >= _LONGER * len(names):
        notice(
            path,
            f"genes in rows? {len(ids):,} rows and {len(names):,} columns; of samples in rows remove genes_in: rows",
            doubt=True,
        )
        return "rows"
    return "columns"


def check_orientation(samples, genes, described: Collection[str] | None, genes_in: str, path: Path) -> None:
    """Refuse samples of the metadata that stand where the genes are due."""
    described = set(() if described is None else described)
    if not described.isdisjoint(samples) or described.isdisjoint(genes):
        return
    first = str(next(g for g in genes if g in described))
    if genes_in == "rows":
        raise InputError(
            f"{path}: expression.genes_in: rows, but the metadata's samples (such as {first!r}) are the rows here: "
            f"remove the key (columns is what holds without it)"
        )
    raise InputError(
        f"{path}: genes in rows? The metadata's samples (such as {first!r}) are the columns here: write "
        f"expression.genes_in: rows (of an h5ad: transpose it, samples go in rows)"
    )


def _exactly(names: np.ndarray, samples: np.ndarray) -> int:
    """How many of the metadata's samples are among the names of a file."""
    return len(set(samples.tolist()).intersection(names.tolist()))


def _nearly(names: np.ndarray, samples: np.ndarray) -> int:
    """As :func:`_exactly`, after what programs and people change in names; of few, nothing is said."""
    if len(samples) < 3:
        return 0
    same = _exactly(matched(names, samples)[0], samples)
    return same if same >= 0.3 * len(samples) else 0
