"""What spreadsheets leave in a table: empty rows and columns, footnotes, headers that come again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.errors import listing
from mtlbio.intake.cells import as_numbers, tidied_cells
from mtlbio.intake.dialect import Dialect
from mtlbio.intake.names import is_no_name, tidied
from mtlbio.intake.notes import notice

_BESIDE = 1000  # columns: tables that stand beside each other have fewer


def cleaned(table: pd.DataFrame, header: list[str], path: str, dialect: Dialect, ids: int | None) -> pd.DataFrame:
    """A table as it was read, without empty rows and columns, its cells tidied; ``ids``: of numbers, the one column
    of text."""
    table = _without_empty_columns(table, header, path)
    header = [header[place] for place in table.columns]
    place = None if ids is None else list(table.columns).index(ids)
    table.columns = range(table.shape[1])
    table = _without_empty_rows(table, header, path, place)
    text = [place for place, dtype in enumerate(table.dtypes) if dtype.kind == "O"]
    table = tidied_cells(table, text, header, path)
    table = as_numbers(table, [c for c in text if c != place], header, path, dialect, place is not None)
    table.columns = header
    if place is not None:
        table.attrs["ids"] = place
    return table


def all_named(table: pd.DataFrame) -> bool:
    """Whether every row of one column of identifiers is a row: not empty, no comment, not the header again."""
    name, ids = table.columns[0], table.iloc[:, 0]
    if len(ids) and len(str(ids.iloc[-1]).split()) > 1:
        return False  # perhaps a footnote
    return all(isinstance(cell, str) and not _nothing(cell) and cell[0] != "#" and cell != name for cell in ids)


def of_ids(table: pd.DataFrame) -> pd.DataFrame:
    """One column of identifiers, as :func:`cleaned` leaves them, where the rest of the rows is not read."""
    made, _ = tidied(table.iloc[:, 0])
    return pd.DataFrame({table.columns[0]: made})


def _nothing(cell: str) -> bool:
    """Whether a cell holds nothing that could be seen; DOS ended files with a control character."""
    return not cell.strip().strip("\x1a\u200b\ufeff")


def _blank(cells: pd.Series) -> np.ndarray:
    """Which cells hold nothing."""
    if cells.dtype != object:
        return cells.isna().to_numpy()
    blank = [cell for cell in pd.unique(cells) if isinstance(cell, str) and _nothing(cell)]
    return (cells.isna() | cells.isin(blank)).to_numpy(dtype=bool)


def _without_empty_columns(table: pd.DataFrame, header: list[str], path: str) -> pd.DataFrame:
    unnamed = [place for place, name in enumerate(header) if is_no_name(name)]
    empty = [place for place in unnamed if _blank(table[place]).all()]
    if empty and len(table):
        notice(path, f"{_count(len(empty), 'column')} without name and values left out")
        _say_beside(table, header, empty, path)
    rest = [place for place in unnamed if place not in empty and not header[place]]
    # the first without a name may hold row names
    if rest[1:] and len(table):
        notice(
            path, f"column(s) {listing(place + 1 for place in rest[1:])} left out: values without a name", doubt=True
        )
    gone = {*empty, *rest[1:]} if len(table) else {place for place in unnamed[1:] if not header[place]}
    return table[[place for place in range(len(header)) if place not in gone]] if gone else table


def _say_beside(table: pd.DataFrame, header: list[str], empty: list[int], path: str) -> None:
    """Note columns behind an empty one that end earlier than those before it, or later: a table of their own."""
    gap = next((place for place in reversed(empty) if any(header[place + 1 :])), 0)
    if not gap or table.shape[1] > _BESIDE:
        return
    filled = [
        ~np.logical_and.reduce([_blank(table[place]) for place in places])
        for places in (range(gap), range(gap + 1, len(header)))
    ]
    ends = [int(rows.sum()) for rows in filled]
    if all(rows[:end].all() for rows, end in zip(filled, ends, strict=True)) and ends[0] != ends[1] and min(ends):
        names = listing([name for name in header[gap + 1 :] if name], 3)
        notice(
            path,
            f"{names} stand behind an empty column and have {ends[1]} rows where the others have {ends[0]}: read as "
            f"columns of the same rows; if they are another table, move it to a file or sheet of its own",
            doubt=True,
        )


def _without_empty_rows(table: pd.DataFrame, header: list[str], path: str, ids: int | None) -> pd.DataFrame:
    first = table.columns[ids or 0] if table.shape[1] else None
    if first is None or not len(table):
        return table
    nameless = np.flatnonzero(_blank(table[first]))
    named = pd.unique(table[first]) if table[first].dtype == object else []
    hashes = [cell for cell in named if isinstance(cell, str) and cell.startswith("#")]
    comments = np.flatnonzero(table[first].isin(hashes)) if hashes else np.array([], dtype=int)
    gone: dict[int, None] = {}
    for kind, rows in (("without any value", nameless), ("that {holds} a comment only", comments)):
        some = table.iloc[rows].drop(columns=first)
        if len(some) and (some.shape[1] or kind == "without any value"):
            empty = np.logical_and.reduce([_blank(some[c]) for c in some.columns] or [np.ones(len(some), bool)])
            if empty.any():
                gone |= dict.fromkeys(np.asarray(rows)[empty])
                n = int(empty.sum())
                notice(path, f"{_count(n, 'row')} {kind.format(holds='hold' if n > 1 else 'holds')} left out")
    units = _units(table, first, nameless)
    if units:
        notice(path, f"1 row of units below the header left out: {listing(units, 4)}", doubt=True)
        gone[0] = None
    foot = _footnotes(table, first, gone)
    if len(foot):
        shown = listing([" ".join(str(table[first].iloc[row]).split())[:60] for row in foot], 2)
        notice(path, f"{_count(len(foot), 'row')} below the table left out: {shown}")
        gone |= dict.fromkeys(foot)
    again = _headers_again(table, header, first)
    if len(again):
        notice(
            path,
            f"{_count(len(again), 'row')} that repeat{'' if len(again) > 1 else 's'} the header left out",
            doubt=True,
        )
    gone |= dict.fromkeys(again)
    return table.drop(index=table.index[list(gone)]).reset_index(drop=True) if gone else table


def _units(table: pd.DataFrame, first: int, nameless: np.ndarray) -> list[str]:
    """Cells of the first row where it has no name and holds words above numbers: units, or what columns are called."""
    if len(table) < 3 or 0 not in nameless or 1 in nameless:
        return []
    rest, found = table.drop(columns=first), list[str]()
    for place in rest.columns[:_BESIDE]:
        cell = str(rest[place].iloc[0]).strip() if rest[place].dtype == object else ""
        if not cell or cell == "nan":
            continue
        below = rest[place].iloc[1:50].dropna().astype(str).str.strip()
        if pd.notna(pd.to_numeric(cell, errors="coerce")):
            return []
        if pd.to_numeric(below[below != ""], errors="coerce").notna().mean() > 0.5:
            found.append(cell)
    return found


def _footnotes(table: pd.DataFrame, first: int, gone: dict[int, None]) -> list[int]:
    """The last rows where they hold words in their first cell and nothing beside it."""
    found: list[int] = []
    for row in range(len(table) - 1, 0, -1):
        if row in gone:
            continue
        text = table[first].iloc[row]
        words = isinstance(text, str) and len(text.split()) > 1
        if table.shape[1] < 3 or not words or not _blank(table.iloc[row].drop(first).astype(object)).all():
            break
        found.insert(0, row)
    return found


def _headers_again(table: pd.DataFrame, header: list[str], first: int) -> np.ndarray:
    """Rows that are the header once more: tables that were written one after the other into one file."""
    if not header[first] or table[first].dtype != object or len(header) < 2:
        return np.array([], dtype=int)
    rows = np.flatnonzero(table[first] == header[first])
    return np.array([r for r in rows if [str(v).strip() for v in table.iloc[r]] == header], dtype=int)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
