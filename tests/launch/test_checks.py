"""Cohorts are read before the workflow, each in its own process."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.integrity.folder import claim
from mtlbio.integrity.owner import OWNER
from mtlbio.integrity.process import Process
from mtlbio.integrity.record import recorded
from mtlbio.launch import checks
from mtlbio.launch.find import find_runs


@pytest.fixture
def cohorts(tmp_path):
    """Three runs: one that is fit, one with a wrong label, one whose file brings its reader down."""
    for name in ("fit", "wrong", "broken"):
        write_simulation(tmp_path / name, simulate("clear", 0, donors=30, genes=300), name)
    metadata = tmp_path / "wrong" / "metadata.csv"
    metadata.write_text(metadata.read_text().replace(",case", ",sick"))
    return find_runs([str(tmp_path / name / "run.yaml") for name in ("fit", "wrong", "broken")])[0]


def test_one_cohort_in_three_is_objected_to_and_a_check_that_dies_is_left_to_prepare(cohorts, tmp_path, monkeypatch):
    apart = checks.subprocess.run

    def killed(command, **options):
        command = ["sh", "-c", "kill -9 $$"] if "broken" in command[-1] else command
        return apart(command, **options)

    monkeypatch.setattr(checks.subprocess, "run", killed)
    fit, wrong = checks.checked(cohorts, tmp_path / "results", cores=2)
    assert [one.run.run for one in fit] == ["fit", "broken"]
    assert [(one.run, Path(one.yaml).parent.name) for one in wrong] == [("wrong", "wrong")]
    assert "tasks.disease.positive: 'case' never occurs in column 'disease'; found: sick" in wrong[0].error


def prepared(folder):
    """The folder of a run, claimed, with a cohort."""
    claim(folder, f"run {folder.name}")
    (folder / "cohort.h5ad").touch()
    recorded(folder, "prepare", "cohort.h5ad")
    return folder


def test_a_run_that_is_at_work_elsewhere_is_left_to_that(cohorts, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "_apart", lambda one: (None, []))
    folder = prepared(tmp_path / "results" / "broken")
    at_work = subprocess.Popen(["sleep", "60"])
    try:
        (folder / OWNER).write_text(json.dumps(Process.of(at_work.pid).content()))
        fit, wrong = checks.checked(cohorts, tmp_path / "results", None)
    finally:
        at_work.kill()
        at_work.wait()
    assert [one.run.run for one in fit] == ["fit", "wrong"]
    assert [one.error for one in wrong] == [f"{folder}: process {at_work.pid} is at work on this run; wait for it"]
    assert len(checks.checked(cohorts, tmp_path / "results", None)[0]) == 3


def test_folders_and_stamps_are_looked_at_without_reading_the_cohort(cohorts, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "_apart", lambda one: pytest.fail("read"))
    results = tmp_path / "results"
    for name in ("fit", "broken"):
        prepared(results / name)
    (results / "wrong").mkdir()
    (results / "wrong" / "thesis.docx").touch()
    ahead = time.time() + 3600
    os.utime(results / "broken" / "cohort.h5ad", (ahead, ahead))
    fit, wrong = checks.checked(cohorts, results, None)
    assert [one.run.run for one in fit] == ["fit"]
    lines = {one.run: one.error for one in wrong}
    assert lines["wrong"].startswith(f"{results}/wrong: holds files that mtlbio did not write (thesis.docx)")
    assert lines["broken"].startswith(f"{results}/broken/cohort.h5ad: its time stamp, ")


def test_a_prepared_cohort_is_read_again_where_its_files_changed(cohorts, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(checks, "_apart", lambda one: read.append(one.run.run) or (None, []))
    folder = prepared(tmp_path / "results" / "fit")
    checks.checked(cohorts[:1], tmp_path / "results", None)
    assert read == []
    os.utime(folder / "cohort.h5ad", (1, 1))
    checks.checked(cohorts[:1], tmp_path / "results", None)
    assert read == ["fit"]
