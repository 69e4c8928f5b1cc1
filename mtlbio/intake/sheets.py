"""Excel workbooks: one sheet of values, as the text of a table."""

from __future__ import annotations

import csv
import datetime
import io
import warnings
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.reading import check_fits, understood

SEPARATOR = "\t"
_LOOKED = 1000  # rows in which formulas are looked for
_BLANK = 1000  # empty rows that are kept
_KEPT = 2  # sheets: init reads a file several times, and a workbook is slow to read


def sheet_text(path: str | Path, sheet: str | None = None) -> bytes:
    """The values of a sheet as UTF-8 text, cells separated by tabs; dates as ISO 8601, empty cells empty.

    ``sheet`` may be left out where the workbook has one, or one that holds anything.

    Raises
    ------
    InputError
        No readable workbook, no such sheet, several to choose from.
    """
    stat = Path(path).stat()
    text, uncomputed = _text(str(path), sheet, stat.st_mtime_ns, stat.st_size)
    if uncomputed:
        line = (
            f"{uncomputed} cells hold formulas that were never computed and count as empty: open and save it in Excel"
        )
        notice(path, line, doubt=True)
    return text


@lru_cache(maxsize=_KEPT)
def _text(path: str, sheet: str | None, changed: int, size: int) -> tuple[bytes, int]:
    """The text, and the number of formulas without a value."""
    import openpyxl  # slow to import, and seldom needed

    with understood(path, "a readable Excel workbook"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of openpyxl, on styles and extensions that hold no values
        with zipfile.ZipFile(path) as archive:
            claimed = sum(member.file_size for member in archive.infolist())
        check_fits(path, claimed, "the workbook")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            chosen = _chosen(book, path, sheet)
            text, title = _written(chosen), chosen.title
        finally:
            book.close()
        if not any(b"<f" in start for start in _starts(path)):
            return text, 0
        formulas = openpyxl.load_workbook(path, read_only=True)
        values = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            return text, _uncomputed(formulas[title], values[title])
        finally:
            formulas.close()
            values.close()


def _starts(path: str) -> Iterator[bytes]:
    """The first bytes of every sheet, among which formulas are looked for."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                with archive.open(name) as part:
                    yield part.read(1 << 20)


def _uncomputed(formulas, values) -> int:
    """Formulas among the first rows that have no value."""
    first = formulas.iter_rows(max_row=_LOOKED, values_only=True)
    rows = zip(first, values.iter_rows(max_row=_LOOKED, values_only=True), strict=False)
    return sum(
        isinstance(formula, str) and formula.startswith("=") and value is None
        for row, computed in rows
        for formula, value in zip(row, computed, strict=False)
    )


def _chosen(book, path: str, sheet: str | None):
    sheets = {s.title: s for s in book.worksheets}
    for one in sheets.values():
        one.reset_dimensions()  # some programs claim one cell where there are many
    if sheet is not None:
        found = [name for name in sheets if name.strip().lower() == sheet.strip().lower()]
        if sheet in sheets or len(found) == 1:
            return sheets[sheet if sheet in sheets else found[0]]
        raise InputError(f"{path}: no sheet {sheet!r}; found: {listing(sheets, 12)}")
    filled = [name for name, one in sheets.items() if _holds_a_table(one)] if len(sheets) > 1 else list(sheets)
    if len(filled) == 1:
        return sheets[filled[0]]
    if not filled:
        raise InputError(f"{path}: a workbook without a table in it; found sheets: {listing(sheets, 12)}")
    raise InputError(
        f"{path}: a workbook of {len(filled)} sheets ({listing(filled, 12)}); name the one to read as "
        f"{Path(path).name}#{filled[0]}"
    )


def _holds_a_table(sheet) -> bool:
    """Whether a sheet has two rows or more of anything."""
    rows = 0
    for row in sheet.iter_rows(values_only=True):
        rows += any(cell is not None for cell in row)
        if rows > 1:
            return True
    return False


def _written(sheet) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text, delimiter=SEPARATOR, lineterminator="\n")
    blank = width = 0
    for row in sheet.iter_rows(values_only=True):
        cells = [_cell(value) for value in row]
        if any(cells):
            text.write("\n" * min(blank, _BLANK))  # what stands below may be another table
            width = max(width, len(cells))
            rows.writerow([*cells, *[""] * (width - len(cells))])  # a workbook keeps no empty cells at the end of a row
        blank = 0 if any(cells) else blank + 1
    return text.getvalue().encode("utf-8")


def _cell(value) -> str:
    """A value as text: whole numbers without ``.0``, dates without a time where there is none."""
    if value is None or value == "#N/A":
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return str(value).replace("\0", "")
