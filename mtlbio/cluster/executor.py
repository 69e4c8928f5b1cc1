"""Snakemake's executor for Slurm, made to say what happened to a job and never to wait in silence.

The plugin submits, asks for states and cancels. What is added to it, here and in :mod:`mtlbio.cluster.submission`:

- a job that dies or can never start is told in one line, with the last lines of its log;
- a job that can never start, or that would ask for the same again, is not repeated;
- while the controller does not answer, submissions wait, and submitted jobs are kept (the plugin forgets them);
- states are asked for as often as ``seconds-between-status-checks`` says (the plugin waits longer and longer);
- jobs that an earlier call left in the queue when it was killed are cancelled before they are submitted again;
- a job starts Snakemake once, in its batch script (the plugin starts it again below srun, some seconds later).
"""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from mtlbio.cluster import slurm
from mtlbio.cluster.endings import Ending, ending
from mtlbio.cluster.jobs import asked, in_words, log_of, title_of, too_much
from mtlbio.cluster.reasons import advice
from mtlbio.cluster.submission import Submission
from mtlbio.cluster.told import told
from mtlbio.cluster.waiting import Waiting

SECONDS_BETWEEN_LOOKS = 10  # at the reasons of pending jobs

# What became of the jobs that failed for good; the Snakefile repeats it at the end.
FAILURES: list[str] = []


class Executor(Submission):
    """The plugin's executor, with what this module's first lines say."""

    def __post_init__(self, *args, **kwargs):
        self._ended = set[str | None]()
        self._asked = dict[object, tuple[dict[str, int], dict[str, int]]]()
        self._waiting, self._looked = Waiting(), 0.0
        super().__post_init__(*args, **kwargs)

    def run_job_pre(self, job):
        super().run_job_pre(job)
        # not later: the sizes of the inputs cannot be asked for inside the loop that asks for states
        self._asked[job] = (asked(job), asked(job, further=1))

    async def sleep(self):
        longest = self.workflow.remote_execution_settings.seconds_between_status_checks
        await asyncio.sleep(min(self.next_seconds_between_status_checks, longest))

    async def check_active_jobs(self, active_jobs):
        if active_jobs:
            await asyncio.to_thread(self._look, active_jobs)
        left = [job_info for job_info in active_jobs if job_info.external_jobid not in self._ended]
        yielded = set()
        async for job_info in super().check_active_jobs(left):
            yielded.add(job_info.external_jobid)
            yield job_info
        for job_info in left:
            # where no question was answered the plugin yields nothing, and would never ask for these jobs again
            if job_info.external_jobid not in yielded | self._ended:
                yield job_info

    def _look(self, active_jobs) -> None:
        """End the jobs that can never start, and those that ended without a word."""
        now = time.monotonic()
        if now - self._looked < SECONDS_BETWEEN_LOOKS or self._submitted_job_clusters:
            return
        self._looked, queued = now, slurm.queue(f"--name={self.run_uuid}")
        self._say_whether_it_answers(queued is not None)
        if queued is None:
            return
        jobs = {str(job_info.external_jobid): job_info for job_info in active_jobs}
        seen = self._waiting.look(queued, jobs, now)
        for number, found in seen.waits.items():
            job, reason = jobs[number].job, queued[number].reason
            limit = f"given up after {found.minutes} min" if found.minutes else "left waiting"
            why = f"pending: {found.why} ({reason}); {limit}; to change: {advice(found, job.name, number)}"
            self.logger.warning(f"mtlbio: {title_of(job, number)}: {why}")
        for number, found in seen.hopeless.items():
            slurm.cancel(number)
            job, reason = jobs[number].job, queued[number].reason
            why = f"can never start: {found.why} ({reason}); {too_much(job, self._asked[job][0])}"
            self._end(jobs[number], Ending(why, advice(found, job.name, number), again=False))
        for number in seen.gone:
            if number not in queued:
                self._end(jobs[number], Ending("Slurm does not know it any more"))
            elif queued[number].state == "COMPLETED":
                self.report_job_success(jobs[number])
            else:
                self.report_job_error(jobs[number])

    def report_job_success(self, job_info):
        self._ended.add(job_info.external_jobid)
        super().report_job_success(job_info)

    def report_job_error(self, job_info, msg=None, **kwargs):
        job, number, msg = job_info.job, job_info.external_jobid, msg or ""
        if number is None:
            self._end(job_info, self._refusal(job, msg))
            return
        known = slurm.job(number)
        # where the job has left the controller's memory, the plugin had its state from the accounting
        state = known.get("JobState") or next(iter(re.findall(r"status is: '(\w+)", msg)), "FAILED")
        log = (job_info.aux or {}).get("slurm_logfile")
        logs = (Path(log) if log else None), log_of(job)
        accounted = self.get_status_command() == "sacct"
        who = (lambda: slurm.cancelled_by(number)) if accounted else (lambda: None)
        self._end(job_info, ending(state, known, *logs, self._asked[job][0], job.name, who), **kwargs)

    def _refusal(self, job, msg: str) -> Ending:
        """Why a job could not be submitted, from the plugin's message."""
        said = re.search(r"error message was '(.*?)'\.?$", msg, re.DOTALL | re.MULTILINE)
        lines = (said[1] if said else msg).splitlines()
        why = "; ".join(" ".join(line.replace("sbatch: error:", "").split()) for line in lines)
        change = f"--set-threads {job.name}=N, --set-resources {job.name}:mem_mb=MB, {job.name}:runtime=MINUTES or "
        change += f"{job.name}:slurm_partition=NAME"
        return Ending(f"refused: {why}; {too_much(job, self._asked[job][0])}", change, again=False)

    def _end(self, job_info, how: Ending, **kwargs) -> None:
        """Report a job as failed, tell it, and let Snakemake repeat it where that can help."""
        job, number = job_info.job, job_info.external_jobid
        self._ended.add(number)
        now, then = self._asked[job]
        more = how.needs is None or then.get(how.needs, 0) > now.get(how.needs, 0)
        repeated = job.restart_times > job.attempt - 1
        if repeated and not (how.again and more):
            # not by the property, which forgets the resources: they cannot be worked out again inside the loop
            job._attempt = job.restart_times + 1
            repeated = False
        line = told(title_of(job, number), how, in_words(then) if repeated else None, log_of(job))
        if not repeated:
            FAILURES.append(line)
        super().report_job_error(job_info, msg=f"{how.why}. ", **kwargs)
        self.logger.error(line)
