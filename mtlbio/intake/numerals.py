"""Numbers as spreadsheets write them: a comma before the decimals, thousands in groups."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_GROUPS = {
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?"),
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?"),
    " ": re.compile(r"[+-]?[1-9]\d{0,2}([ '\u2019]\d{3})+([.,]\d+)?"),
}
_COMMAS, _POINTS = re.compile(r"\d,|,\d|\d[ '\u2019]\d{3}"), re.compile(r"\.\d{3}\.")
_WHOLE_GROUPS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
_POINTED = 20  # so many numbers of three decimals by chance have one that ends in 0, which is not written
_MISSING = {"", "NA", "N/A", "#N/A", "NaN", "nan", "<NA>", "NULL", "null", "None"}


def written(values: Iterable[str]) -> str | None:
    """How the numbers of a column are written; None where its values are no numbers, or nothing but plain ones.

    Returns
    -------
    ``decimal comma``; ``thousands ,``, ``thousands .``, ``thousands blank`` (with a decimal sign after them or none);
    ``ambiguous``: ``1,234`` may be a thousand or one and a bit

    Examples
    --------
    >>> written(["45,3", "7", "NA"]), written(["1,234,567", "12"]), written(["1.234,5", "1.200"])
    ('decimal comma', 'thousands ,', 'thousands .')
    >>> written(["1,234", "2,500"]), written(["1 234", "12"]), written(["1.5", "2"]), written(["a", "1,5"])
    ('ambiguous', 'thousands blank', None, None)
    """
    texts = [value for value in values if value not in _MISSING]
    odd = [value for value in texts if not _PLAIN.fullmatch(value)]
    if not odd:
        return None
    by_groups = {sign: [v for v in odd if pattern.fullmatch(v)] for sign, pattern in _GROUPS.items()}
    if by_groups[" "]:
        rest = [v for v in odd if v not in set(by_groups[" "]) and not _COMMA.fullmatch(v)]
        return None if rest else "thousands blank"
    commas = [v for v in odd if _COMMA.fullmatch(v)]
    if len(by_groups["."]) == len(odd) or (by_groups["."] and set(odd) <= {*by_groups["."], *commas}):
        return "thousands ."
    if len(by_groups[","]) == len(odd):
        plain = [v for v in texts if _PLAIN.fullmatch(v)]
        several = any(v.count(",") > 1 or "." in v for v in odd)
        small = plain and all(re.fullmatch(r"[+-]?\d{1,3}", v) for v in plain)
        return "thousands ," if several else "maybe thousands" if small else "ambiguous"
    return "decimal comma" if len(commas) == len(odd) else None


def plain(value: str, how: str) -> str:
    """A number written with a point and without groups; what is no such number stays.

    Examples
    --------
    >>> plain("45,3", "decimal comma"), plain("1.234,5", "thousands ."), plain("1 234,5", "thousands blank")
    ('45.3', '1234.5', '1234.5')
    """
    if how == "thousands ,":
        return value.replace(",", "")
    if how == "thousands .":
        return value.replace(".", "").replace(",", ".")
    if how == "thousands blank":
        return re.sub("[ '\u2019]", "", value).replace(",", ".")
    return value.replace(",", ".")


def _grouped(texts: list[str]) -> bool:
    """Whether a column holds numbers, and those with a point could be thousands."""
    values = [v for v in map(str.strip, texts) if v not in _MISSING]
    with_point = [v for v in values if "." in v]
    return bool(with_point) and all(map(_GROUPS["."].fullmatch, with_point)) and all(map(_PLAIN.fullmatch, values))


def points_group(cells: Iterable[str]) -> bool:
    """Whether the points in whole numbers stand between thousands: no number has another number of digits behind its
    point, none begins with 0, and those without a point end below a thousand and reach the hundreds.

    Examples
    --------
    >>> points_group(["1.639", "870", "12.004", "NA"] * 20), points_group(["1.639", "870", "12.04"] * 20)
    (True, False)
    >>> points_group(["6.560", "9.294", "7", "0"] * 20)
    False
    """
    texts = [cell for cell in map(str.strip, cells) if cell not in _MISSING]
    pointed = [cell for cell in texts if "." in cell]
    bare = [cell for cell in texts if "." not in cell]
    whole = all(re.fullmatch(r"\d{1,3}", cell) for cell in bare) and any(len(cell) == 3 for cell in bare)
    return len(pointed) >= _POINTED and whole and all(map(_WHOLE_GROUPS.fullmatch, pointed))


def _suspect(text: str) -> bool:
    """Whether there may be other numbers than plain ones in a text; quick, as most columns have none."""
    commas = any(sign in text for sign in ",' \u2019") and _COMMAS.search(text)
    return bool(commas or _POINTS.search(text))


def ways(table: pd.DataFrame, separator: str, decimal: str = ".") -> dict[int, str]:
    """By the place of a column how its numbers are written, of all columns where that is not the plain way.

    What one column leaves open another may tell: a table has one decimal sign. In a table of commas a quoted ``1,234``
    beside numbers below a thousand is a thousand.
    """
    found: dict[int, str] = {}
    pointed: list[int] = []  # numbers of which each that has a point may be thousands
    for place in range(table.shape[1]):
        texts = [cell for cell in pd.unique(table.iloc[:, place]) if isinstance(cell, str)]
        text = "\n".join(texts)
        if _suspect(text):
            way = written([cell.strip() for cell in texts])
            if way is not None:
                found[place] = way
        if place not in found and "." in text and _grouped(texts):
            pointed.append(place)
    unsure = [place for place, way in found.items() if way in ("ambiguous", "maybe thousands")]
    if unsure and not set(found.values()) - {"ambiguous", "maybe thousands"} and decimal == ".":
        cells = [cell.strip() for place in unsure for cell in pd.unique(table.iloc[:, place]) if isinstance(cell, str)]
        if points_group(cell.replace(",", ".") if "." not in cell else "x" for cell in cells):
            return dict.fromkeys(unsure, "thousands ,")
    sure = {*found.values(), *(["decimal comma"] if decimal == "," else [])}
    if sure & {"decimal comma", "thousands ."} and separator != ",":
        found |= dict.fromkeys(pointed, "thousands .")
    for place, way in found.items():
        if way in ("ambiguous", "maybe thousands"):
            if sure & {"decimal comma", "thousands ."}:
                found[place] = "decimal comma"
            elif "thousands ," in sure or (separator == "," and "maybe thousands" in sure):
                found[place] = "thousands ,"
            else:
                found[place] = "ambiguous"
    return found
