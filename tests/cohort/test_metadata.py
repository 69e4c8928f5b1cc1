"""Samples that stand twice, ids without a name, columns that only count the rows."""

from __future__ import annotations

import pandas as pd
import pytest
import yaml
from small_cohort import SmallCohort

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.draft_table import draft_table
from mtlbio.cohort.metadata import by_sample, read_metadata, without_row_numbers
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing


def drafted(small: SmallCohort, **saved):
    small.expression.to_csv(small.folder / "expression.csv", index_label="sample_id")
    small.metadata.to_csv(small.folder / "metadata.csv", **{"index": False, **saved})
    with noticing() as notes:
        text, _ = draft(small.folder / "expression.csv", small.folder / "metadata.csv")
    return yaml.safe_load(text), [note.text for note in notes]


def test_copies_word_for_word_are_left_out_and_said(tmp_path):
    frame = pd.DataFrame({"id": ["S1", "S2", "S1"], "age": ["4", "5", "4"]})
    with noticing() as notes:
        assert by_sample(frame, "id", "m.csv")["age"].to_dict() == {"S1": "4", "S2": "5"}
    assert [note.text for note in notes] == ["1 row(s) that stand twice, word for word, left out: S1"]
    small = SmallCohort(tmp_path)
    small.metadata = small.metadata.iloc[[0, *range(len(small.metadata))]]
    run, notes = drafted(small)
    assert run["metadata"]["sample"] == "sample_id" and "left out: S001_1" in notes[0]


def test_a_sample_twice_is_named_with_what_differs(tmp_path):
    frame = pd.DataFrame({"id": ["S1", "S2", "S1"], "age": ["4", "5", "6"], "sex": "f"})
    with pytest.raises(InputError, match=r"m.csv: column 'id': sample .* S1 stand twice \(S1: rows differ in age\)"):
        by_sample(frame, "id", "m.csv")
    small = SmallCohort(tmp_path)
    small.metadata = small.metadata.iloc[[0, *range(len(small.metadata))]].reset_index(drop=True)
    small.metadata.loc[0, "age"] = 99
    with pytest.raises(InputError, match="column 'sample_id': .* S001_1 stand twice .*rows differ in age"):
        drafted(small)


def test_ids_in_a_column_without_a_name(tmp_path):
    small = SmallCohort(tmp_path)
    small.metadata = small.metadata.set_index("sample_id").rename_axis(None)
    run, _ = drafted(small, index=True)
    assert run["metadata"]["sample"] == "" and run["metadata"]["donor"] == "donor_id"
    assert set(run["tasks"]) >= {"disease", "age"}


def test_the_row_number_of_pandas_is_no_column(tmp_path):
    run, notes = drafted(SmallCohort(tmp_path), index=True)
    assert run["metadata"]["sample"] == "sample_id"
    assert "column(s) '' left out: they only count the rows" in notes


def test_rows_may_be_named_by_their_number_alone():
    frame = pd.DataFrame({"": ["1", "2", "3"], "age": ["4", "5", "6"]})
    assert list(without_row_numbers(frame, "m.csv")) == ["", "age"]
    assert list(without_row_numbers(frame.assign(patient_id=["7", "8", "9"]), "m.csv")) == ["age", "patient_id"]
    assert list(without_row_numbers(frame.assign(weight=["7", "8", "9"]), "m.csv")) == ["", "age", "weight"]


def test_the_row_number_is_no_feature_of_doses(tmp_path):
    frame = pd.DataFrame({"patient_id": [f"{i:04d}" for i in range(60)], "sex": ["m", "f"] * 30})
    frame["age"] = [40 + i % 17 for i in range(60)]
    frame["dose_mg_week"] = [20 + (i * 7) % 31 for i in range(60)]
    frame.to_csv(tmp_path / "p.csv")
    run = yaml.safe_load(draft_table(tmp_path / "p.csv")[0])
    assert run["features"]["numeric"] == ["age"] and run["metadata"]["sample"] == "patient_id"


def test_a_name_in_two_lines_makes_a_valid_yaml(tmp_path):
    small = SmallCohort(tmp_path)
    small.metadata["clinical\nnotes"] = "x"
    run, _ = drafted(small)
    assert run["metadata"]["sample"] == "sample_id"
    assert "clinical notes" in read_metadata(tmp_path / "metadata.csv").columns
