"""What runs again after a change: exactly the steps that depend on it, and what follows them."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

STEPS = {"prepare", "train", "baselines", "evaluate", "probe", "report"}


def test_a_finished_workflow_has_run_every_step_once_and_rests(finished):
    assert sorted(finished.calls) == sorted([*STEPS] * len(finished.changes))
    for name in finished.changes:
        (finished.folder / finished.yaml(name)).touch()
    assert finished.stale() == {}


def test_a_changed_option_reruns_its_step_and_what_follows(finished):
    with ExitStack() as changed:
        for name, (line, _) in finished.changes.items():
            changed.enter_context(finished.appended(finished.yaml(name), line))
        found = finished.stale()
    assert found == {name: steps for name, (_, steps) in finished.changes.items() if steps}


def test_changed_data_reruns_the_runs_that_read_it(finished):
    with finished.appended("probe.csv", "b,b,4"):
        assert finished.stale() == {"probe": STEPS}


@pytest.mark.parametrize(
    "module, stale",
    [
        ("training/train.py", {"train", "evaluate", "probe", "report"}),
        ("evaluation/baselines.py", {"baselines", "evaluate", "report"}),
        ("report/templates/style.css", {"report"}),
        ("labels/transforms.py", STEPS),
        ("kinds/table.py", set()),
        ("kinds/schemas/cohort.py", set()),
    ],
)
def test_an_edited_module_reruns_the_steps_that_use_it(finished, module, stale):
    with finished.appended(f"mtlbio/{module}", "/* edited */" if module.endswith(".css") else "# edited"):
        found = finished.stale()
    assert found == ({name: stale for name in finished.changes} if stale else {})


def test_a_moved_clone_has_nothing_to_do(finished, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(finished.folder, moved)
    environment = finished.environment | {"PYTHONPATH": str(moved)}
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"]
    done = subprocess.run(command, cwd=moved, env=environment, capture_output=True, text=True, timeout=120)
    assert "Nothing to be done" in done.stdout + done.stderr, done.stdout


def test_a_failed_step_is_run_again_and_the_others_are_not(clone):
    (clone.folder / "fail_probe").touch()
    done = clone.call("mtlbio", "run", "config/one.yaml", "--cores", "1")
    assert done.returncode == 1
    assert sorted(clone.calls) == ["baselines", "evaluate", "prepare", "probe", "train"]
    assert (clone.folder / "results/one/logs/probe.log").read_text() == "mtlbio: error: made to fail\n"
    assert "mtlbio: error: made to fail" in done.stderr.splitlines()
    (clone.folder / "fail_probe").unlink()
    assert clone.stale() == {"one": {"probe", "report"}}


def test_a_killed_run_resumes_where_it_was(clone, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    words = ["mtlbio", "run", "../clone/config/one.yaml", "--results", "../clone/results"]
    (clone.folder / "wait_train").touch()
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", *words, "--cores", "1"],
            cwd=elsewhere, env=clone.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    for _ in range(600):
        if (clone.folder / "waiting").exists():
            break
        time.sleep(0.1)
    os.killpg(running.pid, 9)
    running.wait()
    (clone.folder / "wait_train").unlink()
    before = clone.calls
    assert "prepare" in before
    unlocked = clone.call(*words, "--unlock", folder=elsewhere)
    assert unlocked.returncode == 0, unlocked.stderr
    done = clone.call(*words, folder=elsewhere)
    assert done.returncode == 0, done.stderr
    rerun = clone.calls[len(before) :]
    assert "prepare" not in rerun and {"train", "evaluate", "probe", "report"} <= set(rerun)
    assert (clone.folder / "results/one/report.html").exists()
    assert list(elsewhere.iterdir()) == []
