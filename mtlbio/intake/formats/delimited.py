"""Text tables whose layout is known: columns by name, numbers as numbers."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.head import Head, fields, look, separator_in
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.missing_words import BELOW_LIMIT, NO_NUMBER
from mtlbio.intake.notes import notice
from mtlbio.reading import LONGEST_LINE, check_fits, understood

# What software writes where it has no number, besides what pandas knows, as it writes it: read at once, the rest later.
NA_TEXTS = ("Filtered", "filtered", "null", "NULL", "#NUM!", "#DIV/0!", "#VALUE!", "n. def.", "Not detected", "ND")


def read_below(
    path: Path,
    expected: str,
    skip: int | None = None,
    separator: str | None = None,
    columns: Sequence | Callable[[str], bool] | None = None,
    text: Sequence = (),
    width: int | None = None,
    decimal: str = ".",
    rows: int | None = None,
    quoted: bool = True,
    few: bool = False,
) -> pd.DataFrame:
    """Columns of a table below ``skip`` lines, or below comments and blank lines.

    Parameters
    ----------
    expected : what the file should be, for messages
    separator : where it is None, that of the names of the columns (tabs, or what a spreadsheet saved instead), with
        its mark of decimals; tabs where no line names the columns
    columns : by name, or by what a name fits; all where None
    text : columns that stay text as they are
    width : number of columns of a table whose first line does not name them; numbers name them then
    decimal : the mark of decimals
    rows : read no more than these
    quoted : whether a double quote encloses a field
    few : whether text repeats itself from row to row, and becomes categories

    Raises
    ------
    InputError
        Not readable, or a column that is not there.
    """
    head = look(path) if skip is None else Head(path)
    if separator is None:
        separator = "\t"
        if width is None and skip is None and "\t" not in head.names_line:
            (separator, decimal), quoted = separator_and_decimal(head), True
            _check_widths(head, separator)
    with understood(path, expected), text_in(path, expected) as file, warnings.catch_warnings():
        # a row with more cells than the header would lose them
        warnings.simplefilter("error", pd.errors.ParserWarning)
        for _ in range(head.above if skip is None else skip):
            file.readline(LONGEST_LINE)
        names = unique_names(fields(file.readline(LONGEST_LINE).rstrip("\r\n"), separator)) if width is None else None
        usecols = None if callable(columns) else columns
        of_text = set(text)
        if names is not None:
            usecols = _chosen(names, columns, path)
            of_text = {place for place, name in enumerate(names) if name in text}
        try:
            table = pd.read_csv(
                file,
                sep=separator,
                header=None,
                names=range(len(names) if names is not None else width or 0),
                usecols=usecols,
                index_col=False,
                dtype=dict.fromkeys(of_text, "category" if few else str),
                na_values=NA_TEXTS,
                # what stands in a column of text is text, also NA and None
                na_filter=usecols is None or not set(usecols) <= of_text,
                decimal=decimal,
                nrows=rows,
                low_memory=False,
                quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            )
        except pd.errors.EmptyDataError:
            table = pd.DataFrame(columns=range(width or 0) if usecols is None else usecols)
    if names is not None:
        table.columns = [names[i] for i in table.columns]
    return table


def _chosen(names: list[str], columns: Sequence | Callable[[str], bool] | None, path: Path) -> list[int]:
    if columns is None or callable(columns):
        return [place for place, name in enumerate(names) if columns is None or columns(name)]
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(f"{path}: no column {listing(missing)}; found: {listing(names, 12)}")
    return [names.index(name) for name in columns]


def unique_names(names: list[str]) -> list[str]:
    """Names of columns; one that stands again gets a number, so that no column hides another."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return result


def numbers_of(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The same as float64; an InputError that names column, row and value where there is text."""
    check_fits(path, table.size * 8, f"a table of {table.shape[0]:,} x {table.shape[1]:,} values")
    values, gaps, below = {}, 0, 0
    for place in range(table.shape[1]):
        column = table.iloc[:, place]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            numeric = pd.to_numeric(column, errors="coerce")
            wrong = column[numeric.isna() & column.notna()]
            said = wrong.astype(str).str.strip().str.lower()
            below += int(said.isin(BELOW_LIMIT).sum())
            gaps += int(said.isin(NO_NUMBER).sum())
            wrong = wrong[~said.isin([*NO_NUMBER, *BELOW_LIMIT])]
            if len(wrong):
                raise InputError(
                    f"{path}: column {column.name!r}, row {wrong.index[0]!r}: found {str(wrong.iloc[0])[:40]!r} where "
                    f"a number is due"
                )
            column = numeric
        values[place] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if gaps + below:
        also = f"; {below:,} of them are below a limit of detection: low, not unknown" if below else ""
        notice(path, f"{gaps + below:,} cells of text are taken for missing values{also}", doubt=below > 0)
    return pd.DataFrame(values, index=table.index).set_axis(table.columns, axis=1)


def by_feature(table: pd.DataFrame, names: pd.Series, columns: Sequence, path: Path) -> pd.DataFrame:
    """Some columns as numbers, under the text of another as index."""
    return numbers_of(table[list(columns)].set_axis(pd.Index(text_column(names), dtype=object), axis=0), path)


def text_column(values: pd.Series) -> pd.Series:
    """Text without outer space; missing = empty."""
    return values.astype(object).where(values.notna(), "").astype(str).str.strip()


def levels(values: pd.Series) -> pd.Series:
    """Categories of text without outer space; missing = empty."""
    values = values.astype("category")
    names = [str(name).strip() for name in values.cat.categories]
    place = {name: i for i, name in enumerate(dict.fromkeys([*names, ""]))}
    places = np.array([place[name] for name in [*names, ""]])  # the last is that of code -1
    return pd.Series(pd.Categorical.from_codes(places[values.cat.codes.to_numpy()], list(place)), index=values.index)


def _check_widths(head: Head, separator: str) -> None:
    """Refuse rows with more fields than names, whose values pandas would give to other columns."""
    lines = [line for line in head.lines[head.above :] if line.strip()]
    width = len(fields(lines[0], separator)) if lines else 0
    for line in lines[1:-1] or lines[1:]:  # the last may be cut
        if len(found := fields(line, separator)) > width:
            raise InputError(
                f"{head.path}: a row has {len(found)} fields, the header {width}: cells that hold a {separator!r} are "
                f"not quoted (such as {listing(found[:3])}); save the table as text separated by tabs"
            )


def separator_and_decimal(head: Head) -> tuple[str, str]:
    """What separates the fields of a table and what marks decimals, which is said where it is a comma."""
    lines = head.lines[head.above :]
    separator = separator_in(lines[0]) if lines else ","
    cells = [cell for line in lines[1:100] for cell in fields(line, separator)]
    comma = separator != "," and any(re.fullmatch(r"-?\d+,\d+", cell) for cell in cells)
    if comma:
        notice(head.path, "decimals are marked by a comma")
    return separator, "," if comma else "."


def plain(name: str) -> str:
    """A name of a column as it is compared: lower case, without space, points, hyphens and underscores."""
    return re.sub(r"[\W_]+", "", name).lower()
