"""Parts of a step as jobs of their own: which there are, what is left of them, and what runs again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

FOLDS = [f"train:fold{k}" for k in range(5)] + ["train:final"]
STEPS = ["prepare", "train", "baselines", "evaluate", "probe", "report"]
SCATTERED = "training: {scatter: true}"


def test_every_part_is_made_once_before_the_step_that_gathers_it_and_nothing_stays(scattered):
    parts = [*FOLDS, *(f"probe:null{k}" for k in range(3))]
    assert sorted(scattered.calls) == sorted([*STEPS, *parts])
    order = {call: place for place, call in enumerate(scattered.calls)}
    for part in parts:
        assert order["prepare"] < order[part] < order[part.partition(":")[0]]
    assert not (scattered.folder / "results/one/parts").exists()
    assert (scattered.folder / "results/one/logs/train_fold0.log").exists()
    assert scattered.stale() == {}


@pytest.mark.parametrize("instead", ["training: {scatter: false}", ""])
def test_one_job_instead_of_many_makes_nothing_stale(scattered, instead):
    yaml = scattered.folder / scattered.yaml("one")
    before = yaml.read_text()
    yaml.write_text(before.replace(SCATTERED, instead))
    assert scattered.stale() == {}
    yaml.write_text(before)


def test_many_jobs_instead_of_one_make_nothing_stale_and_take_part_where_something_else_is(finished):
    module = finished.folder / "mtlbio/training/train.py"
    os.utime(module)  # as after a fresh checkout
    with finished.appended("config/plain.yaml", SCATTERED):
        assert finished.stale() == {}
    with finished.appended("config/plain.yaml", "training: {scatter: true, epochs: 20}"):
        assert finished.stale() == {"plain": {"train_part", "train", "evaluate", "probe", "report"}}


def rules(clone, *words: str) -> dict[str, int]:
    """Jobs by rule that a dry run counts."""
    done = clone.call(*words, "-n")
    assert done.returncode == 0, done.stderr
    told = re.search(r"^\d+ steps to take: (.+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    found = (re.fullmatch(r"(\w+)(?: \((\d+)\))?", step) for step in told[1].split(", "))
    return {step[1]: int(step[2] or 1) for step in found}


def test_the_workflow_may_ask_for_it_and_the_yaml_has_the_last_word(clone):
    many = {"train": 1, "train_part": 6}
    by_hand = ["snakemake", "--cores", "1"]
    assert dict.fromkeys(STEPS, 1).items() <= rules(clone, *by_hand).items()
    assert "train_part" not in rules(clone, *by_hand)
    assert many.items() <= rules(clone, *by_hand, "--config", "scatter=true").items()
    slurm = ["mtlbio", "run", "config/one.yaml", "--workflow-profile", "slurm"]
    assert many.items() <= rules(clone, *slurm).items()
    with clone.appended("config/one.yaml", "training: {scatter: false}"):
        assert "train_part" not in rules(clone, *by_hand, "--config", "scatter=true")
        assert "train_part" not in rules(clone, *slurm)
    with clone.appended("config/one.yaml", "training: {scatter: 3}"):
        assert {"train": 1, "train_part": 3}.items() <= rules(clone, *by_hand).items()


def test_a_copy_of_the_profile_asks_for_it_wherever_the_results_are(clone, tmp_path):
    shutil.copytree(clone.folder / "workflow/profiles/slurm", tmp_path / "here/my_slurm")
    words = [sys.executable, "-m", "mtlbio", "run", "../clone/config/one.yaml", "--results", "../there/results", "-n"]
    done = subprocess.run(
        [*words, "--workflow-profile", "my_slurm"],
        cwd=tmp_path / "here", env=clone.environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^one: train \w+: would start", done.stdout + done.stderr, flags=re.MULTILINE)) == 6


def test_a_word_that_is_no_choice_is_one_line(clone):
    done = clone.call("snakemake", "-n", "--config", "scatter=often")
    assert done.returncode != 0
    assert done.stderr == "mtlbio: error: config: scatter: found 'often'; expected true or false\n"


def test_a_part_that_fails_loses_no_other(clone):
    (clone.folder / "fail_train:fold3").touch()
    with clone.appended("config/one.yaml", SCATTERED):
        words = ["mtlbio", "run", "config/one.yaml", "--cores", "1"]
        done = clone.call(*words)
        assert done.returncode == 1
        assert "mtlbio: error: made to fail" in done.stderr.splitlines()
        assert set(FOLDS) < set(clone.calls) and "train" not in clone.calls
        (clone.folder / "fail_train:fold3").unlink()
        before = len(clone.calls)
        done = clone.call(*words)
        assert done.returncode == 0, done.stderr
    assert sorted(clone.calls[before:]) == ["evaluate", "probe", "report", "train", "train:fold3"]


def test_a_killed_run_goes_on_with_the_parts_that_it_lacks(clone, tmp_path):
    (clone.folder / "wait_train:fold3").touch()
    with clone.appended("config/one.yaml", SCATTERED):
        words = ["mtlbio", "run", "config/one.yaml", "--cores", "1"]
        with (tmp_path / "log").open("w") as log:
            running = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=clone.folder, env=clone.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        for _ in range(600):
            if (clone.folder / "waiting").exists():
                break
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        (clone.folder / "wait_train:fold3").unlink()
        before = clone.calls
        made = set(before) & set(FOLDS) - {"train:fold3"}
        assert clone.call(*words, "--unlock").returncode == 0
        done = clone.call(*words)
        assert done.returncode == 0, done.stderr
    again = clone.calls[len(before) :]
    assert not made & set(again) and "train:fold3" in again and again.count("train") == 1
    assert sorted([*made, *again]).count("train:final") == 1
    assert not (clone.folder / "results/one/parts").exists()
