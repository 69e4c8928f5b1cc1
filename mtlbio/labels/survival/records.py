"""What was seen of whom: distinct times with an event or without, in a table whose places are the labels.

A label is one number, and a survival time is up to four: how long somebody was followed, whether it ended with the
event, since when they were followed, and in which stratum. The distinct records stand in a table, sorted by time, and
a label is the place of its record. That is all that a column of the cohort, a target of the network and a fold need.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

# (time, event, entry, stratum); entry None: followed from the beginning
Record = tuple[float, int, float | None, int]


def records_of(time: np.ndarray, event: np.ndarray, entry: np.ndarray, stratum: np.ndarray) -> tuple[Record, ...]:
    """The distinct records, sorted by time, then stratum; events before those who were censored at that time.

    ``time, event, entry, stratum`` (n,) without gaps; an entry of -inf is none.

    Examples
    --------
    >>> records_of(np.array([5.0, 2, 5]), np.array([0, 1, 0]), np.full(3, -np.inf), np.zeros(3, int))
    ((2.0, 1, None, 0), (5.0, 0, None, 0))
    """
    rows = {(float(t), int(s), 1 - int(e), float(b)) for t, e, b, s in zip(time, event, entry, stratum, strict=True)}
    return tuple((t, 1 - censored, None if b == -np.inf else b, s) for t, s, censored, b in sorted(rows))


@dataclass(frozen=True)
class Records:
    """The table as arrays of m records, with what a sum over risk sets needs.

    Attributes
    ----------
    time, entry : (m,), entry -inf where there is none
    event : (m,) bool
    stratum : (m,) codes
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray
    stratum: np.ndarray

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Records":
        """From rows as :func:`records_of` gives them."""
        rows = [(t, e, -np.inf if b is None else b, s) for t, e, b, s in records]
        time, event, entry, stratum = np.array(rows, dtype=float).reshape(-1, 4).T
        return cls(time, event > 0, entry, stratum.astype(int))

    def __len__(self) -> int:
        return len(self.time)

    @property
    def n_strata(self) -> int:
        """Number of strata."""
        return int(self.stratum.max(initial=0)) + 1

    @property
    def truncated(self) -> bool:
        """Whether somebody is followed from later than the beginning."""
        return bool(np.isfinite(self.entry).any())

    @cached_property
    def group(self) -> np.ndarray:
        """(m,) number of the group of records of one time and one stratum, 0 .. groups - 1 along the table."""
        new = (np.diff(self.time) != 0) | (np.diff(self.stratum) != 0)
        return np.concatenate([[0], np.cumsum(new)])[: len(self)]

    @cached_property
    def start(self) -> np.ndarray:
        """(m,) place of the first record whose time is not before that of the record."""
        return np.searchsorted(self.time, self.time)

    @cached_property
    def by_entry(self) -> np.ndarray:
        """(m,) places of the records in the order of their entries."""
        return np.argsort(self.entry, kind="stable")

    @cached_property
    def entered(self) -> np.ndarray:
        """(m,) how many records, in the order of :attr:`by_entry`, are followed from before the time of the record."""
        return np.searchsorted(self.entry[self.by_entry], self.time)

    def at(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Time, event (bool), entry (-inf: none) and stratum of labels ``y`` (n,); NaN, False, NaN and -1 of none."""
        known = ~np.isnan(y)
        place = np.where(known, y, 0).astype(int)
        return (
            np.where(known, self.time[place], np.nan),
            known & self.event[place],
            np.where(known, self.entry[place], np.nan),
            np.where(known, self.stratum[place], -1),
        )

    def place(self, time: np.ndarray, event: np.ndarray, entry: np.ndarray, stratum: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`at`: (n,) the nearest record in time of those of the event and the stratum."""
        found = np.empty(len(time))
        for i, (t, e, b, s) in enumerate(zip(time, event, entry, stratum, strict=True)):
            same = np.flatnonzero((self.event == bool(e)) & (self.stratum == s))
            gap = np.abs(self.time[same] - t)
            if np.isfinite(b):
                gap = gap + np.abs(self.entry[same] - b)
            found[i] = same[np.argmin(gap)] if len(same) else np.nan
        return found
