"""Families and dates in a draft."""

import numpy as np
import pytest
import yaml

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.draft_design import is_family, is_order
from mtlbio.cohort.prepare import build_cohort
from mtlbio.kinds.read import read_run


def notes_of(small, folder, column):
    small.write()
    text, notes = draft(folder / "expression.csv", folder / "metadata.csv", folder=folder)
    own = [note for note in notes if column in note]
    assert all(f"# {note}" in text.splitlines() for note in own)
    return text, own


@pytest.mark.parametrize("column", ["household", "family_id", "Litter", "pedigree", "FID"])
def test_who_belongs_together_is_suggested(small, tmp_path, column):
    donor = small.metadata["donor_id"].astype("category").cat.codes
    small.metadata[column] = [f"F{code // 2}" for code in donor]
    text, notes = notes_of(small, tmp_path, column)
    assert notes == [
        f"not sure: {column!r} may say who belongs together above the donor; if so, write family: {column} under "
        "metadata: families stay in one fold and count as one (docs/families.md)"
    ]
    content = yaml.safe_load(text)
    assert "family" not in content["metadata"] and column not in content["covariates"]
    content["metadata"]["family"] = column  # as the note has it
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(content))
    cohort, _ = build_cohort(read_run(tmp_path / "run.yaml"))
    assert len(np.unique(cohort.families)) == small.metadata[column].nunique()


@pytest.mark.parametrize("values", ["everybody", "nobody", "split"])
def test_a_column_that_cannot_be_a_family_is_none(small, tmp_path, values):
    rows = np.arange(len(small.metadata))
    donor = small.metadata["donor_id"]
    levels = {"everybody": "H", "nobody": "H" + donor, "split": [f"H{i % 3}" for i in rows]}
    small.metadata["household"] = levels[values]
    _, notes = notes_of(small, tmp_path, "household")
    assert notes == ["left out: visit, stage, household (not recognised: add as task or covariate where it is one)"]


@pytest.mark.parametrize("column", ["date_of_sampling", "collection_date", "sampling.date", "draw_order"])
def test_when_a_sample_was_taken_is_suggested(small, tmp_path, column):
    days = [f"2020-03-{1 + i % 28:02d}" for i in range(len(small.metadata))]
    small.metadata[column] = range(len(days)) if column == "draw_order" else days
    text, notes = notes_of(small, tmp_path, column)
    said = (
        f"not sure: {column!r} may say when a sample was taken; if so, write order: {column} under metadata: the audit"
    )
    assert notes == [f"{said} asks whether it goes with an outcome"]
    content = yaml.safe_load(text)
    content["metadata"]["order"] = column
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(content))
    assert "metadata.order" in build_cohort(read_run(tmp_path / "run.yaml"))[0].obs


def test_dates_that_have_to_be_rewritten_are_said(small, tmp_path):
    small.metadata["collection_date"] = [f"{1 + i % 28}/3/2020" for i in range(len(small.metadata))]
    _, (note,) = notes_of(small, tmp_path, "collection_date")
    assert note.endswith("with an outcome; its dates have to be written as YYYY-MM-DD first")


@pytest.mark.parametrize("column", ["family_history", "family_doctor", "familiarity", "twin_study"])
def test_what_is_no_family(column):
    assert not is_family(column)


@pytest.mark.parametrize("column", ["date_of_birth", "diagnosis_date", "visit", "time", "order", "death_date"])
def test_what_is_no_order_of_sampling(column):
    assert not is_order(column)
