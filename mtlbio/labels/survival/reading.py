"""From the text of the metadata to times, events, entries and strata; what cannot be is one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from mtlbio.errors import InputError, listing
from mtlbio.labels.base import Note, TaskSection, Value
from mtlbio.labels.classes import note_ignored, occurring
from mtlbio.text import first_of, matching, numbers

if TYPE_CHECKING:
    import pandas as pd

# Two values of a column of events that need no explanation: 1 and 0, yes and no, DECEASED and LIVING of cBioPortal.
_CODED = re.compile(r"1:\s*\S.*")
# Shares of the events that lie before the horizons of a run that names none.
_SHARES = (0.25, 0.5, 0.75)


class SurvivalSection(TaskSection):
    """A label that is a time to an event, or to the end of follow-up."""

    kind: Literal["survival"]
    time: str | None = Field(
        None, description="survival: metadata column of the time to the event, or to the end of follow-up; required"
    )
    event: str | None = Field(
        None, description="survival: metadata column that says whether the time ended with the event; required"
    )
    positive: Value | None = Field(None, description="survival: the value of `event` that is the event")
    censored: Value | list[Value] | None = Field(
        None,
        description="survival: the value or values of `event` that mean that it was not seen; where given, others are "
        "the event, or missing with `positive`; where left out, all values but `positive` are censored at their time "
        "(competing events too)",
    )
    entry: str | None = Field(
        None, description="survival: metadata column of the time since when somebody is followed (left truncation)"
    )
    strata: str | None = Field(
        None, description="survival: metadata column (site); each of its values has a baseline hazard of its own"
    )
    horizons: Annotated[list[Annotated[float, Field(gt=0, le=1e9)]], Field(min_length=1)] | None = Field(
        None,
        description="survival: times by which the absolute risk is told, rising; where left out, those by which a "
        "quarter, half and three quarters of the events have happened",
    )
    unit: str | None = Field(None, description="survival: what times are in, for the page (months)")


def read_follow_up(
    name: str, section: SurvivalSection, columns: dict[str, pd.Series], source: str, note: Note
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns ``time, event, entry, stratum`` of the samples with a label, and the names of the strata."""
    import pandas as pd

    task = f"{source}: tasks.{name}"
    time = numbers(columns["column"], f"{task}: column {columns['column'].name!r}")
    table = pd.DataFrame({"time": time, "event": read_events(name, section, columns["event"], source, note)})
    table["entry"], table["stratum"], strata = -np.inf, 0, tuple[str, ...]()
    if "entry" in columns:
        table["entry"] = numbers(columns["entry"], f"{task}.entry: column {columns['entry'].name!r}")
    if "strata" in columns:
        strata = tuple(sorted(columns["strata"].dropna().unique()))
        table["stratum"] = columns["strata"].map({text: code for code, text in enumerate(strata)})
    for what, column in table.drop(columns="time").items():
        gaps = column.isna() & table["time"].notna()
        if gaps.any():
            told = f"{int(gaps.sum())} with a time, but without {'an' if what[0] == 'e' else 'a'} {what}"
            note([f"tasks.{name}"], "note", "labels set to missing", told)
    table = table.dropna()
    _check_times(table, task, columns)
    return table, strata


def read_events(name: str, section: SurvivalSection, column: pd.Series, source: str, note: Note) -> pd.Series:
    """1 where the time ended with the event, 0 where it was cut short, NaN where that is not known."""
    where = f"{source}: tasks.{name}"
    found = sorted(set(column.dropna()))
    listed = section.censored if isinstance(section.censored, list) else [section.censored]
    given = [value for value in listed if value is not None]
    cut = [text for value in given for text in occurring(value, column, f"tasks.{name}.censored", source)]
    if section.positive is not None:
        ended = occurring(section.positive, column, f"tasks.{name}.positive", source)
    elif given:
        ended = [text for text in found if text not in cut]
    else:
        ended = [text for text in found if matching(1, [text]) or matching(True, [text]) or _CODED.fullmatch(text)]
        if len(found) > 2 or not ended:
            shown = listing([f"{value!r} ({count})" for value, count in column.value_counts().items()], 6)
            raise InputError(
                f"{where}.positive: missing, and column {column.name!r} holds {shown}; expected the value that is the "
                f"event (where several events compete, each in a task of its own)"
            )
    if both := sorted(set(ended) & set(cut)):
        raise InputError(f"{where}.censored: {both[0]!r} is the event too")
    if not ended:
        raise InputError(f"{where}: column {column.name!r}: every value is censored; no event is left")
    if not given:
        cut = [text for text in found if text not in ended]
        if len(cut) > 1:
            detail = f"{listing(cut)} counted as censored at that time; tasks.{name}.censored restricts it"
            note([f"tasks.{name}"], "note", "values pooled as censored", detail)
    meaning = dict.fromkeys(ended, ended[0]) | dict.fromkeys(cut, cut[0] if cut else "")
    note_ignored(name, column, meaning, note)
    return column.map(dict.fromkeys(ended, 1.0) | dict.fromkeys(cut, 0.0)).astype(float)


def read_horizons(section: SurvivalSection, time: np.ndarray, event: np.ndarray, where: str) -> tuple[float, ...]:
    """Times by which the risk is told; ``time, event`` (n,) of those with a label."""
    if section.horizons is None:
        quantiles = np.quantile(time[event], _SHARES)
        rounded = dict.fromkeys(float(f"{value:.3g}") for value in quantiles)
        inside = tuple(value for value in rounded if 0 < value < time.max())
        return inside or (float(np.median(time)),)
    if section.horizons[-1] >= time.max():
        raise InputError(
            f"{where}.horizons: found {section.horizons[-1]:g}; nobody is followed that long (the longest time is "
            f"{time.max():g})"
        )
    return tuple(section.horizons)


def check_horizons(key: str, horizons: Sequence[float] | None) -> None:
    """Raise ValueError unless they are above 0 and rise."""
    if horizons and not (np.diff([0.0, *horizons]) > 0).all():
        found = listing([f"{h:g}" for h in horizons])
        raise ValueError(f"{key}.horizons: found {found}; expected times above 0 that rise")


def _check_times(table: pd.DataFrame, task: str, columns: dict[str, pd.Series]) -> None:
    negative = table["time"][table["time"] < 0]
    if len(negative):
        raise InputError(
            f"{task}: column {columns['column'].name!r}: found {negative.iloc[0]:g} ({first_of(negative)}); a time "
            f"to an event is 0 or more"
        )
    late = table[table["entry"] >= table["time"]]
    if len(late):
        first = late.iloc[0]
        raise InputError(
            f"{task}.entry: column {columns['entry'].name!r}: found {first['entry']:g} ({first_of(late)}), not before "
            f"the time {first['time']:g}; who enters then is never at risk"
        )
    if not (table["event"] > 0).any():
        raise InputError(f"{task}: column {columns['event'].name!r}: no event among {len(table)} samples with a time")
