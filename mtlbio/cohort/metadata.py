"""Reading the description of the samples: one row per sample, every value as text."""

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from mtlbio.errors import InputError, listing
from mtlbio.reading import check_fits, lines_of, opened, regular_file, text_of, understood
from mtlbio.text import as_text

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
            with understood(path, "a table with one index"):
                # pandas keeps a column that was also made the index: one copy is enough
                table = table.reset_index(drop=name in table.columns)
    elif ending in TABLES:
        table = read_csv(path, csv_header(path))
    else:
        raise InputError(f"{path}: {key}: format {ending or 'without ending'!r} is unknown; valid: {listing(TABLES)}")
    table.columns = [str(c).strip() for c in table.columns]
    # a spreadsheet leaves empty columns at the end; the first without a name may be R's row names
    table = table.loc[:, ~((table.columns == "") & table.columns.duplicated())]
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
    """Raise where a sample identifier stands twice, or holds what no table can."""
    nul = [name for name in map(str, ids) if "\0" in name]
    if nul:
        raise InputError(f"{where}: sample identifier {nul[0]!r} holds a NUL character; expected text")
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
    with understood(path, "a UTF-8 text table"), text_of(path, "a header row and one row per sample") as text:
        rows = csv.reader(lines_of(text, path), delimiter=separator)
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
    with understood(path, "a readable table"), opened(path, "a table") as body, warnings.catch_warnings():
        # a row with more cells than the header would lose them
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(body, **layout, **columns, **types)
        except pd.errors.EmptyDataError:
            table = pd.DataFrame(columns=range(len(header)), dtype=object)
    table.columns = [header[id_column]] if only_ids else header
    return table


def read_matrix(path: Path, sample_column: str, only_ids: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Numbers of a csv/tsv by sample (the index; no columns where ``only_ids``), and the names of all its columns.

    The samples are named by ``sample_column``, or by the first column where there is none of that name.
    """
    names = csv_header(path)
    place = names.index(sample_column) if sample_column in names else 0
    table = read_csv(path, names, text=False, id_column=place, only_ids=only_ids)
    place = 0 if only_ids else place
    return table.set_axis(table.iloc[:, place], axis=0).iloc[:, np.arange(table.shape[1]) != place], names


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read parquet (some columns and the index, or all); a file that is none is an InputError."""
    _unique(parquet_schema(path).names, path)
    with understood(path, "a readable parquet file"):
        return pd.read_parquet(path, columns=columns)


def parquet_schema(path: Path):
    """Names and types of the columns (``pyarrow.Schema``), after a look at whether the rest fits into memory."""
    regular_file(path, "a parquet file")
    with understood(path, "a readable parquet file"):
        about = pq.read_metadata(path)
        schema = pq.read_schema(path)
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        rows = sum(group.num_rows for group in groups)
    claimed = max(sum(group.total_byte_size for group in groups), rows * len(schema.names))
    check_fits(path, claimed, f"a table of {rows:,} rows and {len(schema.names):,} columns")
    if rows != about.num_rows or rows < 0:
        raise InputError(f"{path}: not a readable parquet file (it claims {about.num_rows:,} rows and has {rows:,})")
    return schema


def separator_of(path: str | Path) -> str:
    """Comma for csv, tab for tsv and txt."""
    return "," if ".csv" in suffix(path) else "\t"


def _unique(names: list[str], path: Path) -> None:
    twice = [name for name in duplicates(names) if name]
    if twice:
        raise InputError(f"{path}: column(s) {listing(twice, 5)} stand twice; every gene or metadata column once")
