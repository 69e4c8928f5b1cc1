"""What readers notice reaches the person: qc.tsv, the plan, the lines before a workflow and the draft."""

from __future__ import annotations

import pytest

from mtlbio import cli
from mtlbio.cohort import metadata, prepare, read
from mtlbio.cohort.drafts import draft
from mtlbio.intake.notes import notice
from mtlbio.kinds.read import read_run
from mtlbio.launch.checks import answer
from mtlbio.probing.plan import plan
from mtlbio.tables import QC, read_table


@pytest.fixture
def noticed(small, monkeypatch):
    """The run of a cohort whose metadata's reader has something to say."""

    def reader(path, *others):
        notice(path, "3 empty rows dropped")
        notice(path, "columns are shifted", doubt=True)
        return metadata.read_metadata(path, *others)

    monkeypatch.setattr(read, "read_metadata", reader)
    monkeypatch.setattr(draft, "read_metadata", reader)
    return small.write()


def test_they_are_rows_of_qc(noticed, tmp_path, capsys):
    prepare.prepare(read_run(noticed), tmp_path / "results")
    rows = read_table(tmp_path / "results" / "qc.tsv", QC).to_numpy().tolist()
    assert rows == [
        ["metadata.csv", "note", "as it was read", "3 empty rows dropped"],
        ["metadata.csv", "note", "to be looked at", "columns are shifted"],
    ]


def test_doubts_are_warnings_of_the_plan_and_before_a_workflow(noticed, tmp_path):
    text = plan(read_run(noticed), tmp_path / "results")
    warnings, notes = text.split("Warnings\n")[1].split("Notes on the files\n")
    assert "  ! metadata.csv: columns are shifted\n" in warnings
    assert notes.splitlines()[0] == "  - metadata.csv: 3 empty rows dropped"
    assert answer(str(noticed))["warnings"][-1] == "metadata.csv: columns are shifted"


def test_init_says_them(noticed, tmp_path, capsys):
    arguments = [str(tmp_path / "expression.csv"), str(tmp_path / "metadata.csv"), "--out", str(tmp_path / "new.yaml")]
    cli.app(["init", *arguments], standalone_mode=False)
    said = capsys.readouterr().err.splitlines()
    assert "metadata.csv: 3 empty rows dropped" in said and "check this: metadata.csv: columns are shifted" in said
