"""What the terminal says about a job: which run, which step, which job of Slurm, why, what to change, and its log."""

from __future__ import annotations

from pathlib import Path

from mtlbio.cluster.endings import Ending, tail


def told(title: str, ending: Ending, repeated: str | None, log: Path | None) -> str:
    """One line, and below it the last lines of the job's log.

    ``repeated`` says with what the job is tried again; None where it is not.
    """
    parts = [f"{title}: {ending.why}"]
    if repeated is not None:
        parts.append(f"tried again with {repeated}")
    elif ending.change:
        parts.append(f"to change: {ending.change}")
    shown = tail(log)
    if log is not None:
        parts.append(f"log: {log}" + ("" if shown else " (empty)" if log.exists() else " (not there)"))
    error = "mtlbio: error: " if repeated is None else "mtlbio: "
    return "\n".join([error + "; ".join(parts), *(f"    | {line}" for line in shown)])
