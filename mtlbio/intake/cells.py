"""Cells of a table: without what cannot be seen, and numbers as numbers."""

from __future__ import annotations

import re

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake import numerals
from mtlbio.intake.dialect import Dialect
from mtlbio.intake.names import tidied
from mtlbio.intake.notes import notice

_ERRORS = {"#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
_WAYS = {
    "decimal comma": "decimal commas",
    "thousands ,": "commas between thousands",
    "thousands .": "points between thousands",
    "thousands blank": "blanks between thousands",
}


def tidied_cells(table: pd.DataFrame, text: list[int], header: list[str], path: str) -> pd.DataFrame:
    """Columns of ``text`` (places) without what cannot be seen, and without what a spreadsheet could not compute."""
    changes: dict[str, int] = {}
    wrong: dict[str, int] = {}
    made: dict[int, pd.Series] = {}
    for place in text:
        before = table[place]
        column, changed = tidied(before)
        errors = _ERRORS.intersection(map(str.strip, (v for v in pd.unique(column) if isinstance(v, str) and "#" in v)))
        if errors:
            found = column.astype(str).str.strip().isin(errors)
            wrong[f"{header[place] or f'column {place + 1}'} ({sorted(errors)[0]})"] = int(found.sum())
            column = column.mask(found)
        if column is not before:
            made[place] = column
        if changed:
            changes[header[place] or f"column {place + 1}"] = changed
    if changes:
        what = "invisible characters, blanks of another kind, line breaks, curly quotes or minus signs"
        notice(path, f"{_count(sum(changes.values()), 'cell')} held {what}: made plain in {listing(changes, 5)}")
    if wrong:
        count = _count(sum(wrong.values()), "cell")
        notice(path, f"{count} with an error of a spreadsheet taken as missing: {listing(wrong, 5)}", doubt=True)
    return _with(table, made) if made else table


def _with(table: pd.DataFrame, columns: dict[int, pd.Series]) -> pd.DataFrame:
    if len(columns) > 100:
        return pd.concat([columns.get(c, table[c]).rename(c) for c in table.columns], axis=1)
    table = table.copy(deep=False)
    for place, column in columns.items():
        table[place] = column
    return table


def as_numbers(
    table: pd.DataFrame, text: list[int], header: list[str], path: str, dialect: Dialect, numbers: bool
) -> pd.DataFrame:
    """Numbers in columns of text, written with a point and no groups; as numbers where ``numbers`` are due."""
    ways = numerals.ways(table[text], dialect.separator, dialect.decimal)
    made: dict[int, pd.Series] = {}
    said: dict[str, list[str]] = {}
    for position, way in ways.items():
        place = text[position]
        example = next(str(v).strip() for v in table[place] if re.search(r"\d[,.' ]\d|,", str(v)))
        if way == "ambiguous":
            line = (
                f"column {header[place]!r}: {example!r} may be a thousand or have decimals; expected a point before "
                f"decimals and nothing between thousands"
            )
            if numbers:
                raise InputError(f"{path}: {line}")
            notice(path, f"{line}: left as text", doubt=True)
            continue
        made[place] = table[place].map(lambda v, way=way: numerals.plain(v.strip(), way) if isinstance(v, str) else v)
        said.setdefault(way, []).append(f"{header[place]} ({example})")
    if dialect.decimal == ",":
        said.pop("decimal comma", None)  # said of the whole table
    for way, columns in said.items():
        notice(
            path,
            f"{_WAYS[way]} in column(s) {listing(columns, 5)} were read as numbers",
            doubt=dialect.separator == ",",
        )
    if numbers:
        # what was text only because of what was taken out above
        rest = {place: pd.to_numeric(table[place], errors="coerce") for place in text if place not in made}
        made = {place: pd.to_numeric(column, errors="coerce") for place, column in made.items()}
        made |= {place: column for place, column in rest.items() if (column.notna() == table[place].notna()).all()}
    return _with(table, made) if made else table


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
