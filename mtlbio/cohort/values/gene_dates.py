"""Names of genes that a spreadsheet turned into dates, and the genes that they may have been.

Ziemann, Eren and El-Osta, Genome Biology 17:177 (2016).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MONTHS = {
    **{"jan": 1, "feb": 2, "mar": 3, "mrz": 3, "mär": 3, "apr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7, "aug": 8},
    **{"sep": 9, "sept": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12, "déc": 12, "fév": 2, "avr": 4},
    **{"march": 3, "september": 9, "december": 12, "october": 10},
}
_WORDS = "|".join(sorted(_MONTHS, key=len, reverse=True))
_CLOCK = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2})?(?:\.0+)?)?"
# what a spreadsheet shows: 2-Sep, Sep-02, 02. Sep, 2-Sep-21, 2021-09-02 00:00:00, 9/2/2021, 02.09.2021
_DAY_MONTH = re.compile(rf"(\d{{1,2}})[-. /]+({_WORDS})\.?(?:[-. /]+\d{{2,4}})?", re.IGNORECASE)
_MONTH_DAY = re.compile(rf"({_WORDS})[-. /]+(\d{{1,2}})", re.IGNORECASE)
_ISO = re.compile(rf"((?:19|20)\d\d)[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}")
_SLASHES = re.compile(rf"(\d{{1,2}})[/.](\d{{1,2}})[/.]((?:19|20)?\d\d){_CLOCK}")
# month -> the family as it was and as HGNC calls it since 2020, and its highest number
_FAMILIES = {
    9: (("SEPT{}", "SEPTIN{}", 14),),
    3: (("MARCH{}", "MARCHF{}", 11), ("MARC{}", "MTARC{}", 2)),
    12: (("DEC{}", "DELEC{}", 1),),
    10: (("OCT{}", "POU5F1 or POU2F1", 4),),
}


def month_and_day(name: str) -> tuple[int, int] | None:
    """Month and day of a name that looks like a date, else None.

    Examples
    --------
    >>> month_and_day("2-Sep"), month_and_day("2021-03-04"), month_and_day("HLA-A")
    ((9, 2), (3, 4), None)
    """
    name = name.strip()
    if found := _DAY_MONTH.fullmatch(name):
        month, day = _MONTHS[found[2].lower()], int(found[1])
    elif found := _MONTH_DAY.fullmatch(name):
        month, day = _MONTHS[found[1].lower()], int(found[2])
    elif found := _ISO.fullmatch(name):
        month, day = int(found[2]), int(found[3])
        # Sep-07 was read as September of 2007
        day = int(found[1]) % 100 if day == 1 and 2001 < int(found[1]) <= 2015 else day
    elif found := _SLASHES.fullmatch(name):
        first, second = int(found[1]), int(found[2])
        month, day = (first, second) if first in _FAMILIES or second > 12 else (second, first)
    else:
        return None
    return (month, day) if 1 <= month <= 12 and 0 < day <= 31 else None


def gene_of_date(name: str) -> str:
    """What a date may have been as the name of a gene; empty where no gene is known.

    Examples
    --------
    >>> gene_of_date("2-Sep"), gene_of_date("1-Mar"), gene_of_date("14-Jul")
    ('SEPTIN2', 'MARCHF1 or MTARC1', '')
    """
    date = month_and_day(name)
    if date is None:
        return ""
    month, day = date
    return " or ".join(now.format(day) for _, now, most in _FAMILIES.get(month, ()) if day <= most)


def date_names(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that look like dates."""
    return [name for name in names if name[:1].isalnum() and month_and_day(name) is not None]
