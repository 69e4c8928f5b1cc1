"""How a text table is written, from its first lines: separator, quotes, decimal sign, and where its header stands."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from mtlbio.intake.header import Ambiguous, Found, completed, find_header, looks_like_header, used

BLANKS = " "  # any run of blanks and tabs
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "'|'", BLANKS: "blanks"}
_SEPARATORS = (",", "\t", ";", "|")
_WORD = {q: re.compile(rf"{q}((?:[^{q}]|{q}{q})*){q}|(\S+)") for q in ('"', "'")}
_DECIMAL = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_GROUP = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # one thousand, or one and a bit
_ROWS = 100  # of these the separator is told
_ABOVE = 50  # comments of which the last that fits may be the header


@dataclass(frozen=True)
class Dialect:
    """How to read a text table.

    Attributes
    ----------
    separator : ``,``, ``;``, tab, ``|``, or a blank for any run of blanks
    quote : what quotes a cell, or None
    decimal : ``.`` or ``,``
    lines : physical lines above the first row
    header : names as they stand, one for every field of the rows (``""`` where there is none)
    rows : cells of the first rows
    skipped : lines above the rows that are not the header, by kind (``comment``, ``title``), as they stand
    line_end : what lines end in, ``\\r`` or (with or without it) ``\\n``
    short : whether the header named one column less than the rows have, as R writes it
    """

    separator: str
    lines: int
    header: list[str]
    rows: list[list[str]]
    quote: str | None = '"'
    decimal: str = "."
    skipped: dict[str, list[str]] = field(default_factory=dict)
    short: bool = False
    line_end: str = "\n"


@dataclass(frozen=True)
class _Try:
    """A separator, and how well it fits."""

    separator: str
    quote: str | None
    found: Found
    score: float
    width: int


def sniff(head: Iterable[str], expected: str | None = None, only: str | None = None) -> Dialect:
    """How a table is written whose first lines (with their ends) are ``head``.

    ``expected``: the separator that the file's ending promises, which decides between equals; ``only``: the one that is
    known.

    Raises
    ------
    Ambiguous
        Two separators fit alike, or rows and header do not fit each other.
    """
    lines = list(head)
    start, comments = _comments(lines)
    said = re.fullmatch(r'\ufeff?"?sep=(.)"?[,;\t]*\s*', lines[0]) if lines else None
    only = said.group(1) if said else only
    body = lines[start:][: _ROWS + 50]
    tabs = sum("\t" in line for line in body) > 0.5 * sum(bool(line.strip()) for line in body)  # never by accident
    candidates = [only] if only else [*_SEPARATORS, *([] if tabs else [BLANKS])]
    there = [separator for separator in candidates if any(separator in line for line in body)]
    tries = [_tried(separator, quote, body, comments) for separator in there for quote in _quotes(separator, body)]
    fits = [t for t in tries if t is not None and t.width > 1]
    if not fits:
        alone = only or expected or ","
        best = (
            _tried(alone, '"', body, comments)
            or _tried(alone, None, body, comments)
            or _Try(alone, None, find_header([], []), 0.0, 1)
        )
    else:
        fits.sort(key=lambda t: (round(t.score, 6), t.separator == expected, t.width), reverse=True)
        best = fits[0]
        close = [t for t in fits[1:] if t.score > best.score - 0.02 and t.score > 0.5]
        if close and expected not in (best.separator, None):
            raise Ambiguous(
                f"columns may be separated by {NAMES[best.separator]} ({best.width} columns) or by "
                f"{NAMES[close[0].separator]} ({close[0].width} columns); expected one separator"
            )
    return _dialect(best, start, lines, comments, bool(said))


def _comments(lines: list[str]) -> tuple[int, list[str]]:
    """How many lines of blanks and comments a table begins with, and the comments."""
    comments = []
    for number, line in enumerate(lines):
        bare = line.strip().lstrip("\ufeff")
        if number == 0 and re.fullmatch(r'"?sep=."?[,;\t]*', bare):
            continue
        if bare.lstrip('"').startswith("#"):
            comments.append(line)
        elif bare.strip(",;\t|"):
            return number, comments
    return len(lines), comments


def parsed(lines: Iterable[str], separator: str, quote: str | None = '"') -> Iterator[tuple[int, list[str]]]:
    """Rows of cells, each with the number of the line that it ends in; rows without any cell are left out."""
    if separator == BLANKS:
        mark = quote or '"'
        for number, line in enumerate(lines, 1):
            words = [a.replace(mark * 2, mark) if a or not b else b for a, b in _WORD[mark].findall(line)]
            if words:
                yield number, words
        return
    quoting = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    before = csv.field_size_limit(1 << 30)  # a sequence may be long
    try:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", **quoting)  # type: ignore
        yield from ((reader.line_num, row) for row in reader if row)
    finally:
        csv.field_size_limit(before)


def _tried(separator: str, quote: str | None, body: list[str], comments: list[str]) -> _Try | None:
    """How well a separator fits; None where it is none."""
    try:
        rows = list(parsed(body, separator, quote))[:_ROWS]
    except csv.Error:
        return None
    if not rows:
        return None
    prose = separator + " "  # a list in a sentence, unless the table is written so
    prose = "# " if separator == BLANKS else prose
    alike = [line if prose not in line or prose in body[0] else "" for line in comments[-_ABOVE:]]
    above = [next((row for _, row in parsed([line], separator, quote)), []) for line in alike]
    found = find_header([row for _, row in rows], above)
    ends = [0, *(number for number, _ in rows)]
    found = replace(found, line=0 if found.at < 0 else ends[found.at + 1])
    table = [row for _, row in rows[max(found.at, -1) + 1 :]] or [found.names]
    width = Counter(len(row) for row in table).most_common(1)[0][0]
    cells = [cell.strip() for row in [found.names, *table[:20]] for cell in row[:2000] if cell.strip()]
    others = tuple(s for s in _SEPARATORS if s != separator)
    dirty = sum(_dirty(cell, others, quote) for cell in cells) / max(len(cells), 1)
    same = sum(len(row) == width or used(row) == width for row in table) / len(table)
    score = same - dirty - 0.1 * (len(found.names) != width) - 0.05 * min(found.titles, 3)
    # a quotation mark that quotes nothing swallows lines
    score -= 0.2 * any(separator in cell and "\n" in cell for cell in cells)
    # a header that this separator does not separate
    score -= 0.2 * (len(found.names) == 1 and width > 1 and separator not in (BLANKS, "\t"))
    # titles above what is no header: the header was among them
    score -= 0.2 * (found.titles > 0 and looks_like_header(found.names, table) is False)
    score -= 0.15 * (separator == BLANKS) + 0.02 * (separator == "|") + 0.05 * (quote is None)
    return _Try(separator, quote, found, score, max(width, len(found.names)))


def _quotes(separator: str, body: list[str]) -> list[str | None]:
    """What may quote a cell: tables of tabs often have quotation marks that quote nothing."""
    if body and body[0].startswith("'") and body[0].rstrip().endswith("'"):
        return ["'"]
    return ['"', None] if separator == "\t" else ['"']


def _dirty(cell: str, others: tuple[str, ...], quote: str | None) -> float:
    """Whether a cell looks as if it were several, or as if its quotes should have been taken away."""
    if quote is None and len(cell) > 1 and cell[0] == cell[-1] == '"':
        return 1.0
    if any(s in cell for s in others) and not _DECIMAL.fullmatch(cell):
        return 1.0
    return 0.2 * min(cell.count(" "), 3) + 0.5 * (quote is not None and quote in cell)


def _dialect(best: _Try, start: int, lines: list[str], comments: list[str], said: bool) -> Dialect:
    found = best.found
    rows = [row for _, row in parsed(lines[start:], best.separator, best.quote)]
    titles, rows = rows[: max(found.at, 0)], rows[max(found.at, -1) + 1 :]
    names, short = completed(found.names, rows, NAMES[best.separator])
    header = len(comments) + found.at if found.at < 0 else None
    skipped = {
        "comment": [line.strip() for place, line in enumerate(comments) if place != header],
        "title": [" ".join(cell for cell in row if cell.strip()) for row in titles if any(map(str.strip, row))],
    }
    return Dialect(
        separator=best.separator,
        lines=start + found.line,
        header=names,
        rows=rows,
        quote=best.quote,
        decimal=_decimal(rows, best.separator),
        skipped={kind: text for kind, text in skipped.items() if text},
        short=short,
        line_end="\r" if lines[0].endswith("\r") and not any("\n" in line for line in lines) else "\n",
    )


def _decimal(rows: list[list[str]], separator: str) -> str:
    """The decimal sign of the numbers in the rows: a comma only where it separates nothing and no point does."""
    if separator == ",":
        return "."
    cells = [cell.strip() for row in rows for cell in row[:5000]]
    commas = [cell for cell in cells if "," in cell and _DECIMAL.fullmatch(cell)]
    if not commas or all(_GROUP.fullmatch(cell) for cell in commas):
        return "."
    pointed = (cell for cell in cells if "." in cell and _POINT.fullmatch(cell))
    points = sum(not _GROUP.fullmatch(cell.replace(".", ",")) for cell in pointed)
    return "," if len(commas) > points else "."
