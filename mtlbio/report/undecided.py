"""What keeps dimensions without a verdict open, and how many donors would settle them: ``needed_for`` in numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.text import known

MULTIPLES = (2, 4, 10)  # times the donors of now, for which it is counted what would be settled

# What `mtlbio.probing.sample_size` says that donors are needed for, and why the dimension is open, in words.
_REASONS = (
    ("link", "establish its ", "perhaps linked to {task}, not established"),
    ("again", "find the dimension again ", "not found again {again}"),
    ("removal", "tell whether ", "whether predictions of {task} need it is open"),
    ("large", "exclude an ", "a large effect on {task} is not excluded"),
)
_OTHER = "undecided for another reason, which its own sentence says"
_NOW = re.compile(r"\(\w+ with (?P<task>.+) known; (?P<now>\d+) now\)")
ORDER = (*(kind for kind, _, _ in _REASONS), "other")


@dataclass(frozen=True)
class Open:
    """What keeps one dimension open.

    Attributes
    ----------
    dim, kind : of :data:`ORDER`; ``task`` is the one that it is about, "" where it is about none
    needed : donors that would settle it; NaN where no number can be stated, infinite where it is no plan
    now : donors that there are for it
    told : whether the table says anything of it
    """

    dim: str
    kind: str
    task: str
    needed: float
    now: float
    told: bool = True

    @property
    def times(self) -> float:
        """Times the donors of now; NaN where no number can be stated."""
        return self.needed / self.now if self.now > 0 else np.nan


def open_dimensions(verdicts: pd.DataFrame, donors: int) -> list[Open]:
    """Every ``underpowered`` dimension, in the order of the table; ``donors`` of the run."""
    rows = verdicts[verdicts["verdict"] == "underpowered"]
    return [_open(str(dim), row, donors) for dim, row in rows.iterrows()]


def _open(dim: str, row: pd.Series, donors: int) -> Open:
    text = str(row["needed_for"]) if known(row.get("needed_for")) else ""
    needed = float(row["donors_needed"]) if known(row.get("donors_needed")) else np.nan
    # a number that is no plan is the words' alone
    needed = np.inf if text.startswith("more than ") else needed
    found, about = _NOW.search(text), str(row["about"]) if known(row.get("about")) else ""
    task, now = (found["task"], float(found["now"])) if found else (about, float(donors))
    for kind, start, _ in _REASONS:
        if f"to {start}" in text and (kind == "again" or task):
            return Open(dim, kind, "" if kind == "again" else task, needed, now)
    return Open(dim, "other", "", needed, now, bool(text))


def in_words(kind: str, task: str, words: Vocabulary = DONORS) -> str:
    """Why a dimension is open.

    Examples
    --------
    >>> in_words("large", "response"), in_words("again", "")
    ('a large effect on response is not excluded', 'not found again when donors were held out')
    """
    form = {kind: text for kind, _, text in _REASONS}.get(kind, _OTHER)
    return form.replace("{again}", words.found_again).replace("{task}", task)


def settled(dimensions: Iterable[Open], times: float) -> int:
    """How many would be settled, each with 80 % probability, with ``times`` the donors of now."""
    return sum(one.times <= times for one in dimensions)
