"""What the rules ask for: more in every attempt, and on Slurm never more than the partition gives."""

from __future__ import annotations

import os
from collections.abc import Callable

from mtlbio.cluster.limits import Limits, limits_of


class Requests:
    """Functions for the ``threads`` and ``resources`` of every rule of a workflow.

    A job that asks for more than its partition gives waits for ever, a retry that asks for twice the time as much as
    any. ``workflow`` is Snakemake's. Slurm is asked when jobs are to be submitted to it, and never on one machine.
    """

    def __init__(self, workflow):
        self._workflow = workflow
        self._unknown = set[str | None]()

    def threads(self, most: int | Callable) -> Callable:
        """Threads of a job, where there are as many; ``most`` may be a function of the wildcards."""

        def threads(wildcards, input, attempt, rulename) -> int:
            wanted = most(wildcards) if callable(most) else most
            # inside a job this is what Slurm gave it
            given = int(os.environ.get("SLURM_CPUS_PER_TASK") or wanted)
            limits = self._limits(rulename, wildcards, input, attempt, wanted)
            return limits.capped_threads(min(wanted, max(1, given)))

        return threads

    def memory(self, megabytes: int, per_input: float = 0.0, further: Callable = lambda wildcards: 0) -> Callable:
        """Memory of a job: ``megabytes``, ``per_input`` for every megabyte of input, and what ``further`` gives for the
        wildcards, times the attempt."""

        def mem_mb(wildcards, input, attempt, threads, rulename) -> int:
            wanted = attempt * int(megabytes + further(wildcards) + per_input * input.size_mb)
            return self._limits(rulename, wildcards, input, attempt, threads).capped_megabytes(wanted, threads)

        return mem_mb

    def minutes(self, first: int | Callable) -> Callable:
        """Time limit of a job, times the attempt; ``first`` may be a function of the wildcards."""

        def runtime(wildcards, input, attempt, threads, rulename) -> int:
            wanted = attempt * (first(wildcards) if callable(first) else first)
            return self._limits(rulename, wildcards, input, attempt, threads).capped_minutes(wanted)

        return runtime

    def _limits(self, rulename: str, wildcards, input, attempt: int, threads: int) -> Limits:
        """Limits of the partition that a job is sent to; none where that is not known, or is not Slurm's."""
        plugin = self._workflow.executor_plugin
        # the plugin chooses among partitions by itself where it was given a file of them
        chosen_later = os.environ.get("SNAKEMAKE_SLURM_PARTITIONS") or getattr(
            self._workflow.executor_settings, "partition_config", None
        )
        if plugin is None or plugin.cli_prefix != "slurm" or chosen_later:
            return Limits()
        context = {"input": input, "attempt": attempt, "threads": threads, "rulename": rulename}
        partition, *clusters = (
            self._resource(key, wildcards, context)
            for key in ("slurm_partition", "cluster", "clusters", "slurm_cluster")
        )
        if any(clusters):
            return Limits()
        limits = limits_of(partition)
        if limits is None and partition not in self._unknown:
            from snakemake.logging import logger

            self._unknown.add(partition)
            which = f"partition {partition}" if partition else "the default partition"
            logger.warning(f"mtlbio: Slurm does not tell the limits of {which}; jobs ask for what they would like")
        return limits or Limits()

    def _resource(self, key: str, wildcards, context: dict) -> str | None:
        """A resource that a profile or the command line gives to a job; None where it is not given."""
        given = self._workflow.get_rule(context["rulename"]).resources
        if key not in given:
            return None
        value = given[key].evaluate(wildcards, **context, async_run=self._workflow.async_run).value
        return str(value) if value else None
