"""The summary as a table, in print and as a page."""

import re

import pytest

from mtlbio.summary import Conclusion
from mtlbio.summary.page import render
from mtlbio.summary.rows import SUMMARY, NotStarted
from mtlbio.summary.table import in_print, write_summary
from mtlbio.tables import read_table

DONE = {
    "run": "007", "yaml": "a.yaml", "status": "finished", "page": "007/report.html", "donors": 60, "samples": 120,
    "dims": 8, "biology": 2, "technical": 1, "confounder": 3, "mixed": 0, "not_identifiable": 0, "underpowered": 2,
    "unused": 0, "metric_disease": "auroc", "value_disease": 0.754, "ci_low_disease": 0.6, "ci_high_disease": 0.9,
    "call_disease": "better",
}  # fmt: skip
FAILED = {"run": "b", "status": "failed", "step": "train", "error": "no <memory>", "log": "b/logs/train.log"}
WRONG = {"run": "c", "status": "not started", "error": "c.yaml: no such file", "yaml": "c.yaml"}


def test_the_table_has_all_columns_and_whole_numbers(tmp_path):
    write_summary([DONE, FAILED, WRONG], tmp_path / "summary.tsv")
    head, *lines = (tmp_path / "summary.tsv").read_text().splitlines()
    of_task = [f"{name}_disease" for name in ("metric", "value", "ci_low", "ci_high", "call")]
    assert head.split("\t") == [*SUMMARY, *of_task]
    cells = [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]
    assert [cell["run"] for cell in cells] == ["007", "b", "c"]
    assert (cells[0]["biology"], cells[0]["donors"], cells[0]["value_disease"]) == ("2", "60", "0.754")
    assert (cells[1]["biology"], cells[1]["error"], cells[1]["log"]) == ("NA", "no <memory>", "b/logs/train.log")
    assert read_table(tmp_path / "summary.tsv", SUMMARY)["run"].tolist() == ["007", "b", "c"]


def test_only_runs_that_could_not_start_make_a_table_too(tmp_path):
    write_summary([WRONG], tmp_path / "summary.tsv")
    assert (tmp_path / "summary.tsv").read_text().splitlines()[0].split("\t") == SUMMARY


def test_lines_are_aligned_and_say_what_happened_to_the_others(tmp_path):
    assert in_print([DONE, FAILED, WRONG], tmp_path) == [
        "run  donors  biology  confounder  technical  other  performance of every task, 95 % interval",
        "007      60        2           3          1      2  disease AUROC 0.75 (0.60 to 0.90)",
        f"b: failed at train: no <memory> (log: {tmp_path}/b/logs/train.log)",
        "c: not started: c.yaml: no such file",
        f"Open {tmp_path}/007/report.html in a browser.",
        "3 runs: 1 finished, 1 failed, 1 not started",
    ]
    assert in_print([FAILED], tmp_path)[-1] == "1 run: 1 failed"


def test_the_page_links_every_run_escapes_everything_and_loads_nothing():
    spoiled = DONE | {"run": "d", "page": "d/report.html", "value_<b>": 1.0, "metric_<b>": "r2"}
    spoiled |= {"ci_low_<b>": 0.5, "ci_high_<b>": float("nan")}
    page = render([DONE, FAILED, WRONG, spoiled])
    links = ["b/logs/train.log", "007/report.html", "d/report.html", "summary.tsv"]
    assert re.findall(r'href="([^"]+)"', page) == links
    assert "<h1>4 runs: 2 finished, 1 failed, 1 not started</h1>" in page
    assert "no &lt;memory&gt;" in page and "<memory>" not in page
    assert '<th scope="col">&lt;b&gt;</th>' in page and "R² 1.00 (0.50 to nan)" in page
    assert '<td class="count biology"><span class="badge biology">2</span></td>' in page
    assert 'AUROC 0.75 (0.60 to 0.90) <span class="quiet">better</span>' in page
    assert "<script" not in page and "http" not in re.sub(r"http-equiv", "", page)


@pytest.fixture
def results(tmp_path):
    """Results in which another run lies already."""
    (tmp_path / "results" / "old" / "logs").mkdir(parents=True)
    (tmp_path / "results" / "old" / "logs" / "train.log").write_text("mtlbio: error: long ago\n")
    return tmp_path / "results"


def test_a_conclusion_lists_all_runs_of_the_folder_and_prints_those_asked_for(results, capsys):
    conclusion = Conclusion(results, {"new": "new.yaml"})
    (results / "new" / "logs").mkdir(parents=True)
    (results / "new" / "logs" / "prepare.log").write_text("mtlbio: error: e.csv: empty\n")
    conclusion.tell(False, [NotStarted("c", "c.yaml", "c.yaml: no such file")])
    table = read_table(results / "summary.tsv", SUMMARY)
    assert table[["run", "status", "error"]].to_numpy().tolist() == [
        ["new", "failed", "e.csv: empty"],
        ["c", "not started", "c.yaml: no such file"],
        ["old", "failed", "long ago"],
    ]
    said = capsys.readouterr().err
    assert "old" not in said and "2 runs: 1 failed, 1 not started" in said
    assert f"Summary: {results}/summary.tsv, and as a page {results}/index.html\n" in said
    assert "old" in (results / "index.html").read_text()


def test_where_nothing_can_be_written_a_line_says_so(tmp_path, capsys):
    (tmp_path / "results").touch()
    Conclusion(tmp_path / "results", {"new": "new.yaml"}).tell(False)
    said = capsys.readouterr().err
    assert "1 run: 1 not started\nNo summary is written: " in said
