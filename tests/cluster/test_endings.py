"""How jobs ended, from what Slurm and the logs say."""

import pytest

from mtlbio.cluster.endings import ending, lines, tail

ASKED = {"threads": 2, "mem_mb": 4000, "runtime": 60}


@pytest.fixture
def end(tmp_path):
    """How a job ended whose logs are these."""

    def found(state: str, slurm: str = "", step: str = "", **known):
        logs = tmp_path / "slurm.log", tmp_path / "step.log"
        for log, text in zip(logs, (slurm, step), strict=True):
            log.write_text(text)
        return ending(state, known, *logs, ASKED, "train", lambda: "ada")

    return found


KILLED = "slurmstepd-n1: error: StepId=1.0 exceeded memory limit (149377024 > 104857600), being killed\n"
OOM = "slurmstepd: error: Detected 1 oom_kill event in StepId=9.batch. Some of the step tasks have been OOM Killed.\n"
LATE = "slurmstepd-n1: error: *** JOB 3 ON n1 CANCELLED AT 2026-11-30T05:59:16 DUE TO TIME LIMIT ***\n"


@pytest.mark.parametrize("state, log", [("OUT_OF_MEMORY", ""), ("FAILED", KILLED), ("FAILED", OOM)])
def test_the_memory_limit(end, state, log):
    found = end(state, log)
    assert found.why == "killed at its memory limit of 4000 MB (OUT_OF_MEMORY)"
    assert found.change.startswith("more memory: --set-resources train:mem_mb=MB") and found.needs == "mem_mb"


@pytest.mark.parametrize("state, log", [("TIMEOUT", ""), ("FAILED", LATE)])
def test_the_time_limit(end, state, log):
    found = end(state, log)
    assert found.why == "killed at its time limit of 60 min (TIMEOUT)" and found.needs == "runtime"


def test_cancelled_by_somebody_or_by_nobody_known(end, tmp_path):
    assert end("CANCELLED").why == "cancelled by ada (CANCELLED)"
    assert ending("CANCELLED", {}, None, None, ASKED, "train").why == "cancelled by scancel (CANCELLED)"


def test_a_lost_node(end):
    assert end("NODE_FAIL", NodeList="n7").why == "lost with its node n7 (NODE_FAIL)"
    assert end("NODE_FAIL").again


def test_what_the_user_has_to_correct_is_not_repeated(end):
    found = end("FAILED", step="noise\nmtlbio: error: age: no such column\n", ExitCode="1:0")
    assert (found.why, found.again) == ("age: no such column", False)
    died = "training.processes: process 2 of 4 was killed by SIGKILL (too little memory?); 1 of 6 folds are done"
    found = end("FAILED", step=f"mtlbio: error: {died}\n")
    assert (found.why, found.again) == (died, True)
    # but the reason of a kill counts more than an older line of the log
    assert end("TIMEOUT", step="mtlbio: error: age: no such column\n").again


def test_a_step_that_failed_by_itself(end):
    assert end("FAILED", ExitCode="1:0").why == "exit status 1 (FAILED)"
    assert end("FAILED", ExitCode="0:9").why == "killed by signal 9 (FAILED)"
    assert end("FAILED").why == "exit status unknown (FAILED)"


def test_a_step_that_speaks_of_memory_was_not_killed_for_it(end):
    assert end("FAILED", step="MemoryError: out of memory\n", ExitCode="1:0").why == "exit status 1 (FAILED)"


def test_the_end_of_a_log_fits_a_terminal(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"\n".join([b"a", b"b", b"", b"\x1b[31mred\x07", b"\xff" + b"x" * 400, b""]))
    assert tail(log, 2) == [" [31mred", "\ufffd" + "x" * 299 + " ..."]
    assert lines(tmp_path / "none") == [] and tail(None) == []
