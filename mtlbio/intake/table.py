"""Text tables of any lab: read as text (descriptions of samples) or as numbers (measurements), or refused in one line.

The first lines tell how a table is written; the whole is then read by pandas in one call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mtlbio.errors import InputError, listing, one_line
from mtlbio.intake import cleaning
from mtlbio.intake.dialect import NAMES, Dialect, sniff
from mtlbio.intake.header import Ambiguous
from mtlbio.intake.names import is_row_number, tidy_name
from mtlbio.intake.notes import notice
from mtlbio.intake.numerals import points_group
from mtlbio.intake.rows import rows_of, say_short_rows, understood_but
from mtlbio.intake.sheets import SEPARATOR
from mtlbio.intake.source import Source, in_other_encoding, source_of
from mtlbio.intake.stacked import single
from mtlbio.reading import lines_of

_LINES, _CHARACTERS, _FULL = 150, 1 << 16, 4
_COMMENTS = 1_000_000  # lines
_WIDE = 2_000  # columns
_BY_ENDING = {".csv": ",", ".tsv": "\t", ".tab": "\t"}


@dataclass(frozen=True)
class TextTable:
    """A text table that was looked at: ``header`` names all of its fields, ``""`` where there is no name."""

    source: Source
    dialect: Dialect
    header: list[str]

    @property
    def path(self) -> str:
        """The file."""
        return self.source.path


def look(path: str | Path) -> TextTable:
    """How a text table (or a sheet of a workbook) is written, and its header; what is unusual is noted.

    Raises
    ------
    InputError
        No text, or not clear how it is to be read.
    """
    source = source_of(path)
    try:
        lines = _first_lines(source)
    except UnicodeDecodeError:
        source = in_other_encoding(source)
        lines = _first_lines(source)
    if not any(line.strip() for line in lines):
        raise InputError(f"{path}: empty; expected a header row and one row per sample")
    ending = next((s for e, s in _BY_ENDING.items() if e in Path(path).suffixes[-2:]), None)
    try:
        dialect = sniff(lines, ending, SEPARATOR if source.sheet is not None else None)
    except Ambiguous as error:
        raise InputError(f"{path}: {one_line(str(error))}") from None
    names = [tidy_name(name) for name in dialect.header]
    if not any(names):
        raise InputError(f"{path}: empty; expected a header row and one row per sample")
    if len(names) == 1 and re.search(r"[,;\t]", dialect.header[0].strip()):
        raise InputError(
            f"{path}: found one column, {names[0][:60]!r}: every line seems to be quoted as a whole, or rows and "
            f"header to be separated in different ways; expected each cell by itself"
        )
    _check_names(names, source.path)
    _say(source, dialect, ending)
    return TextTable(single(source, dialect), dialect, names)


def read(table: TextTable, header: list[str], numbers: bool = False, ids: int = 0, only_ids: bool = False):
    """The rows of a table below its header (DataFrame), tidied: as text, or numbers beside one column of ``ids``.

    Raises
    ------
    InputError
        Rows that are longer than the header, numbers of which the decimal sign cannot be told, no text.
    """
    parts = numbers and len(header) < _WIDE  # pandas reads tall tables faster part by part, wide ones at once
    options: dict[str, Any] = {"usecols": [ids] if only_ids else None, "low_memory": parts}
    options |= {"dtype": {ids: str}} if numbers else {"dtype": str, "keep_default_na": False}
    try:
        body = rows_of(table.source, table.dialect, len(header), options)
    except UnicodeDecodeError:
        table = TextTable(in_other_encoding(table.source), table.dialect, table.header)
        body = rows_of(table.source, table.dialect, len(header), options)
    if only_ids:
        body.columns = [header[ids]]
        if cleaning.all_named(body):
            return cleaning.of_ids(body)
        whole = read(table, header, numbers, ids)  # rows without an id may be empty or not
        return whole.iloc[:, [whole.attrs.pop("ids", ids)]]
    if numbers and _points_group(table, ids):
        body = _with_groups(table, len(header), ids, body)
    if not numbers or _ends_early(header, body):
        say_short_rows(table.source, table.dialect, header, body)
    wider = [*header, *[""] * (body.shape[1] - len(header))]
    body.columns = range(body.shape[1])
    return cleaning.cleaned(body, wider, table.path, table.dialect, ids if numbers else None)


def _ends_early(header: list[str], body: pd.DataFrame) -> bool:
    """Whether the last row has no number in the last column with a name."""
    last = max((place for place, name in enumerate(header) if name), default=0)
    return len(body) > 0 and bool(pd.isna(body.iloc[-1, last]))


def _points_group(table: TextTable, ids: int) -> bool:
    """Whether the first rows hold thousands with points."""
    if table.dialect.decimal != ".":
        return False
    return points_group(cell for row in table.dialect.rows for cell in [*row[:ids], *row[ids + 1 :]][:5000])


def _with_groups(table: TextTable, width: int, ids: int, body: pd.DataFrame) -> pd.DataFrame:
    """The rows with points between thousands; as they are where one cell is written otherwise."""
    text = rows_of(table.source, table.dialect, width, {"dtype": str, "low_memory": False})
    rest = text.drop(columns=ids)
    cells = {place: [cell.strip() for cell in rest[place].dropna().unique()] for place in rest}
    # a column of hundreds beside others with three decimals is no such column
    mixed = [any("." in c for c in some) and any(len(c) == 3 and c.isdigit() for c in some) for some in cells.values()]
    if sum(mixed) < 2 or not points_group(cell for some in cells.values() for cell in some):
        return body
    notice(
        table.path,
        "points stand between thousands (no number has other than three digits behind its point, those without one "
        "end below 1000): 1.234 was read as 1234",
        doubt=True,
    )
    whole = {place: pd.to_numeric(rest[place].str.replace(".", ""), errors="coerce") for place in rest}
    return pd.DataFrame({place: text[place] if place == ids else whole[place] for place in text})


def numbers_of(table: TextTable, sample_column: str, only_ids: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Numbers by sample (the index; no columns where ``only_ids``), and the names of all columns of the file.

    Samples are named by ``sample_column``; where there is none of that name by the first column, or by the one after it
    where the first has no name and counts the rows.
    """
    names = table.header
    place = place_of_ids(table, sample_column)
    body = read(table, names, numbers=True, ids=place, only_ids=only_ids)
    at = body.attrs.pop("ids", 0)
    rest = [c for c in range(body.shape[1]) if c != at]
    if rest and rest[0] == 0 and is_row_number(str(body.columns[0]), body.iloc[:, 0]):
        notice(table.path, f"column {rest[0] + 1} ({body.columns[0]!r}) only counts the rows: left out")
        rest = rest[1:]
    return body.set_axis(body.iloc[:, at], axis=0).iloc[:, rest], names


def _check_names(names: list[str], path: str) -> None:
    """Refuse names of columns that are values: the header is missing."""
    rest = names[1:] if len(names) > 2 else names
    numbers = [name for name in rest if re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", name)]
    values = any(not name.isdigit() for name in numbers) or len(set(numbers)) < len(numbers)
    if len(numbers) > 1 and len(numbers) == len(rest) and values:
        raise InputError(
            f"{path}: the first line holds numbers ({listing(numbers, 3)}) where the names of the columns are due; "
            f"expected a header"
        )


def place_of_ids(table: TextTable, sample_column: str) -> int:
    """The place of the column that names the samples, as far as the header and the first rows tell."""
    header, rows = table.header, table.dialect.rows
    if sample_column and sample_column in header:
        return header.index(sample_column)
    cells = [[row[place].strip() for row in rows if place < len(row)] for place in range(min(len(header), 20))]
    first = next((place for place, column in enumerate(cells) if header[place] or any(column)), 0)
    if first + 1 < len(cells) and is_row_number(header[first], pd.Series(cells[first])):
        text = pd.to_numeric(pd.Series(cells[first + 1], dtype=object), errors="coerce").isna().all()
        return first + 1 if text else first
    return first


def _first_lines(source: Source) -> list[str]:
    """The first lines: some hundred, or four that are long; comments before them do not count."""
    lines: list[str] = []
    counted = characters = 0
    with understood_but(source.path), source.text() as text:
        for line in lines_of(text, source.path):
            lines.append(line)
            if line.lstrip('\ufeff"').startswith("#") and counted == 0:
                if len(lines) > _COMMENTS:
                    raise InputError(f"{source.path}: more than {_COMMENTS:,} lines of comments; expected a table")
                continue
            counted += bool(line.strip())
            characters += len(line)
            longest = characters and max(map(len, lines[-counted:]))
            full = sum(len(other) * 10 > longest for other in lines[-counted:]) if counted else 0
            if counted >= _LINES or (characters >= _CHARACTERS and full >= _FULL):
                break
    return lines


def _say(source: Source, dialect: Dialect, ending: str | None) -> None:
    """Note what is not as a table of that ending is expected to be."""
    path = source.path
    if source.sheet is None and dialect.separator != (ending or dialect.separator) and len(dialect.header) > 1:
        notice(path, f"columns are separated by {NAMES[dialect.separator]}, not by {NAMES[ending or ',']}")
    if source.sheet is None and ending is None and dialect.separator not in ("\t",) and len(dialect.header) > 1:
        notice(path, f"columns are separated by {NAMES[dialect.separator]}")
    if dialect.line_end == "\r":
        notice(path, "lines end as on an old Mac (CR)")
    if dialect.decimal == ",":
        notice(path, "numbers are written with a decimal comma")
    for kind, words in (("comment", "of comments"), ("title", "above the header")):
        lines = dialect.skipped.get(kind, [])
        if lines:
            number = f"{len(lines)} line{'s' if len(lines) > 1 else ''}"
            shown = [re.sub(r"\s+", " ", line)[:60] for line in lines]
            notice(path, f"{number} {words} skipped: {listing(shown, 3)}")
    if dialect.short:
        notice(path, "the header has one field less than the rows, as R writes it: the first column holds row names")
