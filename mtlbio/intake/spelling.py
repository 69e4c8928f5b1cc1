"""Names that are equal but for their way of writing: upper and lower case, blanks, hyphens, forms of a letter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import pandas as pd

# Cyrillic and Greek letters that look like Latin ones
_LOOK_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u043a\u043c\u0442\u043d\u0432\u03bf\u03b1\u03c1\u03c5\u03bd\u03b9\u03ba\u03c4",
    "aeopcyxijskmthboapuvikt",
)
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SEX = {"m": "male", "man": "male", "men": "male", "f": "female", "w": "female", "woman": "female", "women": "female"}


def folded(text: str) -> str:
    """What is left of a name without its way of writing. A sign at the end stays (CD4+, ER-), and so does one between
    two digits (1-2 is not 12).

    Examples
    --------
    >>> folded("Non-Responder") == folded("non responder") == folded("nonresponder")
    True
    >>> folded("ER-") == folded("ER"), folded("P1_1") == folded("P11")
    (False, False)
    """
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold().translate(_LOOK_ALIKE)
    text = re.sub("[\u2010-\u2015\u2212]", "-", re.sub("[\u2018\u2019\u00b4`]", "'", text)).strip()
    return re.sub(r"(?<=[^\W_])[-_\s]+(?=[^\W\d_])|(?<=[^\W\d_])[-_\s]+(?=[^\W_])", "", " ".join(text.split()))


def variants(column: pd.Series) -> list[dict[str, int]]:
    """Groups of a text column's values that differ in their way of writing only, each value with its samples, the
    most frequent first.

    Examples
    --------
    >>> variants(pd.Series(["case", "Case", "case", "control"]))
    [{'case': 2, 'Case': 1}]
    """
    counts = column.value_counts()
    groups: dict[str, dict[str, int]] = {}
    names = [folded(str(text)) for text in counts.index]
    sexes = {_SEX.get(name, name) for name in names} <= {"male", "female"} and {"male", "female"} & set(names)
    for text, name in sorted(zip(counts.index, names, strict=True), key=lambda pair: (-counts[pair[0]], str(pair[0]))):
        groups.setdefault(_SEX.get(name, name) if sexes else name, {})[str(text)] = int(counts[text])
    return [group for group in groups.values() if len(group) > 1]


def pooled(column: pd.Series, named: Iterable[str] = ()) -> pd.Series:
    """The column with one way of writing for each group: one that the run names, else the most frequent."""
    named, meaning = set(named), dict[str, str]()
    forms = {folded(text): text for text in sorted(named)}
    for text in set(column.dropna()) - named:
        if folded(str(text)) in forms:
            meaning[text] = forms[folded(str(text))]
    if meaning:
        column = column.replace(meaning)
        meaning = {}
    for group in variants(column):
        chosen = next((text for text in group if text in named), next(iter(group)))
        meaning |= {text: chosen for text in group}
    return column.map(lambda text: meaning.get(text, text), na_action="ignore") if meaning else column


def shown(group: dict[str, int]) -> str:
    """``'case' (30), 'Case' (27)``; what looks the same is written with its code points."""
    same = len({unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKE) for text in group}) < len(group)
    return ", ".join(f"{ascii(text) if same else repr(text)} ({count})" for text, count in group.items())
