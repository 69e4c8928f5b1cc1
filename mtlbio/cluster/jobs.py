"""What is to be said of one of Snakemake's jobs: its name, its log, what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mtlbio.cluster.limits import limits_of

_ASKED = {"threads": "_cores", "mem_mb": "mem_mb", "runtime": "runtime"}


def title(rule: str, wildcards: Mapping[str, str], number: str | None) -> str:
    """Name of a job.

    Examples
    --------
    >>> title("train", {"run": "sle", "fold": "2"}, "17")
    'run sle, step train, fold 2 (Slurm job 17)'
    """
    run = [f"run {wildcards['run']}"] if "run" in wildcards else []
    others = [f"{name} {value}" for name, value in wildcards.items() if name != "run"]
    return ", ".join([*run, f"step {rule}", *others]) + (f" (Slurm job {number})" if number else " (not submitted)")


def title_of(job, number: str | None) -> str:
    """Name of one of Snakemake's jobs; a group has no wildcards."""
    return title(job.name, getattr(job, "wildcards_dict", {}), number)


def log_of(job) -> Path | None:
    """The step's own log."""
    return Path(job.log[0]).absolute() if job.log else None


def asked(job, further: int = 0) -> dict[str, int]:
    """Threads, ``mem_mb`` and ``runtime`` that a job asks for, or would ask for in a further attempt."""
    if job.is_group():
        return {}
    resources = job.resources
    if further:
        resources = job.rule.expand_resources(job.wildcards_dict, job.input, job.attempt + further)
    values = {name: resources.get(key) for name, key in _ASKED.items()}
    return {name: value for name, value in values.items() if isinstance(value, int)}


def in_words(asked: Mapping[str, int]) -> str:
    """What a job asks for.

    Examples
    --------
    >>> in_words({"threads": 1, "mem_mb": 4000, "runtime": 60})
    '1 thread, 4000 MB, 60 min'
    """
    units = {"threads": "thread" if asked.get("threads") == 1 else "threads", "mem_mb": "MB", "runtime": "min"}
    return ", ".join(f"{value} {units[name]}" for name, value in asked.items()) or "what the cluster gives"


def too_much(job, asked: Mapping[str, int]) -> str:
    """What a job asks for, and what the partition gives to one job."""
    partition = job.resources.get("slurm_partition")
    limits = limits_of(str(partition) if partition else None)
    which = f"partition {partition}" if partition else "the default partition"
    return f"it asks for {in_words(asked)}" + (f", {which} gives {limits}" if limits else "")
