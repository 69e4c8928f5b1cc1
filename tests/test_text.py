import numpy as np
import pandas as pd
import pytest

from mtlbio.text import as_number, as_text, matching, suggestion


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["007", "012"], ["007", "012"]),
        (["1.0", "0.0", ""], ["1", "0", None]),
        (["1", "2.0"], ["1", "2"]),
        (["1.0", "1.5"], ["1.0", "1.5"]),
        (["v1.0", "v2.0"], ["v1.0", "v2.0"]),
        ([" SLE ", "NA", "NaN", "N/A"], ["SLE", None, None, None]),
        (["None", "none"], ["None", "none"]),
        ([5730053041.0, np.nan], ["5730053041", None]),
        ([1, 2], ["1", "2"]),
        ([0.5, 2.0], ["0.5", "2.0"]),
        ([True, False], ["True", "False"]),
        (pd.Categorical([7.0, None, 7.0]), ["7", None, "7"]),
        (pd.Categorical([None, None]), [None, None]),
        ([np.nan, np.nan], [None, None]),
    ],
)
def test_as_text(values, expected):
    found = as_text(pd.Series(values))
    assert [None if pd.isna(v) else v for v in found] == expected


def test_a_long_number_keeps_every_digit():
    assert as_text(pd.Series([5730053041, 5730053042])).tolist() == ["5730053041", "5730053042"]


def test_as_number_names_what_is_none():
    numbers, wrong = as_number(pd.Series(["1.5", np.nan, "old", "inf"], index=list("abcd")))
    assert numbers["a"] == 1.5 and np.isnan(numbers["b"])
    assert wrong.to_dict() == {"c": "old", "d": "inf"}


@pytest.mark.parametrize(
    ("value", "found", "expected"),
    [
        ("SLE", ["SLE", "healthy"], ["SLE"]),
        (1, ["0", "1"], ["1"]),
        (1, ["0.0", "1.0"], ["1.0"]),
        (1.0, ["0", "1"], ["1"]),
        ("1", ["1.0", "2.0"], ["1.0"]),
        (True, ["True", "False"], ["True"]),
        (True, ["yes", "no"], ["yes"]),
        (False, ["0", "1"], ["0"]),
        ("01", ["1"], ["1"]),
        ("01", ["01", "1"], ["01"]),
        ("sle", ["SLE"], []),
        (2, ["0", "1"], []),
        ("nan", ["x"], []),
    ],
)
def test_matching(value, found, expected):
    assert matching(value, found) == expected


def test_suggestion_names_a_near_miss():
    assert suggestion("Donor", ["donor_id", "age"]).startswith("did you mean 'donor_id'?")
    assert suggestion("zzz", ["donor_id", "age"]) == "found: donor_id, age"
