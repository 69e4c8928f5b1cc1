"""Words and codes that stand for nothing known."""

import pandas as pd
import pytest

from mtlbio.intake.missing_words import is_no_value, looks_missing, written

WORDS = "unknown Unknown UNK n/a N.A. Not_Available not-reported [Unknown] -- ? . — missing NULL nan #VALUE! Refused"


@pytest.mark.parametrize("word", [*WORDS.split(), "Not available", "not\u00a0known", "[Not Applicable]", "***"])
def test_words(word):
    assert is_no_value(word)


@pytest.mark.parametrize("word", ["none", "No", "0", "other", "neg", "ER-", "unknown primary", "N", "A", "-9"])
def test_words_of_something(word):
    assert not is_no_value(word)


@pytest.mark.parametrize(
    ("values", "number", "found"),
    [
        (["34", "51", "-9", "47"], True, {"-9": 1}),
        (["34", "51", "999", "47"], True, {"999": 1}),
        (["34", "60", "99", "99"], True, {"99": 2}),
        (["34", "60", "-1"], True, {"-1": 1}),
        (["0", "3", "-1"], True, {}),
        (["34", "85", "99"], True, {}),
        (["-2.1", "3", "-9"], True, {}),
        (["0", "1", "-9", "-9"], False, {"-9": 2}),
        (["0", "1", "-1"], False, {}),
        (["1", "2", "1", "9"], False, {"9": 1}),
        (["1", "2", "8", "9"], False, {}),
        (["+", "-", "+"], False, {}),
        (["ER+", "ER-", "unknown"], False, {"unknown": 1}),
    ],
)
def test_codes_lie_outside_of_all_others(values, number, found):
    assert looks_missing(pd.Series(values), number=number) == found


def test_what_the_run_names_is_found_in_every_case_and_way_of_writing():
    column = pd.Series(["UNKNOWN", "-9", "-9.0", "9", "unknown", "x"])
    assert written(["Unknown", -9], column) == ["-9", "-9.0", "UNKNOWN", "unknown"]
    donors = pd.Series(["9", "009", "unknown"])
    assert written(["unknown", 9], donors) == ["9", "unknown"] and written(["unknown", 9], donors, True) == ["unknown"]
