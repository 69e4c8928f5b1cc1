"""What the logs of a run complain of. They are read here alone: the terminal and the summary say the same."""

import re
from dataclasses import dataclass
from pathlib import Path

ERROR = "mtlbio: error: "


@dataclass(frozen=True)
class Complaint:
    """What went wrong in a step (or a part of one, ``train_fold0``), in one line, and the log that says so."""

    step: str
    text: str
    log: Path


def complaints(folder: Path, since: float = 0.0) -> list[Complaint]:
    """Complaints in the logs of a run, the oldest first.

    Parameters
    ----------
    folder : results of the run
    since : seconds since the epoch at which the workflow began; what older logs complain of is over
    """
    texts = [(log, complaint(log.read_text(encoding="utf-8", errors="replace"))) for log in logs_of(folder, since)]
    return [Complaint(step_of(log, folder), text, log) for log, text in texts if text is not None]


def logs_of(folder: Path, since: float = 0.0) -> list[Path]:
    """Logs of a run that were written ``since`` then, the oldest first."""
    stamps = {log: log.stat().st_mtime for log in (folder / "logs").rglob("*.log")}
    return sorted((log for log in stamps if stamps[log] >= since), key=lambda log: (stamps[log], log))


def step_of(log: Path, folder: Path) -> str:
    """The step, or the part of one, that wrote a log."""
    return log.relative_to(folder / "logs").with_suffix("").as_posix()


def complaint(log: str) -> str | None:
    """What a step's log says went wrong, in one line; None where it says nothing of that kind.

    Examples
    --------
    >>> complaint("Reading\\nmtlbio: error: e.csv: no such gene\\n")
    'e.csv: no such gene'
    >>> complaint("Traceback (most recent call last):\\n  File ...\\nMemoryError\\n")
    'MemoryError'
    >>> complaint("Training\\n")
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith(ERROR):
            return line.removeprefix(ERROR)
    if "Traceback (most recent call last):" in lines:
        return next((line for line in reversed(lines) if re.match(r"[\w.]+(: |$)", line)), lines[-1])
    return None
