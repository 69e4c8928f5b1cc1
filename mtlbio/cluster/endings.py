"""How a job ended, in words: what Slurm knows of it, and what its logs say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# What slurmstepd or srun write into a job's log where the memory limit struck; Slurm itself may say FAILED then.
_MEMORY = re.compile(r"oom.?kill|out.of.memory|exceeded (job |step )?memory limit", re.IGNORECASE)
_OF_SLURM = re.compile(r"^(slurmstepd|srun|sbatch)\b.*error:", re.IGNORECASE)
_LENGTH = 300  # of a line of a log that is shown


@dataclass(frozen=True)
class Ending:
    """Why a job ended, and what to change.

    ``again`` where a repetition may end otherwise; where it would need more of something, ``needs`` names the resource.
    """

    why: str
    change: str = ""
    again: bool = True
    needs: str | None = None


def ending(
    state: str,
    known: Mapping[str, str],
    slurm_log: Path | None,
    step_log: Path | None,
    asked: Mapping[str, object],
    step: str,
    who: Callable[[], str | None] = lambda: None,
) -> Ending:
    """How a job ended.

    Parameters
    ----------
    state : of ``squeue`` or ``sacct``, e.g. ``TIMEOUT``
    known : what ``scontrol`` says of the job
    slurm_log, step_log : log of the job and log of the step
    asked : what the job asked for: ``mem_mb``, ``runtime``
    step : name of the rule
    who : asked for the name of whoever cancelled it
    """
    of_slurm = [line for line in lines(slurm_log) if _OF_SLURM.match(line)]
    own = next((line for line in reversed(lines(step_log)) if line.startswith("mtlbio: error:")), None)
    if state == "OUT_OF_MEMORY" or any(_MEMORY.search(line) for line in of_slurm):
        return Ending(
            f"killed at its memory limit of {asked.get('mem_mb', '?')} MB (OUT_OF_MEMORY)",
            f"more memory: --set-resources {step}:mem_mb=MB, or a partition with larger nodes: "
            f"--set-resources {step}:slurm_partition=NAME",
            needs="mem_mb",
        )
    if state == "TIMEOUT" or any("DUE TO TIME LIMIT" in line for line in of_slurm):
        return Ending(
            f"killed at its time limit of {asked.get('runtime', '?')} min (TIMEOUT)",
            f"more time: --set-resources {step}:runtime=MINUTES, or a partition that allows more: "
            f"--set-resources {step}:slurm_partition=NAME",
            needs="runtime",
        )
    if state.startswith("CANCELLED"):
        by = who()
        return Ending(
            f"cancelled by {by or 'scancel'} (CANCELLED)", "if that was not meant to be, call the same command again"
        )
    if state in ("NODE_FAIL", "BOOT_FAIL"):
        return Ending(
            f"lost with its node {known.get('NodeList', '')}".rstrip() + f" ({state})", "call the same command again"
        )
    if state in ("DEADLINE", "PREEMPTED", "REVOKED"):
        return Ending(f"ended by the scheduler ({state})", "call the same command again")
    if own is not None:
        # what the user has to correct does not get better by repetition; one of several processes may live next time
        return Ending(own.removeprefix("mtlbio: error:").strip(), again=" was killed by SIG" in own)
    code, _, signal = known.get("ExitCode", "").partition(":")
    how = f"killed by signal {signal}" if signal not in ("", "0") else f"exit status {code or 'unknown'}"
    return Ending(f"{how} ({state or 'FAILED'})")


def lines(log: Path | None) -> list[str]:
    """Lines of a log without control characters; none where it is missing."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace") if log is not None else ""
    except OSError:
        return []
    shown = ("".join(c if c.isprintable() else " " for c in line).rstrip() for line in text.splitlines())
    return [line for line in shown if line]


def tail(log: Path | None, count: int = 5) -> list[str]:
    """The last lines of a log, cut to a length that fits a terminal."""
    return [line if len(line) <= _LENGTH else line[:_LENGTH] + " ..." for line in lines(log)[-count:]]
