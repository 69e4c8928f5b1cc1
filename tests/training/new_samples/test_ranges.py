"""Tables of features: units, ranges, levels and columns that lack."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.tabular import Plan, Source
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.ranges import Ranges, check_ranges, known_levels

PLAN = Plan(
    (Source("age", "number"), Source("weight", "number"), Source("sex", "category", ("female", "male"), ("x", "y"))), {}
)
RANGES = Ranges(np.array([23.0, 40.0]), np.array([80.0, 115.0]), np.array([52.0, 75.0]), np.array([15.0, 11.0]))


def checked(age, weight=75.0) -> tuple[Checks, list]:
    age, weight = np.broadcast_arrays(np.asarray(age, dtype=float), np.asarray(weight, dtype=float))
    values, checks = np.zeros((age.size, len(PLAN.columns))), Checks("new.csv")
    values[:, 0], values[:, 1] = age.ravel(), weight.ravel()
    with noticing() as notes:
        check_ranges(values, PLAN, RANGES, checks)
    return checks, notes


def test_numbers_within_the_range_pass():
    checks, notes = checked(np.linspace(25, 78, 20))
    assert notes == [] and {row["call"] for row in checks.rows} == {"fine"}


def test_numbers_outside_are_told_with_both_ranges_and_their_number():
    checks, notes = checked(np.array([4.0, 9.0, 6.0, 30.0]))
    (note,) = notes
    assert note.text == "age: 4 to 30, the model saw 23 to 80 (3 of 4 samples outside)" and note.doubt
    row = next(row for row in checks.rows if row["check"] == "outside")
    assert (row["value"], row["call"]) == (0.75, "look") and checks.refusals == []


def test_a_few_just_outside_are_no_doubt():
    _, notes = checked(np.append(np.linspace(25, 78, 30), 81))
    assert len(notes) == 1 and not notes[0].doubt


@pytest.mark.parametrize(
    "age, weight, said",
    [
        (50, np.linspace(60, 100, 9) * 2.2046, "pounds where the model has kilograms? Times 0.454"),
        (50, [176.0], "pounds where the model has kilograms? Times 0.454"),
        (np.linspace(30, 70, 9) * 12, 75, "months where the model has years? Times 0.0833"),
        (np.linspace(30, 70, 9) * 365.25, 75, "days where the model has years?"),
        (50, np.linspace(60, 100, 9) * 1000, "thousandths where the model has whole units?"),
    ],
)
def test_another_unit_is_refused_by_name(age, weight, said):
    checks, _ = checked(age, weight)
    assert len(checks.refusals) == 1 and said in checks.refusals[0] and "the model saw" in checks.refusals[0]
    with pytest.raises(InputError, match="^new.csv: .*; --anyway predicts nevertheless$"):
        checks.settle(anyway=False)


def test_numbers_that_are_missing_take_no_part():
    checks, notes = checked(np.array([np.nan, np.nan]), np.array([75.0, np.nan]))
    assert notes == [] and [row["item"] for row in checks.rows] == ["weight", "weight"]


@pytest.mark.parametrize("level", ["A", "-1", "12", "b -", "C+"])
def test_a_sign_or_a_range_is_no_spelling(level):
    plan, checks = Plan((Source("group", "category", ("A-", "1", "1-2", "b", "c")),), {}), Checks("new.csv")
    assert known_levels(pd.DataFrame({"group": [level]}), plan, checks)["group"].tolist() == [level]
    assert checks.rows[0]["value"] == 1


def test_levels_in_another_spelling_are_taken_and_unknown_ones_told():
    text = pd.DataFrame({"sex": ["Female", "MALE", "male", "diverse", np.nan, "x"]})
    checks = Checks("new.csv")
    with noticing() as notes:
        found = known_levels(text, PLAN, checks)
    assert found["sex"].tolist()[:4] == ["female", "male", "male", "diverse"]
    assert text["sex"].tolist()[:2] == ["Female", "MALE"]
    spelled, strange = (note.text for note in notes)
    assert spelled == (
        "sex: levels spelled otherwise than in training, taken for the same: Female is female, MALE is male"
    )
    assert strange == ("sex: diverse (1) did not occur in training and count as other; the model knows female, male")
    assert checks.rows[0]["value"] == pytest.approx(0.2)
