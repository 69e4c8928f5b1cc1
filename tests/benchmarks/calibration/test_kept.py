"""Counts that are made in pieces."""

import pandas as pd
import pytest

from benchmarks.calibration import kept
from benchmarks.calibration.kept import COLUMNS, differing, joined, read_kept, sample_of, write_kept


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    out = [
        (cell, run, dim, "age", "confounder" if dim == "z01" else "biology", 0.25, 1.0, "disease")
        for cell in ("base", "other")
        for run in range(7)
        for dim in ("z01", "z02")
    ]
    return pd.DataFrame(out, columns=COLUMNS)


def test_rows_come_back_for_the_sources_that_made_them(rows):
    assert read_kept("axes", "abc").empty
    write_kept("axes", "abc", rows.assign(term_link=3.0).sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(read_kept("axes", "abc"), rows, check_dtype=False)
    assert read_kept("axes", "xyz").empty and len(read_kept("axes", None)) == len(rows)


def test_a_cohort_that_is_stored_too_counts_once(rows):
    stored = rows[rows["run"] < 3].assign(term_link=1.0)
    both = joined(rows, stored)
    assert len(both) == len(rows) and both["term_link"].notna().sum() == len(stored)
    assert joined(rows.iloc[:0], stored) is stored and joined(rows, stored.iloc[:0]) is rows


def test_the_sample_has_first_and_last_cohorts_of_every_cell(rows):
    assert sample_of(rows, 2).groupby("cell")["run"].unique().map(list).to_dict() == {"base": [0, 6], "other": [0, 6]}
    assert len(sample_of(rows[rows["run"] == 0], 2)) == 4


def test_another_verdict_or_role_differs(rows):
    made = rows.assign(role="idle age")
    assert differing(rows, made) == []
    made.loc[3, "verdict"] = "mixed"
    assert differing(rows, made) == ["base, cohort 1, z02: biology, now mixed"]
    assert len(differing(rows, made.iloc[5:])) == 5
