"""Pairs of a time and an event become a task; what is half of one is left out with its reason."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.drafts.draft_survival import add_survival, event_value, pairs
from mtlbio.cohort.drafts.drafting import Draft


def draft_of(**columns) -> Draft:
    table = pd.DataFrame(columns, dtype=object)
    out = Draft("m.csv", table.assign(donor=[f"d{i}" for i in range(len(table))]), "donor")
    add_survival(out)
    return out


NUMBERS = [f"{t:g}" for t in np.arange(1, 41) / 2]


@pytest.mark.parametrize(
    ("name", "time", "event", "values", "positive", "unit"),
    [
        ("os", "OS_MONTHS", "OS_STATUS", ("0:LIVING", "1:DECEASED"), '"1:DECEASED"', "months"),
        ("survival", "time", "status", ("0", "1"), '"1"', None),
        ("os", "os.time", "os.event", ("FALSE", "TRUE"), '"TRUE"', None),
        ("survival", "days_to_death", "vital_status", ("Alive", "Dead"), "Dead", "days"),
    ],
)
def test_a_pair_is_a_task(name, time, event, values, positive, unit):
    out = draft_of(**{time: NUMBERS, event: [values[i % 4 == 0] for i in range(40)]})
    keys = f"kind: survival, time: {time}, event: {event}, positive: {positive}" + (f", unit: {unit}" if unit else "")
    assert [line.partition("   #")[0] for line in out.tasks] == [f"{name}: {{{keys}}}"]
    assert {time, event} <= out.used and "10 donors with the event" in out.tasks[0] and out.folds == 5
    assert set(out.task_columns) == {time, event}


def test_several_times_have_their_own_events():
    codes = ["0", "1"] * 20
    table = pd.DataFrame({"os_time": NUMBERS, "pfs_time": NUMBERS, "pfs_event": codes, "os_event": codes})
    assert pairs(table) == [("os_time", "os_event"), ("pfs_time", "pfs_event")]
    assert [event_value(pd.Series(v)) for v in (["no event", "event"], ["0", "1", "2"], ["yes", "no"])] == [
        "event",
        None,
        "yes",
    ]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"os_time": NUMBERS}, "without the other"),
        ({"os_time": NUMBERS, "os_event": ["a", "b"] * 20}, "the one that is the event has to be named as positive"),
        ({"os_time": ["-3", *NUMBERS[1:]], "os_event": ["0", "1"] * 20}, "os_time holds -3; a time is 0 or more"),
        ({"os_time": NUMBERS, "os_event": ["1", "1", *["0"] * 38]}, "fewer than 3 donors have the event"),
        (
            {
                "days_to_death": [t if i % 2 else np.nan for i, t in enumerate(NUMBERS)],
                "vital_status": ["Alive", "Dead"] * 20,
            },
            "days_to_death is known for Dead only; write the time of all into one column",
        ),
    ],
)
def test_half_a_pair_is_left_out_with_its_reason(columns, reason):
    out = draft_of(**columns)
    assert not out.tasks and reason in out.notes[-1] and out.notes[-1].startswith("left out: ")
    assert set(columns) <= out.used
