"""Cells of a workbook's first sheet as text."""

from __future__ import annotations

from pathlib import Path

from mtlbio.reading import regular_file, understood


def first_sheet(path: Path, rows: int | None = None) -> list[list[str]]:
    """Rows of the first sheet (no more than ``rows``), every cell as text, empty where there is nothing."""
    import openpyxl

    expected = "a workbook (xlsx)"
    regular_file(path, expected)
    with understood(path, expected):
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            found = sheet.iter_rows(max_row=rows, values_only=True)
            return [["" if cell is None else str(cell).strip() for cell in row] for row in found]
        finally:
            book.close()
