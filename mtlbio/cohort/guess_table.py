"""What the names and values of a table of patients hint at: doses, their units and scales, what is a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.cohort.guess import words
from mtlbio.cohort.metadata import TABLES, csv_header, parquet_schema, read_metadata, suffix, text_table
from mtlbio.errors import InputError
from mtlbio.labels.transforms import TRANSFORMS
from mtlbio.text import as_number

DOSE = ("dose", "doses", "dosage", "ic50", "ec50", "gi50", "drug")
# words that make of a dose something else: what was measured under it, what was aimed at
_OTHERWISE = ("on", "at", "under", "after", "inr", "target", "level", "group", "arm", "name", "class", "type", "id")
BODY = ("weight", "height", "bmi", "bsa")
PLACE = ("site", "centre", "center", "hospital", "clinic", "ward", "laboratory", "lab")
_AMOUNTS = ("g", "mg", "ug", "mcg", "ng", "iu", "units", "mmol", "umol", "nmol", "um", "nm", "ml")
_PER = ("kg", "m2", "h", "hour", "d", "day", "w", "week", "month", "ml", "l")
_RATES = {"daily": "day", "weekly": "week", "monthly": "month"}
_MOLAR = {"um": "uM", "nm": "nM", "iu": "IU"}

_FEW = 6  # whole numbers with no more values than this are codes rather than amounts
_LEAST = 10  # different values that a regression needs
_SKEWED = 0.5
_MOST_COLUMNS = 200  # a table of patients has rarely more, an expression matrix nearly always


def is_one_table(path: Path, metadata: Path | None) -> bool:
    """Whether ``path`` holds features, labels and covariates: nothing else was given, and it looks like a table."""
    return metadata is None and looks_like_table(path)


def looks_like_table(path: Path) -> bool:
    """Whether a file is a table of features rather than a matrix of measurements.

    Measurements are numbers without gaps in many columns; a table of patients has few columns, with text or gaps.

    Raises
    ------
    InputError
        One line where it could be either.
    """
    if path.is_dir() or suffix(path) not in TABLES:
        return False
    header = parquet_schema(path).names if suffix(path) == ".parquet" else csv_header(path)[0]
    columns = len(header)
    if columns > 10 * _MOST_COLUMNS:
        return False  # not read: it may be large
    table = text_table(read_metadata(path, "table"))
    rest = table.iloc[:, 1:]  # the first column may name the samples
    text = [c for c in rest if len(as_number(rest[c])[1])]
    mixed = bool(text) or bool(rest.isna().any(axis=None))
    if (columns > _MOST_COLUMNS) != mixed:
        return mixed
    found = f"{columns} columns, {len(text)} of them text, {'with' if rest.isna().any(axis=None) else 'no'} gaps"
    raise InputError(
        f"{path}: cannot tell whether this is a table of patients or measurements ({found}): add --table, or give the "
        f"metadata file too"
    )


def is_dose(column: str) -> bool:
    """Whether a column's name says that it holds a dose, or a concentration that acts.

    Examples
    --------
    >>> is_dose("dose_mg_week"), is_dose("stable_dose"), is_dose("inr_on_dose"), is_dose("IC50_uM")
    (True, True, False, True)
    """
    own = words(column)
    return any(w in DOSE for w in own) and not any(w in _OTHERWISE for w in own)


def guess_unit(column: str) -> str | None:
    """The unit that a name tells.

    Examples
    --------
    >>> guess_unit("dose_mg_week"), guess_unit("mg_per_kg_day_dose"), guess_unit("weekly_dose_mg"), guess_unit("dose")
    ('mg/week', 'mg/kg/day', 'mg/week', None)
    """
    own = [w for w in words(column) if w != "per"]
    start = next((i for i, w in enumerate(own) if w in _AMOUNTS), None)
    if start is None:
        return None
    unit = [_MOLAR.get(own[start], own[start])]
    for word in own[start + 1 :]:
        if word not in _PER:
            break
        unit.append(word)
    unit += [_RATES[w] for w in own if w in _RATES]
    return "/".join(unit)


def guess_transform(values: pd.Series) -> tuple[str, str]:
    """The scale on which a label is least skewed, and what speaks for it; only positive values with a long tail leave
    their own."""
    known = values.dropna().to_numpy()
    if (known <= 0).any():
        return "none", "some values are not above 0"
    skew = {name: float(stats.skew(TRANSFORMS[name].forward(known))) for name in ("none", "sqrt", "log")}
    best = min(skew, key=lambda name: abs(skew[name]))
    if skew["none"] < _SKEWED or best == "none":
        return "none", "no long tail"
    return best, f"skewness {skew['none']:.1f}, there {skew[best]:.1f}"


def is_amount(values: pd.Series, wrong: pd.Series) -> bool:
    """Whether a column holds amounts: numbers only, and decimals or more values than a code has.

    Parameters
    ----------
    values, wrong : of :func:`mtlbio.text.as_number`
    """
    known = values.dropna()
    return len(wrong) == 0 and (known.nunique() > _FEW or (known.nunique() > 2 and bool((known % 1 != 0).any())))


def varies_enough(values: pd.Series) -> bool:
    """Whether a regression could be about a column of numbers."""
    return int(np.unique(values.dropna()).size) >= _LEAST
