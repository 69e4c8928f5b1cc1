"""The warning about labels that look shuffled."""

from __future__ import annotations

import numpy as np
from fabricate import fabricate

from mtlbio.report.page import report
from mtlbio.report.suspect_labels import label_warnings
from mtlbio.tables import LABEL_NOISE, read_table, write_table


def test_the_page_warns_of_the_task_and_names_samples(tmp_path):
    run = fabricate(tmp_path, donors=40)
    report(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Do labels look shuffled?" in text and "Check the labels." in text
    assert "response: about 50 % of its labels look as if drawn anew." in text
    assert "Most likely wrong (with probability): S001 (0.91); S017 (0.88). Whatever this page says about" in text
    assert (
        "No sign of shuffled labels in disease (at most 20 % drawn anew). No alarm for age either, but with such "
        "predictions not even half-shuffled labels could be told from honest ones."
    ) in text
    (tmp_path / "label_noise.tsv").unlink()
    report(run, tmp_path)
    assert "Do labels look shuffled?" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_without_an_alarm_one_line_says_whether_it_could_have_been_seen(tmp_path):
    fabricate(tmp_path, donors=40)
    table = read_table(tmp_path / "label_noise.tsv", LABEL_NOISE)
    quiet = label_warnings(table.iloc[:1])
    assert quiet == {"alarms": [], "quiet": "No sign of shuffled labels in disease (at most 20 % drawn anew)."}
    few = table.iloc[:1].assign(alarm=np.nan, could_show=np.nan, why="disease: 9 labels of donors are too few.")
    assert label_warnings(few)["quiet"] == "disease: 9 labels of donors are too few."
    assert label_warnings(None) == {"alarms": [], "quiet": ""}
    write_table(table, tmp_path / "again.tsv", LABEL_NOISE)
