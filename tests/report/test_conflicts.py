"""The section on the tasks' gradients."""

from __future__ import annotations

import pandas as pd
from fabricate import fabricate

from mtlbio.report import conflicts
from mtlbio.report.page import report
from mtlbio.tables import CONFLICT, read_table, write_table


def test_every_pair_has_a_picture_and_a_sentence(tmp_path):
    run = fabricate(tmp_path, donors=40)
    report(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "disease and age pulled the shared part against each other in 60 % of the steps" in text
    assert "Only 10 % of the donors have both labels: this may be noise" in text
    assert (tmp_path / "figures" / "conflict_disease_age.svg").exists()


def test_epochs_that_few_networks_reached_do_not_count(tmp_path):
    fabricate(tmp_path, donors=40)
    table = read_table(tmp_path / "conflict.tsv", CONFLICT)
    late = table[table["task_b"] == "age"].assign(epoch=100, networks=2, conflicting=1.0)
    rows = conflicts.pairs(table)["conflict_disease_age"]
    again = conflicts.pairs(pd.concat([table, late]))["conflict_disease_age"]
    assert conflicts.sentence(rows) == conflicts.sentence(again) and rows["epoch"].max() < 100


def test_a_faint_cosine_is_no_conflict(tmp_path):
    """The page said that two tasks with a median cosine of -.02 pulled against each other in 80 % of the steps."""
    fabricate(tmp_path, donors=40)
    table = read_table(tmp_path / "conflict.tsv", CONFLICT).assign(cosine=-0.02)
    assert "disease and age hardly touched" in conflicts.sentence(conflicts.pairs(table)["conflict_disease_age"])


def test_one_task_has_nothing_to_compare(tmp_path):
    run = fabricate(tmp_path, donors=40)
    table = read_table(tmp_path / "conflict.tsv", CONFLICT)
    write_table(table.iloc[:0], tmp_path / "conflict.tsv")
    report(run, tmp_path)
    assert "there is nothing to compare" in (tmp_path / "report.html").read_text(encoding="utf-8")
