"""Numbers as people write them: ``>89``, ``45 years``, ``45,3``, ``40-49``, ``~45``, ``45-year-old stage``.

What is read is read by a rule that can be said in half a line, and every value that needed one is told with its
number; a value that no rule fits stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mtlbio.intake.amount_rules import SUPERSCRIPTS, TIMES, Reading, read_one, tidy


@dataclass(frozen=True)
class Amounts:
    """A column of text as numbers.

    Attributes
    ----------
    values : (samples,) float, NaN where missing or not understood
    wrong : the texts that are no number, by sample
    said : how others were read, one line each and whether it is worth a look
    """

    values: pd.Series
    wrong: pd.Series
    said: tuple[tuple[str, bool], ...] = ()


def read_amounts(column: pd.Series) -> Amounts:
    """Numbers of a text column (missing = NaN), also those that are written in another way.

    Examples
    --------
    >>> found = read_amounts(pd.Series([">89", "45 years", "45,3", "40-49", "~45", "12 months", "ill"], name="age"))
    >>> found.values.round(2).tolist(), found.wrong.tolist()
    ([89.0, 45.0, 45.3, 44.5, 45.0, 1.0, nan], ['ill'])
    """
    values = pd.to_numeric(column, errors="coerce").astype(float)
    values = values.where(np.isfinite(values))
    strange = column.notna().to_numpy() & values.isna().to_numpy()
    if not strange.any():
        return Amounts(values, column[strange])
    counts = column[strange].astype(str).value_counts()
    texts = {text: tidy(text) for text in counts.index}
    comma = _meaning_of_comma(list(texts.values()), values)
    whole = bool((values.dropna() % 1 == 0).all()) and not any(re.search(r"\d[.,]\d", text) for text in texts.values())
    found = {text: read_one(texts[text], whole, comma) for text in texts if not SUPERSCRIPTS.search(text)}
    readings = _in_one_unit({text: r for text, r in found.items() if r}, values, str(column.name))
    read = column.astype(str).map({text: reading.value for text, reading in readings.items()}).astype(float)
    wrong = strange & read.isna().to_numpy()
    return Amounts(values.where(~strange, read), column[wrong], tuple(_said(readings, counts)))


def _meaning_of_comma(texts: list[str], plain: pd.Series) -> str:
    """Whether a comma before three digits is that of decimals or of thousands, as the rest of the column says."""
    joined = [match for text in texts for match in re.findall(r"\d+(?:,\d+)+(?:\.\d+)?", text)]
    points = bool((plain.dropna() % 1 != 0).any())
    if points or any("." in m or m.count(",") > 1 for m in joined):
        return "thousands"
    if any(len(m.partition(",")[2]) != 3 for m in joined):
        return "decimals"
    return "thousands" if plain.notna().any() and plain.abs().median() >= 100 else "unclear"


def _in_one_unit(found: dict[str, Reading], plain: pd.Series, name: str) -> dict[str, Reading]:
    """What is left where a column has to be in one unit: times become those that the column is in, or years; of two
    units of another kind neither is read."""
    units = {reading.unit for reading in found.values() if reading.unit}
    parts = re.split(r"[\W_\d]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).casefold())
    named = next((part for part in parts if part in TIMES and len(part) > 2), "y" if "age" in parts else None)
    bare = plain.notna().any() or any(not reading.unit for reading in found.values())
    base = named or ("y" if "y" in units else None)
    if base and units <= TIMES.keys() and len(units | ({base} if bare else set())) > 1:
        how = "in years" if TIMES[base] == 1 else f"in {base}"
        return {
            text: r if not r.unit or TIMES[r.unit] == TIMES[base] else _converted(r, base, how)
            for text, r in found.items()
        }
    return found if len(units) < 2 else {text: r for text, r in found.items() if not r.unit}


def _converted(reading: Reading, base: str, how: str) -> Reading:
    return replace(reading, value=reading.value * TIMES[reading.unit] / TIMES[base], way=how, unit=base)


def _said(readings: dict[str, Reading], counts: pd.Series) -> list[tuple[str, bool]]:
    """A line for every way of writing: an example, how many values and samples."""
    lines = []
    for way in dict.fromkeys(reading.way for reading in readings.values()):
        texts = [text for text, reading in readings.items() if reading.way == way]
        first, samples = readings[texts[0]], int(counts[texts].sum())
        more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
        plural = "s" if samples > 1 else ""
        lines.append((f"{texts[0]!r} read as {first.value:.6g} ({way}){more}, {samples} sample{plural}", first.doubt))
    return lines
