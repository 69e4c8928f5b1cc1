"""Which of a workflow's submitted jobs wait in vain, found from one look at the queue after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mtlbio.cluster.reasons import Stuck, stuck
from mtlbio.cluster.slurm import Queued

SECONDS_UNTIL_GONE = 60  # of a job that the queue does not list, or lists as ended, and nobody reports


@dataclass
class Look:
    """What a look at the queue has shown."""

    hopeless: dict[str, Stuck] = field(default_factory=dict)  # jobs that can never start, or have waited too long
    waits: dict[str, Stuck] = field(default_factory=dict)  # jobs that cannot start now, each reason once
    gone: list[str] = field(default_factory=list)  # jobs that ended without a word


class Waiting:
    """Memory of the looks: a reason counts when it is seen twice, and it is told once."""

    def __init__(self):
        self._since = dict[str, tuple[str, float]]()
        self._gone_since = dict[str, float]()
        self._told = set[tuple[str, str]]()

    def look(self, queued: Mapping[str, Queued], numbers: Iterable[str], now: float) -> Look:
        """Compare the submitted jobs with the queue.

        ``queued`` are all jobs that the queue lists, ``numbers`` the submitted ones, ``now`` is in seconds.
        """
        seen = Look()
        for number in numbers:
            found = queued.get(number)
            if found is None or found.ended:
                # a job of an array is listed under another number
                if number.isdigit() and now - self._gone_since.setdefault(number, now) >= SECONDS_UNTIL_GONE:
                    seen.gone.append(number)
                continue
            self._gone_since.pop(number, None)
            why = stuck(found.reason) if found.state == "PENDING" else None
            reason, since = self._since.get(number, ("", now))
            if why is None:
                self._since.pop(number, None)
            elif reason != found.reason:
                # what is said once may pass in the next moment
                self._since[number] = (found.reason, now)
            elif why.minutes is not None and now - since >= 60 * why.minutes:
                seen.hopeless[number] = why
            elif (number, reason) not in self._told:
                self._told.add((number, reason))
                seen.waits[number] = why
        return seen
