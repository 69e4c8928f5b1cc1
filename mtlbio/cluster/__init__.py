"""What a run on a cluster needs beyond Snakemake: requests that a partition can meet, and word of every job that dies.

Jobs are submitted, watched and repeated by Snakemake's executor plugins. Only Slurm is known here; any other executor
is used as it is.
"""

from __future__ import annotations

from mtlbio.cluster.requests import Requests

__all__ = ["Requests", "attend", "failures"]


def attend(workflow) -> None:
    """Let the jobs of a workflow be submitted by :class:`mtlbio.cluster.executor.Executor`, if by Slurm at all.

    Does nothing inside a job, or where the Slurm plugin is not installed.
    """
    if not workflow.is_main_process:
        return
    from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

    registry = ExecutorPluginRegistry()
    if registry.is_installed("slurm"):
        from mtlbio.cluster.executor import Executor

        registry.get_plugin("slurm").executor = Executor


def failures() -> list[str]:
    """What became of the jobs that failed for good, as the terminal said it."""
    import sys

    executor = sys.modules.get("mtlbio.cluster.executor")
    return list(executor.FAILURES) if executor else []
