"""All rows of a text table below its header: one call of pandas, and another where that finds longer rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from mtlbio.errors import InputError, one_line
from mtlbio.intake.dialect import BLANKS, NAMES, Dialect, parsed
from mtlbio.intake.names import is_no_name
from mtlbio.intake.notes import notice
from mtlbio.intake.source import Source
from mtlbio.reading import LONGEST_LINE, lines_of, understood

_SCANNED = 5_000_000  # cells


def rows_of(source: Source, dialect: Dialect, width: int, options: dict[str, Any]) -> pd.DataFrame:
    """All rows as pandas has them; read again where they are longer than the header by nothing but empty fields."""
    try:
        return _parsed(source, dialect, width, options)
    except pd.errors.DtypeWarning:  # a column of numbers in one part of the file, of text in another
        return rows_of(source, dialect, width, options | {"low_memory": False})
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        if "EOF inside string" in str(error):
            return _unquoted(source, dialect, width, options)
        longest = _longest(source, dialect, width)
        if longest is None:
            raise InputError(f"{source.path}: not a readable table ({one_line(str(error), 160)})") from None
    with understood(source.path, "a readable table"):
        return _parsed(source, dialect, longest, options)


def _parsed(source: Source, dialect: Dialect, width: int, options: dict[str, Any]) -> pd.DataFrame:
    layout: dict[str, Any] = {"sep": r"\s+" if dialect.separator == BLANKS else dialect.separator, "header": None}
    layout |= {"index_col": False, "names": range(width), "decimal": dialect.decimal, "skipinitialspace": True}
    layout |= {"quotechar": dialect.quote} if dialect.quote else {"quoting": 3}
    with understood_but(source.path), _opened(source, dialect) as text, warnings.catch_warnings():
        # a row with more cells than the header would lose them
        warnings.simplefilter("error", pd.errors.ParserWarning)
        warnings.simplefilter("error", pd.errors.DtypeWarning)
        try:
            return pd.read_csv(text, **layout, **options)
        except pd.errors.EmptyDataError:
            return pd.DataFrame(columns=range(width), dtype=object)


@contextmanager
def understood_but(path: str) -> Iterator[None]:
    """As ``understood``; what can be mended by reading again passes."""
    mendable: Exception | None = None
    with understood(path, "a readable table"):
        try:
            yield
        except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.DtypeWarning) as error:
            if isinstance(error.__context__, InputError):  # pandas tells its reader's error as its own
                raise error.__context__ from None
            mendable = error
    if mendable is not None:
        raise mendable


@contextmanager
def _opened(source: Source, dialect: Dialect):
    """The text below the header."""
    with source.text() as text:
        for _ in range(dialect.lines):
            text.readline(LONGEST_LINE)
        yield text


def _unquoted(source: Source, dialect: Dialect, width: int, options: dict[str, Any]) -> pd.DataFrame:
    """Read with quotation marks as they are: one of them opens and never closes."""
    bare = Dialect(**{**vars(dialect), "quote": None})
    if dialect.separator != "\t":
        raise InputError(
            f"{source.path}: a quotation mark opens and never closes; expected one before and one after a cell"
        )
    notice(source.path, "a quotation mark never closes: they are read as part of the text", doubt=True)
    return rows_of(source, bare, width, options)


def _longest(source: Source, dialect: Dialect, width: int) -> int | None:
    """Fields of the longest row, where all beyond the header are empty; None where no row is longer.

    Raises
    ------
    InputError
        A row with more filled fields than the header.
    """
    longest, rows = width, 0
    with understood(source.path, "a readable table"), _opened(source, dialect) as text:
        for number, row in parsed(lines_of(text, source.path), dialect.separator, dialect.quote):
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                filled = max(i for i, cell in enumerate(row, 1) if cell.strip())
                raise InputError(
                    f"{source.path}: line {dialect.lines + number} has {filled} fields, the header {width}: is a "
                    f"cell with a separator in it not quoted? (separated by {NAMES[dialect.separator]}; the last "
                    f"field is {row[filled - 1].strip()[:40]!r})"
                )
            longest, rows = max(longest, len(row)), rows + (len(row) > width)
    if longest > 2 * width + 100:
        raise InputError(f"{source.path}: a row has {longest:,} fields, the header {width:,}")
    return longest if rows else None


def say_short_rows(source: Source, dialect: Dialect, header: list[str], body: pd.DataFrame) -> None:
    """Note rows that end before the last column with a name (pandas fills them); looked for where it is empty."""
    last = max((place for place, name in enumerate(header) if not is_no_name(name)), default=0)
    if body.size > _SCANNED or not last or not (body.iloc[:, last].isin([""]) | body.iloc[:, last].isna()).any():
        return
    with understood(source.path, "a readable table"), _opened(source, dialect) as text:
        lengths = [
            (row[0].strip(), len(row))
            for _, row in parsed(lines_of(text, source.path), dialect.separator, dialect.quote)
            if len(row) > 1
        ]
    short = [place for place, (_, fields) in enumerate(lengths) if fields <= last]
    if short and len(short) == len(lengths):
        notice(
            source.path, f"no row has a field for the last column {header[last]!r}: is a separator missing?", doubt=True
        )
    elif short:
        rows = "1 row" if len(short) == 1 else f"{len(short)} rows"
        cut = "; the file may have been cut" if short == [len(lengths) - 1] else ""
        line = f"{rows} with fewer fields than the header (first: {lengths[short[0]][0][:40]!r}){cut}"
        notice(source.path, line, doubt=True)
