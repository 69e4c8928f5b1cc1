"""Names that differ in their way of writing only."""

import pandas as pd
import pytest

from mtlbio.intake.spelling import pooled, shown, variants


@pytest.mark.parametrize(
    "names",
    [
        ["case", "Case"],
        ["non-responder", "non responder", "Non_Responder", "nonresponder"],
        ["caf\u00e9", "cafe\u0301"],
        ["c\u0430se", "case"],
        ["COVID 19", "COVID-19", "COVID\u00a019"],
        ["P-1", "P1", "p1"],
        ["M", "male"],
        ["Crohn's", "Crohn\u2019s"],
        ["case", "case\u200b"],
    ],
)
def test_one_name_in_several_ways_of_writing(names):
    (group,) = variants(pd.Series([*names, "female" if "M" in names else "other"]))
    assert sorted(group) == sorted(names)


@pytest.mark.parametrize(
    "names", [["1-2", "12"], ["ER+", "ER-"], ["CD4+", "CD4"], ["P1_1", "P11"], ["M", "F"], ["M", "male", "x"]]
)
def test_different_names(names):
    assert variants(pd.Series(names)) == []


def test_one_way_of_writing_is_left_the_named_or_the_most_frequent():
    column = pd.Series(["Case", "case", "case", None, "control"])
    assert pooled(column).tolist() == ["case", "case", "case", None, "control"]
    assert pooled(column, ["Case"]).tolist()[:3] == ["Case"] * 3
    assert shown({"case": 2, "c\u0430se": 1}) == r"'case' (2), 'c\u0430se' (1)"
