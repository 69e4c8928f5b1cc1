"""Reading the description of the samples: one row per sample, every value as text."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.registry import description
from mtlbio.intake.names import is_row_number, tidied, tidy_name
from mtlbio.intake.notes import notice
from mtlbio.intake.parquet import parquet_schema
from mtlbio.intake.source import is_text, kind_of
from mtlbio.intake.table import look, numbers_of, read
from mtlbio.reading import file_of, understood
from mtlbio.text import as_text
from mtlbio.unpacking import ENDINGS

_PLAIN = (".csv", ".tsv", ".txt", ".tab")
_PACKED = tuple(f"{ending}{packed}" for packed in ENDINGS for ending in _PLAIN)
TABLES: tuple[str, ...] = (*_PLAIN, ".xlsx", ".parquet", ".feather", *_PACKED, ".xlsm", ".arrow")

VALID = f"{', '.join(_PLAIN)} (packed or not: {' '.join(ENDINGS)}), .xlsx, .parquet, .feather"


def suffix(path: str | Path) -> str:
    """The ending that tells a format, with that of its compression."""
    name = file_of(path)[0].name.lower()
    endings = Path(name).suffixes[-2:]
    return "".join(endings) if endings[-1:] and endings[-1] in ENDINGS else "".join(endings[-1:])


def is_table(path: str | Path) -> bool:
    """Whether a file holds a table that can be read, by its ending or, where that says nothing, by its content."""
    if suffix(path) in TABLES:
        return True
    try:
        return kind_of(path) != "text" or is_text(path)
    except InputError:
        return False


def read_metadata(path: str | Path, key: str = "metadata.path") -> pd.DataFrame:
    """Read a text table (csv, tsv, ...; as text), a sheet of a workbook (as text), parquet or Feather (as typed).

    Raises
    ------
    InputError
        Unreadable file, unknown format, a column name that stands twice, or no rows.
    """
    path = Path(path)
    if (described := description(path)) is not None:
        return described
    if not is_table(path):
        kind_of(path)  # says what it is where that is known
        raise InputError(f"{path}: {key}: format {suffix(path) or 'without ending'!r} is unknown; valid: {VALID}")
    if is_parquet(path):
        table = _named(read_parquet(path), path)
    elif kind_of(path) == "arrow":
        with understood(path, "a readable Feather file"):
            table = pd.read_feather(path)
        table = _named(_tidied(table), path)
    else:
        found = look(path)
        table = read(found, found.header)
    table.columns = [tidy_name(str(c)) for c in table.columns]
    _unique(list(table.columns), path)
    if not len(table):
        raise InputError(f"{path}: no rows; expected one row per sample below the header")
    return table


def _named(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """A typed table, its index as a column."""
    if isinstance(table.index, pd.RangeIndex):
        return table
    name = table.index.name or "index"
    with understood(path, "a table with one index"):
        # pandas keeps a column that was also made the index: one copy is enough
        return table.reset_index(drop=name in table.columns)


def is_parquet(path: Path) -> bool:
    """By its ending, so that a damaged one is told as such, or by its content."""
    return suffix(path) == ".parquet" or kind_of(path) == "parquet"


def text_table(table: pd.DataFrame, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Columns of a table (all by default) as text, missing = NaN (see :func:`mtlbio.text.as_text`)."""
    columns = table.columns if columns is None else dict.fromkeys(columns)
    return pd.DataFrame({c: as_text(table[c]) for c in columns}, index=table.index)


def by_sample(metadata: pd.DataFrame, sample_column: str, source: str) -> pd.DataFrame:
    """Set the sample identifier as index.

    Raises
    ------
    InputError
        The column has gaps, or an identifier stands twice.
    """
    ids = metadata[sample_column]
    if ids.isna().any():
        rows = np.flatnonzero(ids.isna()) + 1
        raise InputError(
            f"{source}: column {sample_column!r}: no sample identifier in row {listing(rows)} (rows counted below "
            f"the header); every row needs one"
        )
    metadata = without_copies(metadata, sample_column, source)
    return metadata.set_index(pd.Index(metadata[sample_column].to_numpy(), name="sample", dtype=object))


def without_copies(metadata: pd.DataFrame, sample_column: str, source: str) -> pd.DataFrame:
    """Each sample once: of rows that are the same in every column one is kept, and said.

    Raises
    ------
    InputError
        A sample in several rows that differ.
    """
    rows = metadata[metadata[sample_column].notna()]
    if not rows[sample_column].duplicated().any():
        unique_ids(rows[sample_column], f"{source}: column {sample_column!r}")
        return metadata
    copies = rows.index[rows.duplicated().to_numpy()] if rows.index.is_unique else rows.index[:0]
    if len(copies):
        names = list(dict.fromkeys(rows.loc[copies, sample_column]))
        notice(
            source, f"{len(copies)} row(s) that stand twice, word for word, left out: {listing(names, 5)}", doubt=True
        )
        metadata = metadata.drop(index=copies)
    ids = metadata[sample_column].dropna()
    twice = duplicates(ids)
    if twice:
        several = metadata[metadata[sample_column] == twice[0]]
        differ = [c for c in metadata.columns if several[c].nunique(dropna=False) > 1]
        hint = f" ({twice[0]}: rows differ in {listing(differ, 4)})" if differ else ""
        raise InputError(
            f"{source}: column {sample_column!r}: sample identifier(s) {listing(twice, 5)} stand twice{hint}; every "
            f"sample needs one of its own"
        )
    unique_ids(ids, f"{source}: column {sample_column!r}")
    return metadata


def without_row_numbers(table: pd.DataFrame, source: str | Path, keep: str | None = None) -> pd.DataFrame:
    """A table without a column that has no name of its own and only counts the rows, where another names them.

    ``keep``: the column that names the samples, where it is known.
    """
    counting = [c for c in table.columns[:3] if c != keep and is_row_number(c, table[c])]
    others = [c for c in table.columns if c not in counting and table[c].notna().all() and table[c].is_unique]
    if counting and (keep is not None or any(_names_rows(c, table[c]) for c in others)):
        notice(source, f"column(s) {listing(map(repr, counting))} left out: they only count the rows")
        return table.drop(columns=counting)
    return table


def _names_rows(name: str, values: pd.Series) -> bool:
    named = re.search(r"(?i)(?<![a-z])(id|sample|patient|donor|subject|participant|case|barcode)s?(?![a-z])|ID$", name)
    return bool(named) or bool(pd.to_numeric(values, errors="coerce").isna().all())


def unique_ids(ids: pd.Series | np.ndarray, where: str) -> None:
    """Raise where a sample identifier stands twice, or holds what no table can."""
    nul = [name for name in map(str, ids) if "\0" in name]
    if nul:
        raise InputError(f"{where}: sample identifier {nul[0]!r} holds a NUL character; expected text")
    twice = duplicates(ids)
    if twice:
        long = len(ids) >= 4 * len(set(ids))
        hint = " (a row for every sample and gene? pivot it: samples in rows, genes in columns)" if long else ""
        raise InputError(
            f"{where}: sample identifier(s) {listing(twice, 5)} stand twice; every sample needs one of its own{hint}"
        )


def duplicates(values) -> list:
    """What stands more than once, each once."""
    values = pd.Series(values, dtype=object)
    return list(values[values.duplicated()].unique())


def csv_header(path: Path) -> list[str]:
    """Names of all fields of a text table, ``""`` where there is none."""
    return look(path).header


def read_csv(
    path: Path, header: list[str], text: bool = True, id_column: int = 0, only_ids: bool = False
) -> pd.DataFrame:
    """Body of a text table under ``header``: all text, or numbers with one text column of identifiers (or just those).

    Columns without a name and without a value are left out.
    """
    return read(look(path), header, not text, id_column, only_ids)


def read_matrix(path: Path, sample_column: str, only_ids: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Numbers of a text table by sample (the index; no columns where ``only_ids``), and the names of all its columns.

    The samples are named by ``sample_column``, or by the first column where there is none of that name.
    """
    return numbers_of(look(path), sample_column, only_ids)


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read parquet (some columns and the index, or all); a file that is none is an InputError."""
    _unique(parquet_schema(path).names, path)
    with understood(path, "a readable parquet file"):
        table = pd.read_parquet(path, columns=columns)
    return _tidied(table)


def _tidied(table: pd.DataFrame) -> pd.DataFrame:
    """A typed table whose text is as that of a text table would be: columns and index."""
    for place, dtype in enumerate(table.dtypes):
        if dtype.kind == "O" and pd.api.types.infer_dtype(table.iloc[:, place], skipna=True) == "string":
            table.isetitem(place, tidied(table.iloc[:, place])[0])
    if table.index.dtype == object and pd.api.types.infer_dtype(table.index, skipna=True) == "string":
        table.index = pd.Index(tidied(pd.Series(table.index))[0], dtype=object, name=table.index.name)
    return table


def _unique(names: list[str], path: Path) -> None:
    twice = [name for name in duplicates(names) if name]
    if twice:
        raise InputError(f"{path}: column(s) {listing(twice, 5)} stand twice; every gene or metadata column once")
