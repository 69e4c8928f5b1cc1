"""Which columns of a draft are a time and the event that ends it: pairs by what their names have in common."""

import re

import pandas as pd

from mtlbio.cohort.drafts.drafting import Draft, range_text, scalar
from mtlbio.cohort.drafts.guess import words
from mtlbio.cohort.drafts.guess_columns import EVENT_WORDS, TIME_WORDS, time_to_event
from mtlbio.errors import listing
from mtlbio.intake.amounts import read_amounts
from mtlbio.text import matching

ALONE = (
    "a time to an event, or whether it happened, without the other: a task of kind survival reads a column of each "
    "(docs/survival.md)"
)
# What a value of an event says that is no 1, no yes, and no 1:DECEASED.
_HAPPENED = {
    "dead",
    "deceased",
    "died",
    "death",
    "event",
    "relapse",
    "relapsed",
    "recurred",
    "recurrence",
    "progressed",
}
_HAPPENED |= {"progression", "uncensored"}
_UNITS = {"d": "days", "day": "days", "days": "days", "week": "weeks", "weeks": "weeks", "month": "months"}
_UNITS |= {"mo": "months", "months": "months", "year": "years", "years": "years", "yr": "years", "yrs": "years"}
_LEAST_EVENTS = 3


def add_survival(out: Draft) -> None:
    """A task of kind survival for every time with its event; other times and events are left out, with the reason."""
    found = [c for c in time_to_event(out.table) if c not in out.used]
    for time, event in pairs(out.table[found]):
        out.used |= {time, event}
        if reason := _unfit(out, time, event):
            out.notes.append(f"left out: {time}, {event} (a time to an event: {reason})")
            continue
        values = read_amounts(out.table[time]).values
        happened = event_value(out.table[event])
        unit = next((_UNITS[word] for word in words(time) if word in _UNITS), None)
        name = out.name_of(time, "_".join(_stem(time)) or "survival")
        count = out.donors[out.table[event] == happened].nunique()
        out.folds = min(out.folds, count)
        more = f", event: {scalar(out.real(event))}, positive: {scalar(happened)}" + (f", unit: {unit}" if unit else "")
        about = f"{count} donors with the event; {range_text(values)}"
        note = f"time to an event: column {time!r}, which {happened!r} of column {event!r} ends; others are censored"
        out.add_task(name, time, "survival", more, about, note, key="time")
        out.task_columns.append(event)
        out.names[event], out.kind_of[event] = name, "binary"
    left = [c for c in found if c not in out.used]
    if left:
        out.used |= set(left)
        out.notes.append(f"left out: {', '.join(left)} ({ALONE})")


def pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Columns of times and of the events that end them: those whose names have the rest in common, or the only ones.

    Examples
    --------
    >>> numbers, codes = [f"{i}" for i in range(12)], ["0", "1"] * 6
    >>> pairs(pd.DataFrame({"OS_MONTHS": numbers, "OS_STATUS": codes, "PFS_MONTHS": numbers, "PFS_STATUS": codes}))
    [('OS_MONTHS', 'OS_STATUS'), ('PFS_MONTHS', 'PFS_STATUS')]
    >>> pairs(pd.DataFrame({"days_to_death": numbers, "vital_status": codes}))
    [('days_to_death', 'vital_status')]
    """
    events = [c for c in table.columns if event_value(table[c]) is not None or not _is_time(table[c])]
    times = [c for c in table.columns if c not in events]
    found = []
    for time in times:
        same = [event for event in events if _stem(event) == _stem(time)]
        if not same and len(times) == len(events) == 1:
            same = events
        if same:
            found.append((time, same[0]))
            events.remove(same[0])
    return found


def event_value(column: pd.Series) -> str | None:
    """The value of a column of two that says that the event happened; None where none or both do.

    Examples
    --------
    >>> event_value(pd.Series(["1:DECEASED", "0:LIVING"])), event_value(pd.Series(["alive", "dead"]))
    ('1:DECEASED', 'dead')
    >>> event_value(pd.Series(["red", "blue"])) is None
    True
    """
    levels = sorted(set(map(str, column.dropna())))
    if len(levels) != 2:
        return None
    told = [level for level in levels if matching(1, [level]) or matching(True, [level]) or _says_so(level)]
    return told[0] if len(told) == 1 else None


def _says_so(level: str) -> bool:
    parts = set(re.split(r"[\W_]+", level.lower()))
    return bool(re.fullmatch(r"1:\s*\S.*", level)) or (not parts & {"no", "not", "non"} and bool(parts & _HAPPENED))


def _is_time(column: pd.Series) -> bool:
    values = read_amounts(column)
    return not len(values.wrong) and values.values.nunique() > 2


def _stem(column: str) -> list[str]:
    """What a name says beside that it is a time or an event."""
    return [word for word in words(column) if word not in TIME_WORDS | EVENT_WORDS | {"to"}]


def _unfit(out: Draft, time: str, event: str) -> str | None:
    """Why a pair of columns is no task of kind survival as it is."""
    happened, values = event_value(out.table[event]), read_amounts(out.table[time])
    if happened is None:
        found = listing([f"{value!r} ({n})" for value, n in out.table[event].value_counts().items()], 5)
        return f"of {found} in {event} the one that is the event has to be named as positive"
    if len(values.wrong):
        return f"{time} holds what is no number, such as {values.wrong.iloc[0]!r}"
    if (values.values < 0).any():
        return f"{time} holds {values.values.min():g}; a time is 0 or more"
    timed = out.table[event][values.values.notna()].dropna()
    if timed.nunique() < 2:
        return f"{time} is known for {listing(timed.unique()) or 'nobody'} only; write the time of all into one column"
    if out.donors[timed.index[timed == happened]].nunique() < _LEAST_EVENTS:
        return f"fewer than {_LEAST_EVENTS} donors have the event"
    return None
