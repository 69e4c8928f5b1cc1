"""What Snakemake tells of its jobs becomes a line when a step starts and one when it ends."""

import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from mtlbio.launch.terminal import StepLines, because
from mtlbio.modules import PACKAGE


def record(event=None, message="", level=logging.INFO, **extra) -> logging.LogRecord:
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    vars(made).update(extra | ({} if event is None else {"event": event}))
    return made


@pytest.fixture
def lines(monkeypatch):
    monkeypatch.setattr(StepLines, "interrupted", False)
    monkeypatch.setattr(StepLines, "begun", {})
    times = iter([10.0, 14.4, 20.0, 21.0])
    return StepLines(None, clock=lambda: next(times))


def job(number: int, step: str, run: str = "small", **wildcards) -> dict:
    names = {"run": run} | wildcards
    return {"jobid": number, "rule_name": step, "wildcards": names, "reason": "", "log": [f"r/{run}/logs/{step}.log"]}


def test_a_step_is_a_line_when_it_starts_and_one_when_it_ends(lines):
    said = [
        lines.format(record(LogEvent.RUN_INFO, stats={"prepare": 1, "train_part": 1, "all": 1, "total": 3})),
        lines.format(record(LogEvent.JOB_INFO, **job(2, "prepare"))),
        lines.format(record(LogEvent.SHELLCMD, "Shell command: mtlbio prepare")),
        lines.format(record(LogEvent.JOB_FINISHED, "Finished jobid: 2", job_id=2)),
        lines.format(record(LogEvent.PROGRESS, done=1, total=3)),
        lines.format(record(LogEvent.JOB_INFO, **job(3, "train_part", part="fold0"))),
    ]
    assert said == [
        "2 steps to take: prepare, train_part",
        "small: prepare: starts; log: r/small/logs/prepare.log",
        "",
        "small: prepare: done after 4 s (1 of 2)",
        "",
        "small: train fold0: starts; log: r/small/logs/train_part.log",
    ]
    assert StepLines.begun == {"small": "train fold0"}
    assert lines.format(record(LogEvent.JOB_INFO, **job(1, "all") | {"wildcards": {}})) == ""
    assert lines.format(record(LogEvent.JOB_FINISHED, job_id=1)) == ""


def test_what_a_person_can_act_on_stands_beside_the_step():
    modules = ", ".join(f"/here/{PACKAGE.name}/probing/{name}.py" for name in "abc")
    assert because(f"Updated input files: cohort/e.csv, {modules}") == "changed: cohort/e.csv, 3 modules of mtlbio"
    assert because("Params have changed since last execution: before: {'a': 1}; now: {}") == "changed: options"
    assert because("Missing output files: a; Input files updated by another job: b.tsv") == ""
    assert because("Forced execution") == "made again"


@pytest.mark.parametrize("words", ["Select jobs to execute...", "Execute 1 jobs...", "Building DAG of jobs..."])
def test_how_snakemake_goes_about_it_is_left_out_and_the_rest_is_not(lines, words):
    assert lines.format(record(None, words)) == ""
    assert lines.format(record(None, "Trying to restart job 3.")) == "Trying to restart job 3."
    assert lines.format(record(LogEvent.JOB_ERROR, level=logging.ERROR, **job(3, "train"))) == (
        "small: train: failed; log: r/small/logs/train.log"
    )


def test_a_dry_run_speaks_of_what_would_be(lines):
    lines.dry = lambda: True
    told = record(LogEvent.JOB_INFO, **job(2, "probe") | {"reason": "Params have changed since last execution: x"})
    told.threads, told.resources = 2, {"mem_mb": 4019, "tmpdir": "/tmp", "runtime": 60, "gpu": 0}
    said = "small: probe: would start (changed: options) and ask for threads=2, mem_mb=4019, runtime=60"
    assert lines.format(told) == said


def test_ctrl_c_is_remembered(lines):
    lines.format(record(None, "Terminating processes on user request, this might take some time."))
    assert StepLines.interrupted
