"""Columns whose every value names what it is of: ``disease state: SLE`` in ``characteristics_ch1``, as GEO writes."""

import re

import pandas as pd

_KEYED = re.compile(r"([A-Za-z][^:=]{0,60}?)\s*[:=]\s*(.*)", re.DOTALL)
_NAME = re.compile(r"(?:sample[_ ]?)?characteristics?(?:[_ .]?ch\d)?(?:[_ .]?\d+)?", re.IGNORECASE)


def key_of(column: pd.Series) -> str | None:
    """What the values of a column that is called characteristics are of; None where they do not all say the same.

    Examples
    --------
    >>> key_of(pd.Series(["Sex: F", "Sex: M", None], name="characteristics_ch1.2"))
    'Sex'
    """
    if not _NAME.fullmatch(str(column.name).strip()):
        return None
    found = [_KEYED.fullmatch(str(text)) for text in column.dropna().unique()]
    keys = {match[1].strip() if match else None for match in found}
    return next(iter(keys)) if len(keys) == 1 else None


def without_key(column: pd.Series, key: str) -> pd.Series:
    """The values without the key; what is empty then is missing."""
    values = column.map(lambda text: _KEYED.fullmatch(str(text))[2].strip(), na_action="ignore")  # type: ignore[index]
    return values.mask(values.isin(["", "NA", "N/A", "NaN"]))
