"""What the logs of a run complain of, oldest first, and only those of this workflow."""

import os
from pathlib import Path

import pytest

from mtlbio.summary import Conclusion
from mtlbio.summary.complaints import Complaint, complaint, complaints


def write(folder: Path, name: str, text: str, stamp: float) -> Path:
    file = folder / "logs" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (stamp, stamp))
    return file


@pytest.mark.parametrize(
    "log, said",
    [
        ("one: reading\nmtlbio: error: e.csv: no such gene\n", "e.csv: no such gene"),
        ("mtlbio: error: first\nmtlbio: error: second\n", "second"),
        ("Traceback (most recent call last):\n  File x\n    y()\ntorch.Error: no memory\n", "torch.Error: no memory"),
        ("Traceback (most recent call last):\n  File x\nKilled\n", "Killed"),
        ("Training\n", None),
        ("", None),
    ],
)
def test_a_log_complains_in_one_line_or_not_at_all(log, said):
    assert complaint(log) == said


def test_logs_are_read_from_the_oldest_on_parts_of_steps_too(tmp_path):
    write(tmp_path, "train.log", "mtlbio: error: late\n", 30)
    part = write(tmp_path, "train_fold0.log", "mtlbio: error: early\n", 20)
    write(tmp_path, "prepare.log", "fine\n", 10)
    assert [(found.step, found.text) for found in complaints(tmp_path)] == [("train_fold0", "early"), ("train", "late")]
    assert complaints(tmp_path)[0] == Complaint("train_fold0", "early", part)
    assert [found.text for found in complaints(tmp_path, since=25)] == ["late"]
    assert complaints(tmp_path / "nowhere") == []


def test_the_terminal_says_what_the_summary_says_and_nothing_of_earlier_workflows(tmp_path):
    write(tmp_path / "a", "prepare.log", "mtlbio: error: of yesterday\n", 1000)
    conclusion = Conclusion(tmp_path, {"a": "a.yaml", "b": "b.yaml"})
    now = conclusion.since + 10
    write(tmp_path / "a", "train.log", "mtlbio: error: a loss has diverged\n", now)
    write(tmp_path / "b", "probe.log", "Traceback (most recent call last):\n  File x\nMemoryError\n", now)
    write(tmp_path / "b", "probe_null0.log", "Traceback (most recent call last):\n  File x\nMemoryError\n", now)
    write(tmp_path / "other", "train.log", "mtlbio: error: of another workflow\n", now)
    assert conclusion.errors() == ["mtlbio: error: a loss has diverged", "mtlbio: error: MemoryError"]
    job = "mtlbio: error: run a, step train failed; log: x\n    mtlbio: error: a loss has diverged"
    assert conclusion.errors([job]) == [job, "mtlbio: error: MemoryError"]


def test_a_summary_of_what_could_not_be_started_keeps_what_is_known_of_others(tmp_path):
    from mtlbio.summary.rows import NotStarted
    from mtlbio.tables import read_table

    write(tmp_path / "results/old", "prepare.log", "mtlbio: error: no gene\n", 1000)
    line = Conclusion(tmp_path / "results", {}).keep([NotStarted("b", "b.yaml", "b.yaml: run: missing")])
    table = read_table(tmp_path / "results/summary.tsv").set_index("run")
    assert table["status"].to_dict() == {"b": "not started", "old": "failed"}
    assert table.loc["b", ["error", "yaml"]].tolist() == ["b.yaml: run: missing", "b.yaml"]
    assert line == f"Summary: {tmp_path}/results/summary.tsv, and as a page {tmp_path}/results/index.html"
    (tmp_path / "results/index.html").write_text("mine")
    assert Conclusion(tmp_path / "results", {}).keep([]).startswith("No summary is written: ")
