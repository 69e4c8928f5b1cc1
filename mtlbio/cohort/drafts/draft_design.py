"""Columns of a draft that are neither label nor covariate: who belongs together, and when who was sampled.

They are suggested, not written: only who made the cohort knows whether a household is one of relatives, and whether a
date is that of the sample or that of a form.
"""

from mtlbio.cohort.drafts.drafting import Draft, scalar
from mtlbio.cohort.drafts.guess import words
from mtlbio.cohort.family import read_order
from mtlbio.errors import InputError

FAMILY = ("family", "families", "household", "litter", "pedigree", "kindred", "fid", "famid", "twin", "sibship")
_NUMBERED = ("id", "no", "nr", "num", "number", "code", "pair")
_TIME = ("date", "datetime", "timestamp", "time", "day", "year", "order")
_TAKEN = (
    *("sampling", "sample", "sampled", "collection", "collected", "draw", "drawn", "visit", "biopsy", "acquisition"),
    *("injection", "bleed", "blood"),
)
_FILLING = ("of", "the", "at", "in")


def is_family(column: str) -> bool:
    """Whether a column is called like one of families, and no more: a family history is no family.

    Examples
    --------
    >>> is_family("household_id"), is_family("FID"), is_family("family_history")
    (True, True, False)
    """
    parts = words(column)
    return any(w in FAMILY for w in parts) and all(w in (*FAMILY, *_NUMBERED) for w in parts)


def is_order(column: str) -> bool:
    """Whether a column is called like the date or the order of sampling, and no other date.

    Examples
    --------
    >>> is_order("date_of_sampling"), is_order("date"), is_order("date_of_birth"), is_order("sample")
    (True, True, False, False)
    """
    parts = [w for w in words(column) if w not in _FILLING]
    timed = [w for w in parts if w in _TIME]
    return bool(timed) and (parts == ["date"] or len(parts) > len(timed)) and all(w in (*_TIME, *_TAKEN) for w in parts)


def suggest(out: Draft) -> None:
    """Notes on columns that ``metadata.family`` and ``metadata.order`` may name; they are used then."""
    left = [c for c in out.table.columns if c not in out.used and out.table[c].notna().any()]
    for column in [c for c in left if is_family(c) and _above_donors(out, c)]:
        out.used.add(column)
        out.notes.append(
            f"not sure: {column!r} may say who belongs together above the donor; if so, write family: {scalar(column)} "
            "under metadata: families stay in one fold and count as one (docs/families.md)"
        )
    for column in [c for c in left if is_order(c) and out.table[c].nunique() > 1]:
        out.used.add(column)
        out.notes.append(
            f"not sure: {column!r} may say when a sample was taken; if so, write order: {scalar(column)} under "
            f"metadata: the audit asks whether it goes with an outcome{_to_rewrite(out, column)}"
        )


def _above_donors(out: Draft, column: str) -> bool:
    """Whether every donor is in one family and some donors share one."""
    donors = out.table[column].groupby(out.donors.to_numpy())
    families = donors.first().dropna()
    return not (donors.nunique() > 1).any() and families.duplicated().any() and families.nunique() > 1


def _to_rewrite(out: Draft, column: str) -> str:
    """What the column would need first, if anything."""
    try:
        read_order(out.table[column], column, out.source)
    except InputError:
        return "; its dates have to be written as YYYY-MM-DD first"
    return ""
