"""The profile on a real Slurm. Skipped where no cluster answers; a single node without accounting is enough."""

import re
import shutil
import subprocess

import pytest


def answers() -> bool:
    """Whether a Slurm controller answers within a moment."""
    if shutil.which("sinfo") is None:
        return False
    try:
        return subprocess.run(["sinfo", "-h"], capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


pytestmark = pytest.mark.skipif(not answers(), reason="no Slurm answers here")


def quick(*more: str) -> list[str]:
    """A test node is small and quick: less than the rules ask for, and no waiting between looks."""
    steps = ("prepare", "train", "baselines", "evaluate", "probe", "report")
    words = ["--set-threads", "train=1", "--set-resources", *(f"{step}:mem_mb=200" for step in steps), *more]
    words += ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
    return [*words, "--latency-wait", "5"]


def test_every_step_is_a_job_and_a_gpu_is_asked_for_where_the_profile_says_so(clone):
    has_gpu = "gpu" in subprocess.run(["sinfo", "-h", "-o", "%G"], capture_output=True, text=True).stdout
    gpu = ["train:gpu=1", "train:slurm_partition=gpu"] if has_gpu else []
    done = clone.call("mtlbio", "run", "config/one.yaml", "--workflow-profile", "slurm", *quick(*gpu))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert len(set(re.findall(r"SLURM jobid '?(\d+)", done.stdout + done.stderr))) == 6
    assert sorted(clone.calls) == ["baselines", "evaluate", "prepare", "probe", "report", "train"]
    assert clone.stale() == {}


def test_a_job_that_fails_ends_the_run_with_its_log(clone):
    (clone.folder / "fail_prepare").touch()
    words = ["mtlbio", "run", "config/one.yaml", "--workflow-profile", "slurm", "--retries", "0", *quick()]
    done = clone.call(*words)
    assert done.returncode == 1
    assert clone.calls == ["prepare"]
    assert "results/one/logs/prepare.log" in done.stdout + done.stderr


def test_jobs_of_many_runs_find_any_folder_of_results(study):
    yamls = ["config/a.yaml", "config/b.yaml"]
    name = "it's 007: $(touch x) naïve"
    words = ["mtlbio", "run", *yamls, "--results", name, "--workflow-profile", "slurm", *quick()]
    done = study.call(*words)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "2 runs: 2 finished" in done.stderr
    assert all((study.folder / name / run / "report.html").exists() for run in "ab")
    assert not (study.folder / "x").exists()
