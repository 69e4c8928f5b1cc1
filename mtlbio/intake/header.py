"""Which of the first rows of a table is its header, and which column each of its names belongs to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from statistics import median

import pandas as pd

from mtlbio.intake.names import is_row_number

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|NA|NaN|nan|")
_MISSING = ("", "NA", "NaN", "nan")
_OF_SAMPLES = re.compile(r"(?i)(samples?|samples?[_. -]?(ids?|names?)|ids?|barcodes?)")
_SEARCHED = 40  # rows: a table has fewer titles
_OF_ROWS = re.compile(
    r"(?i).*(?<![a-z])(ids?|samples?|patients?|donors?|subjects?|barcode|accession|names?)(?![a-z]).*|.*ID"
)


class Ambiguous(ValueError):
    """A table that can be read in more than one way; the text says which."""


@dataclass(frozen=True)
class Found:
    """The header: its names, its place among the rows or (below zero) among the comments above them, and titles."""

    names: list[str]
    at: int
    titles: int = 0
    line: int = 0


def used(row: list[str]) -> int:
    """Fields up to the last one that is filled."""
    return next((i for i in range(len(row), 0, -1) if row[i - 1].strip()), 0)


def find_header(rows: list[list[str]], above: list[list[str]]) -> Found:
    """The header among the first rows, or one of the comments ``above`` them (of which each is a row).

    A title has fewer cells than the table; a row of groups over the header leaves most of them empty. A comment is the
    header where it has as many cells as the rows and the first row does not look like one itself (``#SampleID``).
    """
    if not rows:
        return Found([], 0)
    width = _width(rows)
    commented = next((place for place in range(-1, -len(above) - 1, -1) if _fits(above[place], width)), None)
    if commented is not None and width > 1:
        bare = [above[commented][0].lstrip("# "), *above[commented][1:]]
        first = looks_like_header(rows[0], rows[1:])
        if bare != rows[0] and (first is False or (first is None and len(rows) > 1)):
            return Found(above[commented], commented)
    cells = median(sum(1 for cell in row if cell.strip()) for row in rows)
    for at, row in enumerate(rows[:_SEARCHED]):
        filled, ahead = sum(1 for cell in row if cell.strip()), rows[at + 1 :]
        if not filled or len(row) < width - 1 or (cells >= 4 and filled < 0.5 * cells) or (cells >= 3 and filled == 1):
            continue
        gaps = ahead and not all(cell.strip() for cell in row[1 : used(ahead[0])])
        if gaps and len(ahead) > 1 and used(ahead[0]) > filled and looks_like_header(ahead[0], ahead[1:]):
            continue  # names of groups of columns
        longer = used(row) > width >= used(ahead[0]) >= width - 1 if ahead else False
        if longer and len(ahead) > 1 and looks_like_header(ahead[0], ahead[1:]):
            continue  # a title of many words
        if used(row) == width - 1 and len(row) < width and len(ahead) > 1:
            below = looks_like_header(ahead[0], ahead[1:])
            prose = width == 2 and bool(re.search(r"\s|:", row[0].strip()) or _OF_ROWS.fullmatch(ahead[0][0].strip()))
            if below or (below is None and prose):
                continue
        if at and used(rows[0]) > 1 and looks_like_header(row, ahead) is False:
            break  # no title, but a header with too few names
        return Found(_with_names_above(row, rows[:at]), at, at)
    return Found(rows[0], 0)


def _with_names_above(row: list[str], titles: list[list[str]]) -> list[str]:
    """The header with the names that stand one row higher, over cells that were merged downwards."""
    above = titles[-1] if titles else []
    inside = sum(1 for cell in above if cell.strip())
    if inside < 2:  # a title
        return row
    return [name if name.strip() or place >= len(above) else above[place] for place, name in enumerate(row)]


def _fits(comment: list[str], width: int) -> bool:
    """Whether a comment has as many fields as the rows, and is no directive of a program."""
    return bool(comment) and used(comment) == width and not comment[0].startswith(("##", "#q2:"))


def looks_like_header(row: list[str], below: list[list[str]]) -> bool | None:
    """Whether a row looks like names of the columns below it; None where nothing tells.

    Text above numbers is a name; a text that stands in its column again is none.
    """
    names = 0
    if len(below) > 1 and is_row_number("", pd.Series([other[0].strip() for other in [row, *below] if other])):
        return False
    for place, cell in enumerate(row[:500]):
        cell = cell.strip()
        cell = "" if cell in _MISSING else cell
        column = [other[place].strip() for other in below[:50] if place < len(other)]
        if cell and cell in column and not _NUMBER.fullmatch(cell):
            return False
        filled = [value for value in column if value not in _MISSING]
        if cell and filled and not _NUMBER.fullmatch(cell) and all(map(_NUMBER.fullmatch, filled)):
            names += 1
        elif cell and filled and _NUMBER.fullmatch(cell) and all(map(_NUMBER.fullmatch, filled)) and place:
            names -= 1
    return True if names > 0 else False if names < 0 else None


def completed(names: list[str], rows: list[list[str]], separated_by: str) -> tuple[list[str], bool]:
    """Names for every field of the rows, and whether row names without a name of their own come first, as R has them.

    Raises
    ------
    Ambiguous
        The rows have more fields than the header, and which name belongs to which column cannot be told.
    """
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else len(names)
    if width <= len(names):
        return names, False
    ids = [row[0].strip() for row in rows if len(row) == width]
    second = [row[1].strip() for row in rows if len(row) == width]
    counted = is_row_number("", pd.Series(ids))
    named = len(set(second)) == len(second) and not any(map(_NUMBER.fullmatch, second))
    # names that nothing else has, before a matrix of numbers
    certain = (counted and named) or (
        len(set(ids)) == len(ids)
        and not any(map(_NUMBER.fullmatch, ids))
        and all(map(_NUMBER.fullmatch, second))
        and not _OF_ROWS.fullmatch(names[0].strip())
    )
    further = [used(row) > len(names) for row in rows if len(row) > len(names) and used(row)]
    if not any(further) and not certain:
        return [*names, *[""] * (width - len(names))], False
    said = f"the header has {len(names)} fields and the rows have {width} (separated by {separated_by})"
    if width > len(names) + 1:
        raise Ambiguous(f"{said}; expected a name for every column: is a cell with {separated_by} in it not quoted?")
    if not any(further) or (not all(further) and not certain):  # R counts rows that nobody named
        raise Ambiguous(
            f"{said}, the last of them empty in {further.count(False)} of the first {len(further)}: which name belongs "
            f"to which column cannot be told; expected a name for every column"
        )
    twice = next((name for name, n in Counter(ids).items() if n > 1), None)
    if twice is not None:
        raise Ambiguous(
            f"{said}: the first column would be row names without a name, as R writes them, but {twice!r} stands in it "
            f"twice; expected a name for every column, and quotes around a cell with {separated_by} in it"
        )
    of_rows, inside = _OF_SAMPLES, separated_by
    if separated_by == "commas":
        of_rows, inside = _OF_ROWS, "a comma in it (a decimal comma?)"
    numbered = len({re.sub(r"\d+", "", name) for name in names}) < len(names)  # sample_1, sample_2: a matrix
    if of_rows.fullmatch(names[0].strip()) and second != ids and not counted and not numbered:
        raise Ambiguous(
            f"{said}: is a cell with {inside} not quoted, or has the first or the last column no name? expected a name "
            f"for every column"
        )
    return ["", *names], True


def _width(rows: list[list[str]]) -> int:
    """Fields up to the last that is filled in a quarter of the rows: the last column may have empty cells."""
    counts = sorted(map(used, rows), reverse=True)
    return counts[max((len(counts) - 1) // 4, int(len(counts) > 2))]  # one long row among several is none
