"""Questions to Slurm. An answer is None where there is none in time: some commands wait for ever at some sites."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

# A controller that is being started again answers within seconds, or not at all.
PATIENCE = 15.0


@dataclass(frozen=True)
class Queued:
    """A job as ``squeue`` shows it."""

    state: str  # PENDING, RUNNING, COMPLETED, TIMEOUT ...
    reason: str  # why it is pending
    comment: str  # the executor plugin's: the rule and its wildcards

    @property
    def ended(self) -> bool:
        """Whether it will not run any more."""
        return self.state not in (
            "PENDING",
            "RUNNING",
            "SUSPENDED",
            "CONFIGURING",
            "COMPLETING",
            "REQUEUED",
            "RESIZING",
        )


def answer(*words: str, seconds: float = PATIENCE) -> str | None:
    """What a command of Slurm prints; None where there is no such command, no answer in time, or an error."""
    try:
        # killed, not terminated, at the end of its time: sacct ignores SIGTERM where there is no accounting
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=seconds)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def answers() -> bool:
    """Whether the controller answers."""
    return answer("sinfo", "--noheader", "--format=%P") is not None


def queue(*chosen: str) -> dict[str, Queued] | None:
    """Jobs by their id, those that have ended included; ``chosen`` as ``--name=...`` or ``--jobs=...``."""
    told = answer("squeue", "--noheader", "--states=all", *chosen, "--format=%i|%T|%r|%k")
    if told is None:
        return None
    rows = [line.split("|", 3) for line in told.splitlines()]
    return {row[0].strip(): Queued(row[1], row[2].strip(), row[3].strip()) for row in rows if len(row) == 4}


def job(number: str) -> dict[str, str]:
    """What ``scontrol`` knows of a job, e.g. ``JobState``, ``TimeLimit``, ``NodeList``; empty where it knows none."""
    told = answer("scontrol", "--oneliner", "show", "job", number) or ""
    return dict(word.split("=", 1) for word in told.split() if "=" in word)


def logs_to(number: str, folder: Path) -> bool:
    """Whether a job writes its log into a folder."""
    told = answer("scontrol", "--oneliner", "show", "job", number) or ""
    return f" StdOut={folder}/" in told


def cancelled_by(number: str) -> str | None:
    """Who cancelled a job, from the accounting; None where it does not say."""
    told = answer("sacct", "-X", "--noheader", "--parsable2", "--format=State", "-j", number, seconds=5) or ""
    _, by, who = told.strip().partition("CANCELLED by ")
    return user(who) if by else None


def user(number: str) -> str:
    """Name of a user, from the number."""
    import pwd  # not on Windows, where there is no Slurm either

    try:
        return pwd.getpwuid(int(number)).pw_name
    except (KeyError, ValueError):
        return number


def cancel(*numbers: str) -> None:
    """Cancel jobs."""
    answer("scancel", *numbers)
