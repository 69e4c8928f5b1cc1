"""Metadata as text, where nothing that a person typed is silently turned into a number, and numbers in print.

Donor 007 stays 007 and chip 5730053041 stays ten digits, whichever file format they came in.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from mtlbio.errors import InputError, listing

if TYPE_CHECKING:
    import pandas as pd

# "None" and "none" are not here: they are levels (therapy: none).
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "<NA>")

# What people write where a value is not known. As a level it is taken at its word, and said
# (`mtlbio.intake.missing_words`); as the name of a family it names none.
NO_VALUE = {"unknown", "unk", "missing", "n/a", "n.a.", "n.a", "na", "n.d.", "n.d", "nd", "n.k.", "null", "nil"}
NO_VALUE |= {f"not {word}" for word in "available known recorded reported applicable determined done".split()}
NO_VALUE |= {f"not {word}" for word in "provided collected specified assessed evaluated stated given".split()}
NO_VALUE |= {f"not {word}" for word in "tested measured disclosed applic. avail.".split()}
NO_VALUE |= {"unspecified", "undetermined", "unreported", "unavailable", "other/unknown", "unknown/other", "no data"}
NO_VALUE |= {"no value", "no information", "blank", "empty", "tbd", "tba", "to be determined", "refused", "declined"}
NO_VALUE |= {"prefer not to say", "withheld", "not known/not reported", "unknown/not reported", "discrepancy"}
NO_VALUE |= {"redacted", "missing data", "data missing", "na_character_", "na_real_", "not app", "don't know"}
NO_VALUE |= {"#value!", "#ref!", "#name?", "#div/0!", "#null!", "#num!", "#na", "#n/a", "?", "-", "."}

# The covariate that says which of several assays a sample has.
MEASURED_BLOCKS = "measured_blocks"

# Stands in a draft where a person has to name a column.
TO_CHOOSE = "TO_CHOOSE"
# Where a draft asks for the donors of an AnnData: the index of obs is no column, so it cannot be named as one.
OWN_DONORS = "if every row is a donor of its own, in Python: adata.obs['donor'] = adata.obs_names"

# PyYAML reads yes, on and true as True (YAML 1.1), so a label written without quotes arrives as a boolean.
_TRUE = ("true", "yes", "on", "t", "y", "1", "1.0")
_FALSE = ("false", "no", "off", "f", "n", "0", "0.0")


def as_text(values: pd.Series) -> pd.Series:
    """Text of every value, stripped; missing values are NaN.

    Whole numbers in a column of floats lose their ``.0`` (a column of integers with gaps is stored as floats), also
    when a text column holds nothing but such numbers; leading zeros stay.

    Examples
    --------
    >>> import pandas as pd
    >>> as_text(pd.Series([1.0, None, 2.0])).tolist()
    ['1', nan, '2']
    >>> as_text(pd.Series(["007", " a ", "NA"])).tolist()
    ['007', 'a', nan]
    """
    import pandas as pd  # here, so that a YAML is checked without

    if isinstance(values.dtype, pd.CategoricalDtype):
        # a million cells share a few levels
        levels = as_text(pd.Series(values.cat.categories)).to_numpy()
        codes = values.cat.codes.to_numpy()
        text = np.append(levels, np.nan)[codes] if len(levels) else np.full(len(values), np.nan, dtype=object)
        return pd.Series(text, index=values.index, name=values.name, dtype=object)
    present = values.notna().to_numpy()
    raw = values.astype(object).to_numpy()
    if pd.api.types.is_float_dtype(values.dtype) and np.isfinite(raw[present].astype(float)).all():
        whole = np.all(np.mod(raw[present].astype(float), 1) == 0)
        text = [str(int(v)) if whole else repr(float(v)) for v in raw[present]]
    else:
        text = [v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else str(v) for v in raw[present]]
    result = np.full(len(values), np.nan, dtype=object)
    result[present] = text
    series = pd.Series(result, index=values.index, name=values.name, dtype=object)
    series = series.str.strip()
    series = series.mask(series.isin(MISSING), np.nan)
    filled = series.dropna()
    # one column, one way of writing: only where every value is a whole number is ".0" an artefact
    if len(filled) and filled.str.fullmatch(r"[+-]?\d+(\.0+)?").all() and filled.str.contains(".", regex=False).any():
        series = series.str.replace(r"\.0+$", "", regex=True)
    return series


def as_number(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Numbers of a text column, and the values (by sample) that are no finite number."""
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = values[values.notna() & ~np.isfinite(numbers)]
    return numbers, wrong


def numbers(column: pd.Series, where: str) -> pd.Series:
    """A text column as float; text that is no finite number is an InputError that names it and its sample."""
    values, wrong = as_number(column)
    if len(wrong):
        others = wrong[wrong != wrong.iloc[0]].value_counts()
        shown = listing([f"{str(text)[:40]!r} ({count})" for text, count in others.items()], 5)
        also = f"; also {shown}" if len(others) else ""
        raise InputError(
            f"{where}: found {str(wrong.iloc[0])[:40]!r} ({first_of(wrong)}) where a number is due{also}; "
            f"missing values are written NA, left empty, or named in metadata.missing"
        )
    return values


def first_of(wrong: pd.Series) -> str:
    """The sample of the first of several wrong values, and how many there are besides, in words."""
    return f"sample {wrong.index[0]!r}" + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else "")


def matching(value: str | int | float | bool, texts: Iterable[str]) -> list[str]:
    """Those of ``texts`` that a YAML value means, in sorted order.

    Text matches itself; a number every way of writing it (``1``: "1", "1.0"); a boolean also yes/no, 1/0.

    Examples
    --------
    >>> matching(1, ["0.0", "1.0"]), matching(True, ["yes", "no"]), matching("SLE", ["SLE", "healthy"])
    (['1.0'], ['yes'], ['SLE'])
    """
    texts = sorted(set(texts))
    if isinstance(value, bool):
        return [text for text in texts if text.lower() in (_TRUE if value else _FALSE)]
    written = str(value).strip()
    if written in texts:
        return [written]
    number = _number(written)
    return [text for text in texts if number is not None and _number(text) == number]


def known(value) -> bool:
    """Whether a table's cell holds something (a finite number or a text)."""
    if value is None:
        return False
    return math.isfinite(value) if isinstance(value, float) else str(value) not in ("", "nan", "<NA>")


def number(value, digits: int = 2) -> str:
    """A number with a real minus sign; a dash where there is none.

    Examples
    --------
    >>> number(-0.0451), number(float("nan")), number(0.9999)
    ('−0.05', '–', '1.00')
    """
    if not known(value):
        return "–"
    text = f"{float(value):.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def joined(parts: list[str]) -> str:
    """Enumeration in prose.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""


def suggestion(name: str, available: Iterable[str]) -> str:
    """What to say about a name that does not exist: a near miss if there is one, and the valid names."""
    available = [str(a) for a in available]
    folded = {a.lower(): a for a in available}
    near = difflib.get_close_matches(name.lower(), folded, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(folded[n]) for n in near)}? " if near else ""
    return f"{hint}found: {listing(available, 12)}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
