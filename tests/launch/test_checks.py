"""Cohorts are read before the workflow, each in its own process."""

import os
import time
from pathlib import Path

import pytest

from mtlbio.cohort.simulate import simulate, write_simulation
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


def test_folders_and_stamps_are_looked_at_without_reading_the_cohort(cohorts, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "_apart", lambda one: pytest.fail("read"))
    results = tmp_path / "results"
    for one in cohorts:
        (results / one.run.run).mkdir(parents=True)
        (results / one.run.run / "cohort.h5ad").touch()
    (results / "wrong" / "cohort.h5ad").rename(results / "wrong" / "thesis.docx")
    ahead = time.time() + 3600
    os.utime(results / "broken" / "cohort.h5ad", (ahead, ahead))
    fit, wrong = checks.checked(cohorts, results, None)
    assert [one.run.run for one in fit] == ["fit"]
    lines = {one.run: one.error for one in wrong}
    assert lines["wrong"] == f"{results}/wrong: holds files that mtlbio did not write; give a new or an empty folder"
    assert lines["broken"].startswith(f"{results}/broken/cohort.h5ad: its time stamp, ")


def test_a_prepared_cohort_is_read_again_where_its_files_changed(cohorts, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(checks, "_apart", lambda one: read.append(one.run.run) or (None, []))
    folder = tmp_path / "results" / "fit"
    folder.mkdir(parents=True)
    (folder / "cohort.h5ad").touch()
    checks.checked(cohorts[:1], tmp_path / "results", None)
    assert read == []
    os.utime(folder / "cohort.h5ad", (1, 1))
    checks.checked(cohorts[:1], tmp_path / "results", None)
    assert read == ["fit"]
