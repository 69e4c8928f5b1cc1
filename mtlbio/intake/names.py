"""Names and cells as people and spreadsheets leave them: blanks of other kinds, invisible characters, quotes."""

from __future__ import annotations

import re

import pandas as pd

_INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff"
_BLANKS = "\u00a0\u2000-\u200a\u202f\u205f\u3000"
_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"
_ODD = re.compile(f"[{_INVISIBLE}{_BLANKS}{_BREAKS}\u2018-\u201f\u00ab\u00bb\u2212]|(?:^|\x00)\u2013(?=[\\d.,])")
_ROW_NUMBER = re.compile(
    r"(?i)|unnamed: ?\d+(\.\d+)?|index|x(\.\d+)?|row([._ ]?(name|number|id)s?)?|\.\.\.1|#|no\.?|nr\.?"
)
_NO_NAME = re.compile(r"(?i)|unnamed: ?\d+(_level_\d+)?|\.\.\.\d+")  # pandas and readr fill names in
_QUOTED = re.compile(
    "[\u201c\u201d\u201e\u201f\u00ab\u2018\u201a](.*)[\u201c\u201d\u201f\u00bb\u2018\u2019]", re.DOTALL
)


def tidy(text: str) -> str:
    """A cell without invisible characters, blanks around it, line breaks in it, curly quotes around all of it, and with
    a plain minus sign.

    Examples
    --------
    >>> tidy("\u200bS1\u00a0 "), tidy("\u201cS1\u201d"), tidy("Crohn\u2019s"), tidy("a \\n b")
    ('S1', 'S1', 'Crohn’s', 'a b')
    """
    text = re.sub(f"[{_INVISIBLE}]", "", text)
    text = re.sub(f"[{_BLANKS}]", " ", text)
    text = re.sub(rf"\s*[{_BREAKS}]\s*", " ", text).strip()
    text = re.sub("\u2212(?=[\\d.,])|^\u2013(?=[\\d.,])", "-", text)
    quoted = _QUOTED.fullmatch(text)
    return quoted.group(1).strip() if quoted else text


def tidy_name(text: str) -> str:
    """The name of a column in one line that can be printed.

    Examples
    --------
    >>> tidy_name(" age at\\n sampling\\t(years)\\x07")
    'age at sampling (years)'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())  # nearly every name, of perhaps a million
    text = " ".join(tidy(text).split())
    return "".join(c for c in text if c.isprintable())


def tidied(cells: pd.Series) -> tuple[pd.Series, int]:
    """A column of text, tidied, and how many of its cells changed by more than blanks around them.

    What is no text stays; a column in which there is nothing to do is given back as it is.
    """
    different = [cell for cell in pd.unique(cells) if isinstance(cell, str)]
    text = "\x00".join(different)
    if (text.isascii() and not any(c in text for c in "\n\r\x0b\x0c")) or not _ODD.search(text):
        return cells, 0
    made = {cell: tidy(cell) for cell in different if _ODD.search(cell)}
    changed = cells.isin([cell for cell, neat in made.items() if cell.strip(" \t") != neat])
    return cells.map(lambda cell: made.get(cell, cell)), int(changed.sum())


def is_no_name(name: str) -> bool:
    """Whether a column has no name, or one that a program made up for it."""
    return bool(_NO_NAME.fullmatch(name.strip()))


def is_row_number(name: str, cells: pd.Series) -> bool:
    """Whether a column has no name of its own and counts the rows, from zero or one.

    Examples
    --------
    >>> is_row_number("", pd.Series(["0", "1", "2"])), is_row_number("age", pd.Series([1, 2, 3]))
    (True, False)
    """
    if not _ROW_NUMBER.fullmatch(name.strip()) or not len(cells):
        return False
    numbers = pd.to_numeric(cells, errors="coerce")
    first = numbers.iloc[0]
    return first in (0, 1) and bool((numbers.to_numpy() == range(int(first), int(first) + len(cells))).all())
