"""Numbers as people write them."""

import math

import pandas as pd
import pytest

from mtlbio.intake.amounts import read_amounts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (">89", 90), ("> 89", 90), ("≥90", 90), (">=90", 90), ("90+", 90), ("89 or older", 89), ("<1", 0), ("<= 5", 5),
        ("over 89", 90), ("45 years", 45), ("45y", 45), ("45 y.o.", 45), ("45 yrs", 45), ("45 Jahre", 45),
        ("40-49", 44.5), ("40–49", 44.5), ("40 to 49", 44.5), ("[40,50)", 45), ("(40, 50]", 45), ("40_49", 44.5),
        ("~45", 45), ("ca. 45", 45), ("about 45", 45), ("45?", 45), ("−3", -3), ("4５", 45), ("age: 45", 45),
        ("12 months", 1), ("3y 6m", 3.5), ("6-month-old stage", 0.5), ("45-year-old stage", 45),
        ("45-year-old human stage", 45), ("80 year-old and over stage", 80), ("sixth decade stage", 54.5),
    ],
)  # fmt: skip
def test_one_way_of_writing_an_age(text, value):
    found = read_amounts(pd.Series(["30", text], name="age"))
    assert found.values.tolist() == [30, pytest.approx(value)] and not len(found.wrong)
    assert found.said[0][0].startswith(f"{text!r} read as ") and found.said[0][0].endswith(", 1 sample")


@pytest.mark.parametrize(
    "text", ["adult", "2020-05-01", "49-40", "45²", "30 apples", "newborn stage", "inf", "1/2", "*"]
)
def test_what_no_rule_fits_stays(text):
    found = read_amounts(pd.Series(["30", text], name="age", index=["a", "b"]))
    assert found.wrong.to_dict() == {"b": text} and not found.said
    assert found.values.tolist()[0] == 30 and math.isnan(found.values.iloc[1])


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["22,5", "31,125"], [22.5, 31.125]),
        (["1,234.5", "2,100"], [1234.5, 2100]),
        (["1,234", "980"], [1234, 980]),
        (["1.234,5", "900,1"], [1234.5, 900.1]),
        (["1 234", "1'234"], [1234, 1234]),
        (["70 kg", "80kg", "75"], [70, 80, 75]),
        (["23.1 kg/m²", "24 kg/m2"], [23.1, 24]),
        (["5.1 mmol/L", "<0.5 mmol/L"], [5.1, 0.5]),
    ],
)
def test_commas_and_units_are_those_of_the_column(texts, values):
    found = read_amounts(pd.Series(texts, name="value"))
    assert found.values.tolist() == values and not len(found.wrong)


def test_two_units_are_no_rule_and_times_are_in_the_columns_own():
    assert read_amounts(pd.Series(["70 kg", "150 lb"], name="weight")).wrong.tolist() == ["70 kg", "150 lb"]
    assert read_amounts(pd.Series(["14", "1 year"], name="age_months")).values.tolist() == [14, 12]
    assert read_amounts(pd.Series(["1,234", "45"], name="x")).wrong.tolist() == ["1,234"]


def test_a_strict_bound_of_decimals_is_the_bound():
    assert read_amounts(pd.Series([">89", "45.5"])).values.tolist() == [89, 45.5]
