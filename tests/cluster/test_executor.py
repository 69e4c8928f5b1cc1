"""The executor without a Slurm: what it keeps, repeats and tells."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

plugin = pytest.importorskip("snakemake_executor_plugin_slurm")

from mtlbio.cluster import attend, executor, failures, slurm  # noqa: E402
from mtlbio.cluster.endings import Ending  # noqa: E402
from mtlbio.cluster.executor import Executor  # noqa: E402
from mtlbio.cluster.waiting import Waiting  # noqa: E402

ASKED = {"threads": 2, "mem_mb": 1000, "runtime": 30}


class Job(SimpleNamespace):
    """One of Snakemake's jobs, at its first attempt of three."""

    __hash__ = object.__hash__

    def __init__(self, tmp_path):
        super().__init__(name="train", wildcards=["a"], wildcards_dict={"run": "a"}, _attempt=1, restart_times=2)
        self.log, self.resources = [str(tmp_path / "train.log")], {}

    @property
    def attempt(self) -> int:
        return self._attempt


@pytest.fixture
def submitted(tmp_path, monkeypatch):
    """An executor with one job, number 7, that asks for twice as much in its next attempt."""
    monkeypatch.setattr(executor, "FAILURES", [])
    made, job = Executor.__new__(Executor), Job(tmp_path)
    made._ended, made._waiting, made._looked = set(), Waiting(), float("inf")
    made._asked = {job: (ASKED, {name: 2 * value for name, value in ASKED.items()})}
    made._silent, made._stopping, made._failing_since = False, threading.Event(), {}
    made._submitted_job_clusters, made.run_uuid = set(), "u"
    made.said, made.errors = [], []
    made.logger = SimpleNamespace(warning=made.said.append, error=made.said.append)
    made.workflow = SimpleNamespace(
        scheduler=SimpleNamespace(error_callback=made.errors.append, finish_callback=lambda job: None),
        executor_settings=SimpleNamespace(status_command="squeue", no_account=True),
        remote_execution_settings=SimpleNamespace(seconds_between_status_checks=5),
    )
    monkeypatch.setattr(Executor, "print_job_error", lambda *_, **__: None)
    made.info = SimpleNamespace(job=job, external_jobid="7", aux={})
    return made


def looked(made) -> list[str]:
    """Numbers of the jobs that are asked for again."""

    async def left():
        return [info.external_jobid async for info in made.check_active_jobs([made.info])]

    return asyncio.run(left())


def test_jobs_are_kept_where_no_question_was_answered(submitted, monkeypatch):
    async def nothing(self, jobs):
        for job in ():
            yield job

    monkeypatch.setattr(plugin.Executor, "check_active_jobs", nothing)
    assert looked(submitted) == ["7"]
    submitted.report_job_success(submitted.info)
    assert looked(submitted) == []


def test_states_are_asked_for_as_often_as_the_profile_says(submitted, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(executor.asyncio, "sleep", sleep)
    for longer in (1, 15, 180):
        submitted.next_seconds_between_status_checks = longer
        asyncio.run(submitted.sleep())
    assert slept == [1, 5, 5]


def test_a_repetition_is_told_with_what_it_asks_for(submitted, tmp_path):
    submitted._end(submitted.info, Ending("killed", "more memory", needs="mem_mb"))
    line = "mtlbio: run a, step train (Slurm job 7): killed; tried again with 4 threads, 2000 MB, 60 min; "
    assert submitted.said == [f"{line}log: {tmp_path}/train.log (not there)"]
    assert (submitted.errors, submitted.info.job.attempt, failures()) == ([submitted.info.job], 1, [])


@pytest.mark.parametrize("how", [Ending("wrong", again=False), Ending("killed", needs="mem_mb")])
def test_what_would_end_the_same_way_is_not_repeated(submitted, how):
    submitted._asked[submitted.info.job] = (ASKED, ASKED)
    submitted._end(submitted.info, how)
    assert submitted.info.job.attempt == 3
    assert submitted.said == failures() and failures()[0].startswith("mtlbio: error: run a, step train (Slurm job 7): ")


def test_the_last_attempt_is_a_failure(submitted):
    submitted.info.job._attempt = 3
    submitted._end(submitted.info, Ending("cancelled by scancel (CANCELLED)"))
    assert len(failures()) == 1


def test_a_refusal_is_one_line(submitted, monkeypatch):
    monkeypatch.setattr("mtlbio.cluster.jobs.limits_of", lambda partition: None)
    said = "sbatch: error: Memory specification can not be satisfied\n"
    said += "sbatch: error: Batch job submission failed: No such node"
    submitted.info.external_jobid = None
    submitted.report_job_error(
        submitted.info, f"SLURM sbatch failed. The error message was '{said}'.\n    sbatch call:\n"
    )
    line = "mtlbio: error: run a, step train (not submitted): refused: Memory specification can not be satisfied; "
    line += "Batch job submission failed: No such node; it asks for 2 threads, 1000 MB, 30 min; to change: "
    line += (
        "--set-threads train=N, --set-resources train:mem_mb=MB, train:runtime=MINUTES or train:slurm_partition=NAME; "
    )
    assert failures()[0].startswith(f"{line}log: ")
    assert submitted.info.job.attempt == 3


def test_a_submission_waits_for_the_controller(submitted, monkeypatch):
    answers, runs = iter([False, False, True]), []
    monkeypatch.setattr(slurm, "answers", lambda: next(answers))
    monkeypatch.setattr(slurm, "queue", lambda *_: {})
    monkeypatch.setattr(submitted._stopping, "wait", lambda seconds: False)
    monkeypatch.setattr(Executor, "run_job", lambda self, job: runs.append(job))
    error = "The error message was 'Unable to contact slurm controller (connect failure)'."
    submitted._report_job_error_threadsafe(submitted.info, error)
    assert runs == [submitted.info.job] and submitted.errors == []
    assert submitted.said == [
        "mtlbio: Slurm's controller does not answer; jobs go on, what is to be submitted waits for it"
    ]


def test_only_the_process_that_submits_uses_it():
    from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

    found = ExecutorPluginRegistry().get_plugin("slurm")
    before = found.executor
    try:
        attend(SimpleNamespace(is_main_process=False))
        assert found.executor is before
        attend(SimpleNamespace(is_main_process=True))
        assert found.executor is Executor
    finally:
        found.executor = before
