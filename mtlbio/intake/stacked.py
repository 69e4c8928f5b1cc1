"""Several tables below each other in one sheet: a legend is left out, another table is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mtlbio.errors import InputError, listing
from mtlbio.intake.dialect import BLANKS, Dialect, parsed
from mtlbio.intake.header import looks_like_header, used
from mtlbio.intake.notes import notice
from mtlbio.intake.rows import understood_but
from mtlbio.intake.source import Source, in_other_encoding
from mtlbio.reading import file_of

_MOST = 5_000_000  # bytes, and letters: larger ones are measurements
_BLANK = re.compile(r"\n[\s,;|\"']*\n")
_LEGEND = 2  # columns
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class _Part:
    """Rows between blank lines: cells, and the line that the first of them begins at."""

    line: int
    rows: list[list[str]]


def single(source: Source, dialect: Dialect) -> Source:
    """The text of the first table, without a legend below it.

    Raises
    ------
    InputError
        Another table begins below a blank line.
    """
    if dialect.separator == BLANKS or _size(source) > _MOST:
        return source
    try:
        text = _read(source)
    except UnicodeDecodeError:
        source = in_other_encoding(source)
        text = _read(source)
    if len(text) > _MOST or not _BLANK.search(text.replace("\r\n", "\n").replace("\r", "\n")):
        return source
    lines = text.splitlines(keepends=True)
    parts = list(_parts(lines, dialect))
    widths = sorted(used(row) for row in parts[0].rows) if parts else [0]
    width = widths[len(widths) // 2]
    for part in parts[1:]:
        titles = next((i for i, row in enumerate(part.rows) if used(row) > 1), len(part.rows))
        rows = part.rows[titles:]
        if not rows and width > _LEGEND and any(len(row[0].split()) > 1 for row in part.rows):
            return _above(part, lines, source, "notes", [row[0].strip() for row in part.rows])
        if len(rows) < 2 or not _is_table(rows, dialect.header, parts[0].rows, width):
            continue
        if max(map(used, rows)) <= _LEGEND < width:
            shown = [": ".join(cell.strip() for cell in row if cell.strip()) for row in rows]
            return _above(part, lines, source, "a legend", shown)
        names = [cell.strip() for cell in rows[0] if cell.strip()]
        raise InputError(
            f"{source.path}: another table begins at line {part.line + titles + 1}, below a blank line "
            f"({listing(names, 4)}); expected one table: move it to a file or sheet of its own"
        )
    return source


def _above(part: _Part, lines: list[str], source: Source, what: str, shown: list[str]) -> Source:
    """The text above a part, which is said to be left out."""
    number = f"{len(part.rows)} row{'s' if len(part.rows) > 1 else ''}"
    notice(source.path, f"{number} below a blank line left out, {what}: {listing(shown, 3)}", doubt=what == "a legend")
    return replace(source, sheet="".join(lines[: part.line]).encode(), encoding="utf-8")


def _is_table(rows: list[list[str]], header: list[str], above: list[list[str]], width: int) -> bool:
    """Whether rows below a blank line are a table with a header of its own, and no more rows of the first one."""
    first, rest = rows[0], rows[1:]
    cells = [cell.strip() for cell in first[: used(first)]]
    if cells == [name.strip() for name in header][: len(cells)] or any(map(_NUMBER.fullmatch, cells)) or not all(cells):
        return False
    if looks_like_header(first, rest):
        return True
    strange = {_DIGITS.sub("", row[0]) for row in above}.isdisjoint(_DIGITS.sub("", row[0]) for row in rows)
    return max(map(used, rows)) < width and looks_like_header(first, rest) is None and strange


def _parts(lines: list[str], dialect: Dialect) -> Iterator[_Part]:
    """Runs of rows without a blank line between them, from the header on."""
    rows, begins, before = list[list[str]](), dialect.lines, dialect.lines
    for number, row in parsed(lines[dialect.lines :], dialect.separator, dialect.quote):
        end = dialect.lines + number
        breaks = sum(cell.count("\n") for cell in row)
        blank = not any(cell.strip() for cell in row)
        if (blank or end - breaks > before + 1) and rows:
            yield _Part(begins, rows)
            rows = []
        if not blank:
            begins = begins if rows else end - breaks - 1
            rows.append(row)
        before = end
    if rows:
        yield _Part(begins, rows)


def _size(source: Source) -> int:
    return len(source.sheet) if source.sheet is not None else Path(file_of(source.path)[0]).stat().st_size


def _read(source: Source) -> str:
    with understood_but(source.path), source.text() as text:
        return text.read(_MOST + 1)
