"""Cells of a table of measurements to numbers: what stands for a missing value, what is text, what is no number."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.values.annotation import is_of_people
from mtlbio.errors import InputError, listing, one_line
from mtlbio.intake.missing_words import BELOW_LIMIT, NO_NUMBER
from mtlbio.intake.notes import notice
from mtlbio.reading import check_fits, understood

_LIMIT = re.compile(r"[<>≤≥]=?\s*-?[\d.,]+")


def numbers_of(table: pd.DataFrame, genes_in_rows: bool, path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers of a table; columns without any number are no measurements and go, with a note.

    Parameters
    ----------
    table : one side samples, the other genes, named by index and columns
    genes_in_rows : which is which, for messages

    Returns
    -------
    table : without the columns that went
    values : float32 in its shape, NaN where the cell says that there is no value

    Raises
    ------
    InputError
        A cell among numbers that is neither a number nor known to mean that there is none.
    """
    text = np.array([not _numeric(dtype) for dtype in table.dtypes], dtype=bool)
    keep = np.ones(table.shape[1], dtype=bool)
    check_fits(path, table.size * 4, f"a table of {len(table):,} rows and {table.shape[1]:,} columns")
    if not text.any():
        with understood(path, "a table of numbers"):
            return table, table.to_numpy(dtype=np.float32, na_value=np.nan)
    places = np.flatnonzero(text)
    cells = table.iloc[:, places].astype(object).to_numpy()
    numbers = pd.to_numeric(pd.Series(cells.ravel()).map(_plain), errors="coerce").to_numpy(dtype=float)
    numbers = numbers.reshape(cells.shape)
    filled = ~pd.isna(cells)
    wrong = filled & np.isnan(numbers)
    said = np.full(cells.shape, "", dtype=object)
    said[wrong] = [str(cell).strip().lower() for cell in cells[wrong]]
    gap = np.isin(said, [*NO_NUMBER, *BELOW_LIMIT]) & wrong
    no_number = ~np.isfinite(numbers).any(axis=0) & (wrong & ~gap).any(axis=0)
    keep[places[no_number]] = False
    _text_columns(table, places[no_number], cells[:, no_number], genes_in_rows, path)
    _refuse(table, cells, wrong & ~gap & ~no_number, places, genes_in_rows, path)
    _missing(cells[gap & ~no_number], said[gap & ~no_number], path)
    table, kept = table.loc[:, keep], places[~no_number]
    values = np.empty(table.shape, dtype=np.float32)
    position = np.cumsum(keep) - 1
    clean = keep & ~text
    with understood(path, "a table of numbers"):
        values[:, position[clean]] = table.iloc[:, position[clean]].to_numpy(dtype=np.float32, na_value=np.nan)
        values[:, position[kept]] = numbers[:, ~no_number]
    return table, values


def _numeric(dtype) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype)


def _plain(cell):
    """A cell as a number may be written in it (45 %): dates and other objects are none."""
    if isinstance(cell, str):
        return cell.strip().removesuffix("%").rstrip() if cell[:1].isdigit() else cell.strip()
    return cell if isinstance(cell, int | float | np.number) else str(cell)


def _text_columns(table: pd.DataFrame, places: np.ndarray, cells: np.ndarray, genes_in_rows: bool, path: Path) -> None:
    if not len(places):
        return
    if len(places) == table.shape[1]:
        raise InputError(
            f"{path}: no column of numbers: column {one_line(str(table.columns[0]), 60)!r} holds "
            f"{_shown(cells[0, 0])}; expected measurements beside the "
            f"{'names of the genes' if genes_in_rows else 'sample identifier'}"
        )
    names = listing([f"{table.columns[p]!r} ({_shown(cells[0, i])} ...)" for i, p in enumerate(places)], 5)
    what = "samples" if genes_in_rows else "genes"
    notice(path, f"{len(places)} column(s) without a number are no {what}: left out: {names}", doubt=True)


def _refuse(
    table: pd.DataFrame, cells: np.ndarray, wrong: np.ndarray, places: np.ndarray, genes_in_rows: bool, path: Path
) -> None:
    if not wrong.any():
        return
    row, column = (int(p[0]) for p in np.nonzero(wrong))
    name, other = str(table.columns[places[column]]), str(table.index[row])
    found = str(cells[row, column]).strip()
    in_column = int(wrong[:, column].sum())
    count = f" and {int(wrong.sum()) - 1} more cells" if wrong.sum() > 1 else ""
    if _LIMIT.fullmatch(found):
        hint = "a limit of detection: write the limit itself, or NA for missing"
    elif re.fullmatch(r"-?\d+,\d+", found):
        hint = "a decimal comma? write 3.5, or NA for missing"
    elif wrong[row].sum() > max(2, in_column):
        what = "gene" if genes_in_rows else "sample"
        hint = f"if {other!r} is no {what}, remove that row; missing values are written NA or left empty"
    elif genes_in_rows:
        hint = f"if {name!r} is no sample, remove it; missing values are written NA or left empty"
    elif is_of_people(name) or in_column > 0.2 * len(table):
        hint = f"if {name!r} is no gene: expression.drop: [{name}]; missing values are written NA or left empty"
    else:
        hint = "missing values are written NA or left empty"
    where = (f"gene {other!r}, sample {name!r}") if genes_in_rows else f"column {name!r}, sample {other!r}"
    raise InputError(f"{path}: {where}: {_shown(found)} is not numeric{count}: {hint}")


def _missing(cells: np.ndarray, said: np.ndarray, path: Path) -> None:
    """Tell what was taken for a missing value."""
    if not len(cells):
        return
    counts = pd.Series([str(cell).strip() for cell in cells]).value_counts()
    names = listing([f"{_shown(code)} ({n:,})" for code, n in counts.items()], 6)
    below = int(np.isin(said, list(BELOW_LIMIT)).sum())
    also = f"; {below:,} of them are below a limit of detection: low, not unknown" if below else ""
    notice(path, f"{len(cells):,} cells are taken for missing values: {names}{also}", doubt=bool(below))


def _shown(cell: object) -> str:
    return repr(one_line(str(cell), 40))
