"""Values that stand for "not known": words (``unknown``, ``n/a``, ``.``) and codes (``-9``, ``999``).

They are named, never dropped on suspicion: what counts as missing is said in ``metadata.missing``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from mtlbio.text import NO_VALUE, matching

# What programs and people write among measurements where there is no number, in small letters.
NO_NUMBER = NO_VALUE | {"", "nan", "none", "--", "\u2013", "\u2014", "..", "*", "x", "n/d", "filtered", "nc"}
NO_NUMBER |= {"undet", "undetected", "failed", "fail", "excluded", "no call", "absent", "<na>", "bad", "outlier"}
NO_NUMBER |= {"n.q.", "nq", "n. def.", "not detected"}
# what lies below the limit of detection: low, and not unknown.
BELOW_LIMIT = {f"{sign}{word}" for sign in ("<", "< ", "") for word in ("lod", "loq", "lloq")}
BELOW_LIMIT |= {"below lod", "below loq", "below lloq", "below detection limit", "below detection", "bdl", "blq", "bql"}
BELOW_LIMIT |= {"bld", "bloq", "<lld", "lld", "<dl", "<mdl"}
# numbers that people type for "not known"
_CODES = (-1.0, -8.0, -9.0, -88.0, -99.0, -888.0, -999.0, -9999.0, -99999.0, -1000.0)
_HIGH = (88.0, 99.0, 888.0, 999.0, 8888.0, 9999.0, 99999.0, 999999.0)
_PLAIN_CODES = (-9.0, -99.0, -999.0, -9999.0, 999.0, 9999.0, 99999.0)  # also among the levels of a class
_FEW_LEVELS = 10
_MOST_WORDS = 2_000  # values, the most frequent first: a word for nothing is no rare one among so many


def is_no_value(text: str) -> bool:
    """Whether a text says that nothing is known, whatever stands beside it.

    Examples
    --------
    >>> [is_no_value(text) for text in ("Unknown", "[Not Available]", "--", "n/a", "none", "-9")]
    [True, True, True, True, False, False]
    """
    word = " ".join(re.sub("[_\u00a0]", " ", text.casefold()).split())
    bare = re.sub(r"^[\[(<{*\"']+|[\])>}*\"']+$", "", word)
    signs_only = bool(re.fullmatch(r"[-\u2010-\u2015\u2212.?*/_]+", text.strip()))
    return (
        word in (*NO_VALUE, "nan") or bare in NO_VALUE or re.sub(r"(?<=\w)-(?=\w)", " ", bare) in NO_VALUE or signs_only
    )


def looks_missing(column: pd.Series, codes: bool = True, number: bool = False) -> dict[str, int]:
    """Values of a text column that look like missing ones, with their numbers of samples.

    Parameters
    ----------
    codes : whether numbers may be codes (not of names, such as donors)
    number : whether the column holds numbers whatever its values are (an age)

    Examples
    --------
    >>> looks_missing(pd.Series(["34", "51", "-9", "47", "-9", "n/a"]), number=True)
    {'-9': 2, 'n/a': 1}
    """
    counts = column.value_counts()
    frequent = counts.index[:_MOST_WORDS]
    words = [text for text in frequent if is_no_value(str(text))]
    if any(str(text).strip().endswith("+") for text in frequent):  # ER+ and ER-, or + and -
        words = [text for text in words if text.strip() not in ("-", "\u2212", "\u2013")]
    found = [*(_codes(counts.drop(words), number) if codes else []), *words]
    return {str(text): int(counts[text]) for text in sorted(found, key=counts.index.get_loc)}


def _codes(counts: pd.Series, number: bool) -> list[str]:
    """Numbers far outside of all others."""
    values = pd.Series(pd.to_numeric(pd.Series(counts.index), errors="coerce").to_numpy(dtype=float), counts.index)
    known = values.dropna()
    candidates = known[known.isin((*_CODES, *_HIGH) if number or len(known) > _FEW_LEVELS else (*_CODES, *_HIGH, 9.0))]
    rest = known.drop(candidates.index)
    if candidates.empty or len(rest) < 2:
        return []
    if number or (len(rest) > _FEW_LEVELS and len(known) > 0.8 * len(values)):
        return [text for text, code in candidates.items() if _is_outside(code, int(counts[text]), rest)]
    if len(known) < len(values) or (rest % 1 != 0).any():
        return []
    if rest.between(0, 3).all() and "9" in counts.index:  # sex: 1, 2, 9
        return ["9", *(text for text, code in candidates.items() if code in _PLAIN_CODES)]
    few = candidates[candidates.isin(_PLAIN_CODES)]
    return [text for text, code in few.items() if rest.between(0, 9).all() and (code < 0 or code > 90)]


def _is_outside(code: float, count: int, rest: pd.Series) -> bool:
    low, high = float(rest.min()), float(rest.max())
    span = max(high - low, 1e-9)
    if code < 0:
        return low >= 0 and (code < -1 or count > 1 or low > 5)
    return code > high + 3 * span or (count > 1 and code > high + 0.5 * span)


def written(codes: Iterable[str | int | float | bool], column: pd.Series, names: bool = False) -> list[str]:
    """The texts of a column that the values of ``metadata.missing`` mean: words in upper or lower case, every way of
    writing a number; true and false as :func:`mtlbio.text.matching`.

    ``names`` says that the column holds names (of donors), among which a number is no code and only words count.
    """
    texts = [str(text) for text in column.dropna().unique()]
    words = {str(code).strip().casefold() for code in codes if not isinstance(code, bool)}
    if names:
        return sorted(text for text in texts if text.strip().casefold() in words and _number(text) is None)
    numbers = {number for number in map(_number, words) if number is not None}
    meant = {text for code in codes if isinstance(code, bool) for text in matching(code, texts)}
    return sorted(meant | {t for t in texts if t.strip().casefold() in words or _number(t) in numbers})


def _number(text: str) -> float | None:
    """The number that a text is; 009 is a name."""
    if re.match(r"[+-]?0\d", text.strip()):
        return None
    try:
        return float(text)
    except ValueError:
        return None
