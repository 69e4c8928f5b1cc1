"""What a job may ask of a partition: threads, memory and time that one of its nodes can give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mtlbio.cluster.slurm import answer

# In these states a node takes no job for a long time.
_OUT = re.compile(r"down|drain|fail|inval|unk|future|no_respond|power", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """The most that a job gets; None where there is no limit, or none is known.

    ``nodes`` are the (threads, MB) of each kind of node: a job has to fit one of them.
    """

    threads: int | None = None
    megabytes: int | None = None
    minutes: int | None = None
    nodes: tuple[tuple[int, int], ...] = ()

    def capped_threads(self, threads: int) -> int:
        """Threads that a node has."""
        most = [n for n in (self.threads, max((cores for cores, _ in self.nodes), default=None)) if n]
        return min([threads, *most])

    def capped_megabytes(self, megabytes: int, threads: int = 1) -> int:
        """Memory of a node that has this many threads."""
        fitting = [memory for cores, memory in self.nodes if cores >= threads]
        most = [n for n in (self.megabytes, max(fitting, default=None)) if n]
        return min([megabytes, *most])

    def capped_minutes(self, minutes: int) -> int:
        """Time that the partition allows."""
        return min(minutes, self.minutes) if self.minutes else minutes

    def __str__(self) -> str:
        threads, megabytes = self.capped_threads(10**9), self.capped_megabytes(10**12)
        said = [f"{threads} threads"] if threads < 10**9 else []
        said += [f"{megabytes} MB"] if megabytes < 10**12 else []
        said += [f"{self.minutes} min"] if self.minutes else []
        return ", ".join(said) or "no limit"


@cache
def limits_of(partition: str | None) -> Limits | None:
    """Limits of a partition, of the default one for None; None where Slurm does not tell."""
    # R: partition, l: time, c: threads, m: memory, T: state, B: threads of a node that jobs of this partition may use
    named = [f"--partition={partition}"] if partition else []
    told = answer("sinfo", "--noheader", "--Node", *named, "--format=%P|%l|%c|%m|%T|%B")
    rows = [line.split("|") for line in (told or "").splitlines()]
    rows = [[word.strip() for word in row] for row in rows if len(row) == 6]
    if not partition:
        rows = [row for row in rows if row[0].endswith("*")]
    if not rows:
        return None
    up = [row for row in rows if not _OUT.search(row[4])] or rows
    nodes = tuple(sorted({(_whole(row[2]) or 1, _whole(row[3]) or 10**12) for row in up}))
    details = answer("scontrol", "--oneliner", "show", "partition", rows[0][0].rstrip("*")) or ""
    memory = re.search(r"\bMaxMemPerNode=(\d+)", details)
    return Limits(_whole(rows[0][5]), int(memory[1]) if memory else None, minutes_of(rows[0][1]), nodes)


def minutes_of(time: str) -> int | None:
    """Minutes of Slurm's ``days-hours:minutes:seconds``, of which the days and the hours may be missing.

    None where there is no limit.

    Examples
    --------
    >>> minutes_of("2-01:30:00"), minutes_of("1:00:00"), minutes_of("10:00"), minutes_of("infinite")
    (2970, 60, 10, None)
    """
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", time.strip())
    if not found:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in found.groups())
    return (days * 24 + hours) * 60 + minutes


def _whole(text: str) -> int | None:
    """The number at the beginning of ``64+``; None for UNLIMITED."""
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None
