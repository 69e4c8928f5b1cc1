"""The section on what fresh classifiers read."""

from __future__ import annotations

import numpy as np
import pytest
from fabricate import fabricate

from mtlbio.report.fresh import fresh_readings
from mtlbio.report.page import report
from mtlbio.tables import REPROBE, read_table


@pytest.fixture
def table(tmp_path):
    fabricate(tmp_path, donors=40)
    return read_table(tmp_path / "reprobe.tsv", REPROBE)


def test_the_page_says_what_is_read_and_what_the_labels_tell(tmp_path):
    run = fabricate(tmp_path, donors=40)
    report(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Can the batch still be read?" in text
    assert (
        "batch can be read from the dimensions that the tasks trained: AUROC 0.75 (0.70 to 0.77) by a fresh linear "
        "classifier on 160 donors, where chance is 0.5 and the labels of the tasks alone give 0.55: that is more than "
        "they explain. From the axes, which are found without labels, it can be read (AUROC 0.98 (0.93 to 1.00))."
    ) in text
    (tmp_path / "reprobe.tsv").unlink()
    report(run, tmp_path)
    assert "Can the batch still be read?" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_fooled_adversary_is_told_that_nothing_was_removed(table):
    table["adversary"] = "yes"
    assert "a fresh classifier reads it all the same, so it has not been removed" in fresh_readings(table)[0]
    supervised = table["representation"] == "supervised"
    table.loc[supervised, ["over_low"]] = -0.1
    said = fresh_readings(table)[0]
    assert "more than they explain has not been shown" in said and "no more than the labels tell" in said
    table.loc[supervised, ["ci_low", "readable"]] = 0.45, "no"
    said = fresh_readings(table)[0]
    assert "batch could not be read" in said and "no fresh classifier reads it from there better than chance" in said


def test_without_a_technical_covariate_there_is_no_section(table):
    assert fresh_readings(None) == [] == fresh_readings(table.iloc[:0])
    table = table.iloc[:1].assign(value=np.nan, why="batch: each level was held out as a whole.", adversary="yes")
    assert fresh_readings(table) == [
        "batch: each level was held out as a whole. Whether the adversary removed it is not known."
    ]
