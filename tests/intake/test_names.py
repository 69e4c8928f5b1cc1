"""Names and ids without what cannot be seen."""

from __future__ import annotations

import pandas as pd

from mtlbio.intake.names import is_no_name, is_row_number, tidied, tidy_name


def test_names_of_columns_can_be_printed_in_a_line():
    assert tidy_name("clinical\nnotes") == "clinical notes"
    assert tidy_name("\ufeffsample\u00a0id\u200b ") == "sample id"
    assert tidy_name("a\x1b[2Jb\x00") == "a[2Jb"


def test_cells_that_changed_are_counted():
    made, changed = tidied(pd.Series(["S1\u00a0", " S2 ", "\u201cS3\u201d", "a\nb", float("nan")]))
    assert made.tolist()[:1] == ["S1"] and made.tolist()[2:4] == ["S3", "a b"] and changed == 3
    plain = pd.Series(["a", " b"])
    assert tidied(plain)[0] is plain


def test_the_first_and_the_last_curly_quote_are_a_pair_or_stay():
    assert tidied(pd.Series(["O\u2019Brien", "\u2018x\u2019"]))[0].tolist() == ["O\u2019Brien", "x"]


def test_columns_that_count_rows():
    assert is_row_number("Unnamed: 0", pd.Series([0, 1, 2])) and is_row_number("X", pd.Series(["1", "2"]))
    assert not is_row_number("", pd.Series(["1", "3"])) and not is_row_number("dose", pd.Series([1, 2, 3]))
    assert not is_row_number("", pd.Series(["a", "b"])) and not is_row_number("", pd.Series([], dtype=object))
    assert is_no_name("Unnamed: 3") and is_no_name("") and is_no_name("...4") and not is_no_name("x")
