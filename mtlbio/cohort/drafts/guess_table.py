"""What the names and values of a table of patients hint at: doses, their units and scales, what is a number."""

from itertools import takewhile
from pathlib import Path

import pandas as pd
from scipy import stats

from mtlbio.cohort.drafts.guess import DISEASE, DONOR, has_word, is_age, is_called, words
from mtlbio.cohort.drafts.guess_columns import time_to_event
from mtlbio.cohort.metadata import (
    csv_header,
    is_parquet,
    is_table,
    read_metadata,
    text_table,
    without_row_numbers,
)
from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import recognise
from mtlbio.intake.parquet import parquet_schema
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
_SKEWED = 0.5
_MOST_COLUMNS = 200  # a table of patients has rarely more, an expression matrix nearly always


def looks_like_table(path: Path, metadata: Path | None = None) -> bool:
    """Whether a file is a table of features, labels and covariates, and no second file was given, rather than a matrix
    of measurements.

    Measurements are numbers without gaps in many columns; a table of patients has few columns, with text or gaps or
    names such as age and sex.

    Raises
    ------
    InputError
        One line where it could be either.
    """
    if metadata is not None or path.is_dir() or recognise(path) is not None or not is_table(path):
        return False
    columns = len(parquet_schema(path).names if is_parquet(path) else csv_header(path))
    if columns > 10 * _MOST_COLUMNS:
        return False  # not read: it may be large
    table = without_row_numbers(text_table(read_metadata(path, "table")), path)
    rest = table.iloc[:, 1:]  # the first column may name the samples
    text, gaps = [c for c in rest if len(as_number(rest[c])[1])], bool(rest.isna().any(axis=None))
    mixed = bool(text) or gaps
    if (columns > _MOST_COLUMNS) != mixed:
        return mixed
    if not mixed and len([c for c in rest if _is_of_people(c)]) + len(time_to_event(rest)) > 1:
        return True
    shape = f"{columns} columns, {len(text)} of them text, {'with' if gaps else 'no'} gaps"
    raise InputError(
        f"{path}: cannot tell whether this is a table of patients or measurements ({shape}): add --table, or give the "
        f"metadata file too"
    )


def _is_of_people(column: str) -> bool:
    """Whether a name belongs to a table of patients, whatever its values are."""
    person = (*DONOR, "sex", "gender", "bmi", "smoking", "smoker", "race", "ethnicity")
    return is_age(column) or is_dose(column) or is_called(column, DISEASE) or has_word(column, person)


def is_dose(column: str) -> bool:
    """Whether a column's name says that it holds a dose, or a concentration that acts.

    Examples
    --------
    >>> is_dose("dose_mg_week"), is_dose("stable_dose"), is_dose("inr_on_dose"), is_dose("IC50_uM")
    (True, True, False, True)
    """
    parts = words(column)
    return any(w in DOSE for w in parts) and not any(w in _OTHERWISE for w in parts)


def guess_unit(column: str) -> str | None:
    """The unit that a name tells.

    Examples
    --------
    >>> guess_unit("dose_mg_week"), guess_unit("mg_per_kg_day_dose"), guess_unit("weekly_dose_mg"), guess_unit("dose")
    ('mg/week', 'mg/kg/day', 'mg/week', None)
    """
    parts = [w for w in words(column) if w != "per"]
    start = next((i for i, w in enumerate(parts) if w in _AMOUNTS), None)
    if start is None:
        return None
    unit = [_MOLAR.get(parts[start], parts[start]), *takewhile(_PER.__contains__, parts[start + 1 :])]
    return "/".join([*unit, *(_RATES[w] for w in parts if w in _RATES)])


def guess_transform(values: pd.Series) -> tuple[str, str]:
    """The scale on which a label is least skewed, and what speaks for it; only positive values with a long tail leave
    their own."""
    amounts = values.dropna().to_numpy()
    if (amounts <= 0).any():
        return "none", "some values are not above 0"
    skew = {name: float(stats.skew(TRANSFORMS[name].forward(amounts))) for name in ("none", "sqrt", "log")}
    best = min(skew, key=lambda name: abs(skew[name]))
    if skew["none"] < _SKEWED or best == "none":
        return "none", "no long tail"
    return best, f"skewness {skew['none']:.1f}, there {skew[best]:.1f}"


def is_amount(values: pd.Series, wrong: pd.Series) -> bool:
    """Whether a column, as :func:`mtlbio.text.as_number` gives it, holds amounts: numbers only, and decimals or more
    values than a code has."""
    levels, decimals = values.nunique(), bool((values.dropna() % 1 != 0).any())
    return len(wrong) == 0 and (levels > _FEW or (levels > 2 and decimals))
