"""Submitting a job to Slurm, also while its controller is away, and never twice."""

from __future__ import annotations

import getpass
import re
import threading
import time

import snakemake_executor_plugin_slurm as plugin

from mtlbio.cluster import slurm

SECONDS_WITHOUT_CONTROLLER = 1800  # that a submission waits for it
_NO_CONTROLLER = re.compile(
    r"Unable to contact slurm controller|Socket timed out|Failed to run sinfo|Zero Bytes|temporarily unable to accept|"
    r"Connection (refused|timed out)|Transport endpoint|Communication (connection )?(failure|error)",
    re.IGNORECASE,
)


class Submission(plugin.Executor):
    """The plugin's executor; what it submits arrives once."""

    def __post_init__(self, *args, **kwargs):
        self._silent, self._stopping = False, threading.Event()
        self._failing_since = dict[object, float]()
        self._left: dict[str, slurm.Queued] | None = None
        super().__post_init__(*args, **kwargs)

    def additional_general_args(self):
        # Snakemake is started once in a job, and not again below srun; a task of an array is found by the latter
        return super().additional_general_args() if self.array_jobs else "--executor local"

    def get_account_arg(self, job):
        # told to give none, the plugin guesses one all the same, with a command that waits for ever without accounting
        none = self.workflow.executor_settings.no_account and not job.resources.get("slurm_account")
        return iter([""]) if none else super().get_account_arg(job)

    def run_job_pre(self, job):
        super().run_job_pre(job)
        if self._left is None:
            self._left = slurm.queue(f"--user={getpass.getuser()}") or {}
        # jobs of the same step, of any workflow; ours write their logs here
        logs = self.slurm_logdir / f"rule_{job.name}" / plugin.get_job_wildcards(job)
        self._cancel([number for number in _same(self._left, job) if slurm.logs_to(number, logs)])

    def _report_job_error_threadsafe(self, job_info, msg):
        # called in the thread of a submission, which may wait
        until = self._failing_since.setdefault(job_info.job, time.monotonic()) + SECONDS_WITHOUT_CONTROLLER
        if _NO_CONTROLLER.search(msg) and self._controller_is_back(until):
            # what looked like a failure may have arrived
            self._cancel(_same(slurm.queue(f"--name={self.run_uuid}") or {}, job_info.job))
            self.run_job(job_info.job)
            return
        super()._report_job_error_threadsafe(job_info, msg)

    def _controller_is_back(self, until: float) -> bool:
        """Wait for the controller; False where it stays away, or Snakemake is to end."""
        while time.monotonic() < until and not self._stopping.wait(2):
            if slurm.answers():
                return True
            self._say_whether_it_answers(False)
        return False

    def _say_whether_it_answers(self, does: bool) -> None:
        if does == self._silent:
            self._silent = not does
            here = "answers again" if does else "does not answer; jobs go on, what is to be submitted waits for it"
            self.logger.warning(f"mtlbio: Slurm's controller {here}")

    def _cancel(self, numbers: list[str]) -> None:
        """Cancel jobs that make the same files, and wait until they are gone."""
        if not numbers:
            return
        left = f"Slurm job {', '.join(numbers)}: left by an earlier call, makes the same files"
        self.logger.warning(f"mtlbio: cancels {left}")
        slurm.cancel(*numbers)
        for _ in range(30):
            jobs = slurm.queue("--jobs=" + ",".join(numbers)) or {}
            if all(job.ended for job in jobs.values()) or self._stopping.wait(1):
                return

    def cancel(self):
        self._stopping.set()
        super().cancel()

    def shutdown(self):
        self._stopping.set()
        super().shutdown()


def _same(queued: dict[str, slurm.Queued], job) -> list[str]:
    """Numbers of the jobs that have not ended and carry the comment that the plugin gives to a job."""
    wildcards = plugin.get_job_wildcards(job)
    comment = f"rule_{job.name}" + (f"_wildcards_{wildcards}" if wildcards else "")
    return [number for number, other in queued.items() if other.comment == comment and not other.ended]
