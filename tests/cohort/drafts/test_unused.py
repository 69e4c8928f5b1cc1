"""Columns that a run does not use reach the plan, with the reason why a draft left them out."""

from __future__ import annotations

import pytest

from mtlbio.cohort.drafts.draft import draft
from mtlbio.cohort.drafts.unused import unused
from mtlbio.kinds.read import read_run
from mtlbio.probing.plan import plan


def test_what_init_left_out_and_why_is_a_warning_of_the_plan(small, tmp_path):
    small.metadata["age"] = small.metadata["age"].astype(str).where(small.metadata.index > 2, "adult")
    small.metadata.loc[0, "sex"] = "male"  # the donor's other visit says female
    small.metadata["smoking"] = [f"{i} a day" for i in range(len(small.metadata))]
    small.metadata["outcome"] = ["dead" if i < 2 else "alive" for i in range(len(small.metadata))]
    small.write()
    text, notes = draft(tmp_path / "expression.csv", tmp_path / "metadata.csv", tmp_path)
    (tmp_path / "drafted.yaml").write_text(text)
    why = {
        "age": "holds what is no number: 'adult' (3)",
        "sex": "differs between the samples of donor 001 (female, male): correct it first",
        "smoking": "has 48 levels, nearly one per sample: an identifier",
        "outcome": "has fewer than two classes of three donors or more (donors: alive 23, dead 1)",
    }
    assert all(any(n.startswith(f"left out: {column!r} {reason}") for n in notes) for column, reason in why.items())
    planned = " ".join(plan(read_run(tmp_path / "drafted.yaml"), tmp_path / "results").split())
    warnings = planned.split("Warnings")[1].split("What each task can show")[0]
    for column, reason in why.items():
        like = "label" if column == "outcome" else "confounder"
        assert f"! metadata.csv: column {column!r} is called like a {like} and is not used: it {reason}" in warnings


def test_what_could_be_used_is_only_listed(small):
    (note,) = unused(read_run(small.write()))
    assert not note.doubt and note.text == "columns that the run does not use: visit, chip, stage"


@pytest.mark.parametrize("name", ["ifn_score", "pair_id", "sex_reference"])
def test_book_keeping_is_not_named(small, name):
    small.metadata[name] = range(len(small.metadata))
    (note,) = unused(read_run(small.write()))
    assert name not in note.text


def test_a_column_that_only_counts_the_rows_is_none(small):
    small.metadata.insert(0, "", range(len(small.metadata)))
    assert [n.text for n in unused(read_run(small.write()))][
        -1
    ] == "columns that the run does not use: visit, chip, stage"
