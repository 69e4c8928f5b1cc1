"""Reading the description of the samples: one row per sample, every value as text."""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mtlbio.errors import InputError, listing
from mtlbio.text import as_text

_BROKEN = (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error)
_BROKEN_PARQUET = (pa.ArrowInvalid, pa.ArrowTypeError, OSError)
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".parquet")


def suffix(path: str | Path) -> str:
    """The ending that decides the format, ``.gz`` included."""
    name = Path(path).name.lower()
    endings = Path(name).suffixes[-2:]
    return "".join(endings) if endings[-1:] == [".gz"] else "".join(endings[-1:])


def read_metadata(path: str | Path, key: str = "metadata.path") -> pd.DataFrame:
    """Read csv, tsv (gzipped or not) or parquet; csv and tsv as text, parquet as it is typed.

    Raises
    ------
    InputError
        Unreadable file, unknown format, a column name that stands twice, or no rows.
    """
    path = Path(path)
    ending = suffix(path)
    if ending == ".parquet":
        table = read_parquet(path)
        if not isinstance(table.index, pd.RangeIndex):
            name = table.index.name or "index"
            # pandas keeps a column that was also made the index: one copy is enough
            table = table.reset_index(drop=name in table.columns)
    elif ending in TABLES:
        table = read_csv(path, csv_header(path))
    else:
        raise InputError(f"{path}: {key}: format {ending or 'without ending'!r} is unknown; valid: {listing(TABLES)}")
    table.columns = [str(c).strip() for c in table.columns]
    _unique(list(table.columns), path)
    if not len(table):
        raise InputError(f"{path}: no rows; expected one row per sample below the header")
    return table


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
    unique_ids(ids, f"{source}: column {sample_column!r}")
    return metadata.set_index(pd.Index(ids.to_numpy(), name="sample", dtype=object))


def unique_ids(ids: pd.Series | np.ndarray, where: str) -> None:
    """Raise where a sample identifier stands twice."""
    twice = duplicates(ids)
    if twice:
        raise InputError(
            f"{where}: sample identifier(s) {listing(twice, 5)} stand twice; every sample needs one of its own"
        )


def duplicates(values) -> list:
    """What stands more than once, each once."""
    values = pd.Series(values, dtype=object)
    return list(values[values.duplicated()].unique())


def csv_header(path: Path) -> list[str]:
    """Column names of a csv/tsv; R's one-short header is completed with an empty name."""
    separator = separator_of(path)
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with (
        _expecting("a UTF-8 text table", path, *_BROKEN, csv.Error),
        opened(path, "rt", encoding="utf-8-sig", newline="") as lines,
    ):
        rows = csv.reader(lines, delimiter=separator)
        header, first = next(rows, []), next(rows, [])
    if not any(cell.strip() for cell in header):
        raise InputError(f"{path}: empty; expected a header row and one row per sample")
    header = [cell.strip() for cell in header]
    if first and len(header) == len(first) - 1:
        header = ["", *header]
    if len(header) == 1:
        other = next((s for s in (";", "\t", ",") if s in header[0]), None)
        if other:
            raise InputError(
                f"{path}: found one column, {header[0][:60]!r}: the columns seem to be separated by {other!r}; "
                f"expected {separator!r} for this ending (csv: comma, tsv and txt: tab)"
            )
    return header


def read_csv(
    path: Path, header: list[str], text: bool = True, id_column: int = 0, only_ids: bool = False
) -> pd.DataFrame:
    """Body of a csv/tsv under ``header``: all text, or numbers with one text column of identifiers (or just those)."""
    layout = {"sep": separator_of(path), "header": None, "skiprows": 1, "index_col": False, "encoding": "utf-8-sig"}
    columns = {"names": range(len(header)), "usecols": [id_column] if only_ids else None}
    types = {"dtype": str if text else {id_column: str}, "keep_default_na": not text, "low_memory": False}
    try:
        with _expecting("a readable table", path, *_BROKEN, pd.errors.ParserError):
            table = pd.read_csv(path, **layout, **columns, **types)
    except pd.errors.EmptyDataError:
        table = pd.DataFrame(columns=range(len(header)), dtype=object)
    table.columns = [header[id_column]] if only_ids else header
    return table


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read parquet (some columns and the index, or all); a file that is none is an InputError."""
    _unique(parquet_schema(path).names, path)
    with _expecting("a readable parquet file", path, *_BROKEN_PARQUET):
        return pd.read_parquet(path, columns=columns)


def parquet_schema(path: Path):
    """Names and types of the columns (``pyarrow.Schema``)."""
    with _expecting("a readable parquet file", path, *_BROKEN_PARQUET):
        return pq.read_schema(path)


def separator_of(path: str | Path) -> str:
    """Comma for csv, tab for tsv and txt."""
    return "," if ".csv" in suffix(path) else "\t"


def _unique(names: list[str], path: Path) -> None:
    twice = [name for name in duplicates(names) if name]
    if twice:
        raise InputError(f"{path}: column(s) {listing(twice, 5)} stand twice; every gene or metadata column once")


@contextmanager
def _expecting(what: str, path: Path, *errors: type[Exception]) -> Iterator[None]:
    """Say in one line that a file is not what it should be where one of the errors comes up."""
    try:
        yield
    except errors as error:
        raise InputError(f"{path}: not {what} ({' '.join(str(error).split())[:120]})") from None
