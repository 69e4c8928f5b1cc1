"""What became of a run, read from its folder."""

import os

import pandas as pd
import pytest

from mtlbio.kinds import STEPS
from mtlbio.summary.rows import SILENT, NotStarted, explain, row_of, row_of_not_started


@pytest.fixture
def folder(tmp_path):
    """A run's folder in which every file that is written is a second younger than the one before."""
    return Clocked(tmp_path / "results" / "one")


class Clocked:
    def __init__(self, path):
        self.path, self.clock = path, 1000

    def write(self, name: str, text: str = "") -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.clock += 1
        os.utime(file, (self.clock, self.clock))

    def finish(self) -> None:
        for step in ("prepare", "train", "baselines", "evaluate", "probe"):
            self.write(f"logs/{step}.log", "fine\n")
        self.write("splits.tsv", "sample\tdonor\tfold\na\tx\t0\nb\tx\t0\nc\ty\t1\n")
        self.write("verdicts.tsv", "dim\tverdict\tdriver\nz01\tbiology\tA\nz02\tbiology\tB\nz03\tunused\tNA\n")
        metrics = [
            ("multitask", "disease", "auroc", 0.8, 0.7, 0.9),
            ("multitask", "disease", "auprc", 0.5, 0.4, 0.6),
            ("ridge", "disease", "auroc", 0.7, 0.6, 0.8),
            ("multitask", "age", "r2", 0.4, float("nan"), 0.5),
        ]
        table = pd.DataFrame(metrics, columns=["arm", "task", "metric", "value", "ci_low", "ci_high"])
        self.write("metrics.tsv", table.to_csv(sep="\t", index=False, na_rep="NA"))
        compared = [
            ("multitask", "ridge", "disease", "auroc", "better", "no"),
            ("multitask", "lightgbm", "disease", "auroc", "undecided", "yes"),
            ("multitask", "ridge", "age", "r2", "worse", "no"),
        ]
        table = pd.DataFrame(compared, columns=["arm_a", "arm_b", "task", "metric", "call", "best_baseline"])
        self.write("comparisons.tsv", table.to_csv(sep="\t", index=False))
        self.write("report.html", "<html>")
        self.write("logs/report.log", "Report: ...\n")
        for step in STEPS:
            self.write(f"manifest/{step}.json")


def test_a_finished_run_has_its_sizes_verdicts_and_performance(folder):
    folder.finish()
    row = row_of(folder.path, "one.yaml")
    assert row == {
        "run": "one", "yaml": "one.yaml", "status": "finished", "page": "one/report.html",
        "donors": 2, "samples": 3, "dims": 3,
        "biology": 2, "technical": 0, "confounder": 0, "mixed": 0, "not_identifiable": 0, "underpowered": 0,
        "unused": 1,
        "metric_disease": "auroc", "value_disease": 0.8, "ci_low_disease": 0.7, "ci_high_disease": 0.9,
        "call_disease": "undecided",
        "metric_age": "r2", "value_age": 0.4, "ci_low_age": row["ci_low_age"], "ci_high_age": 0.5, "call_age": None,
    }  # fmt: skip
    assert pd.isna(row["ci_low_age"])


@pytest.mark.parametrize(
    "log, error",
    [
        ("Reading\nmtlbio: error: e.csv: no such gene\n", "e.csv: no such gene"),
        ("Traceback (most recent call last):\n  File x\n    y()\ntorch.Error: no memory\n", "torch.Error: no memory"),
    ],
)
def test_the_first_step_that_complained_is_named_with_its_line_and_log(folder, log, error):
    folder.finish()  # an old page is no finished run
    folder.write("logs/train.log", log)
    folder.write("logs/baselines.log", "mtlbio: error: the second\n")
    row = {"run": "one", "yaml": None, "status": "failed", "step": "train", "error": error, "log": "one/logs/train.log"}
    assert row_of(folder.path) == row


def test_a_step_that_died_without_a_word_is_one_without_a_record(folder):
    folder.write("logs/prepare.log", "fine\n")
    folder.write("manifest/prepare.json")
    folder.write("logs/train.log", "Training\n")
    folder.write("logs/baselines.log", "fine\n")  # ended after the other was killed
    folder.write("manifest/baselines.json")
    row = row_of(folder.path)
    assert (row["status"], row["step"], row["error"], row["log"]) == (
        "unfinished", "train", SILENT, "one/logs/train.log",
    )  # fmt: skip


def test_a_run_is_finished_where_every_step_has_its_record(folder):
    folder.finish()
    folder.write("logs/probe.log", "fine\n")  # taken again, younger than the page
    assert row_of(folder.path)["status"] == "finished"
    (folder.path / "manifest/probe.json").unlink()
    row = row_of(folder.path)
    assert (row["status"], row["step"], row["error"]) == ("unfinished", "probe", SILENT)


def test_complaints_from_before_the_workflow_are_over(folder):
    folder.write("logs/train.log", "mtlbio: error: of yesterday\n")
    since = folder.clock + 0.5
    assert row_of(folder.path, since=since) == {"run": "one", "yaml": None, "status": "unfinished"}
    folder.write("logs/prepare.log", "mtlbio: error: of today\n")
    assert row_of(folder.path, since=since)["error"] == "of today"
    assert row_of(folder.path)["error"] == "of yesterday"


def test_where_the_workflow_did_all_it_was_to_do_no_log_complains(folder):
    folder.write("logs/train.log", "Training\n")
    assert row_of(folder.path, since=float("inf")) == {"run": "one", "yaml": None, "status": "unfinished"}


def test_nothing_there_is_not_started(folder):
    assert row_of(folder.path) == {"run": "one", "yaml": None, "status": "not started"}
    wrong = {"run": "a", "status": "not started", "error": "a.yaml: no", "yaml": "a.yaml"}
    assert row_of_not_started(NotStarted("a", "a.yaml", "a.yaml: no")) == wrong


def test_a_spoiled_table_costs_its_own_cells_only(folder):
    folder.finish()
    (folder.path / "verdicts.tsv").write_text("dim\nz01\n")
    row = row_of(folder.path)
    assert row["status"] == "finished" and row["donors"] == 2 and row["value_disease"] == 0.8
    assert "biology" not in row
    assert row["error"] == f"{folder.path}/verdicts.tsv: column verdict missing; found dim"


def test_what_the_cluster_said_stands_in_place_of_silence():
    killed = {"run": "b", "status": "unfinished", "step": "train", "error": SILENT}
    spoke, other = killed | {"error": "no such gene"}, killed | {"step": "probe"}
    line = "mtlbio: error: run b, step train (Slurm job 7): killed at its time limit of 60 min (TIMEOUT); log: b/x.log"
    explain([killed, spoke, other], [line + "\n    | epoch 3", "mtlbio: error: run bb, step train (Slurm job 8): lost"])
    assert killed["error"] == "(Slurm job 7): killed at its time limit of 60 min (TIMEOUT)"
    assert spoke["error"] == "no such gene" and other["error"] == SILENT


def test_a_run_that_somebody_stopped_is_not_finished_because_older_tables_are_there():
    rows = [{"run": "a", "yaml": "a.yaml", "status": "finished", "dims": 4}, {"run": "b", "status": "finished"}]
    explain(rows, [], {"a": "train"})
    stopped = {"run": "a", "yaml": "a.yaml", "status": "unfinished", "step": "train", "error": "stopped (Ctrl-C)"}
    assert rows == [stopped, {"run": "b", "status": "finished"}]
