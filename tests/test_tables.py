"""Tables: what a spreadsheet would execute is escaped, and every text comes back as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlbio.errors import InputError
from mtlbio.tables import escaped, read_table, write_table

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1-cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "\r=1",
    "\n=1",
    "＝1",
    "-",
    "=",
]
PLAIN = ["CD4", "HLA-DRA", "-1.5", "+2", "-1e-3", ".5", "5'UTR", "", "a=b", "é", "S 1", "'", "'a"]
QUOTED = ["'=1+1", "''@x", "'-1.5", "'\t"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "a.tsv"


def test_what_a_spreadsheet_would_execute_gets_an_apostrophe(place):
    names = [*FORMULAS, *PLAIN, *QUOTED]
    table = pd.DataFrame({"sample": names, "value": -1.5, "set": pd.Categorical(names)})
    write_table(table, place)
    plain = pd.read_csv(place, sep="\t", keep_default_na=False, lineterminator="\n")  # as another program reads it
    for column in ("sample", "set"):
        assert plain[column].tolist() == [*(f"'{n}" for n in FORMULAS), *PLAIN, *(f"'{n}" for n in QUOTED)]
    assert plain["value"].tolist() == [-1.5] * len(names)
    again = read_table(place)
    assert again["sample"].tolist() == again["set"].tolist() == names and (again["value"] == -1.5).all()


def test_a_table_without_such_text_is_the_same_object():
    table = pd.DataFrame({"sample": ["a", "-1.5", np.nan], "value": [-1.0, 2.0, np.nan]})
    assert escaped(table) is table


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.one_of(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")),
                          st.sampled_from([*FORMULAS, *PLAIN, *QUOTED])), min_size=1, max_size=5))  # fmt: skip
def test_every_text_comes_back_as_it_was(place, names):
    write_table(pd.DataFrame({"sample": names, "value": -1.5}), place)
    again = read_table(place)
    assert again["sample"].fillna("NA").tolist() == names and (again["value"] == -1.5).all()


def test_a_table_that_a_spreadsheet_saved_is_read(place):
    place.write_bytes(b"sample\tvalue\r\na\t1\r\nb\t2\r\n")
    assert read_table(place).to_dict("list") == {"sample": ["a", "b"], "value": [1, 2]}


@pytest.mark.parametrize("content", [b"", b'sample\tvalue\na\t1\t2\t3\nb\n"', b"\xff\xfe\x00", b'sample\na\n"b'])
def test_a_damaged_table_is_one_line(place, content):
    place.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(place, ["sample", "value"])
    assert str(caught.value).startswith(f"{place}: ") and "\n" not in str(caught.value)


def test_a_sample_that_is_called_na_is_not_missing(tmp_path):
    table = pd.DataFrame({"sample": ["NA", "'NA", "a", None], "level": ["NA", "NA", "", "b"]})
    write_table(table, tmp_path / "a.tsv")
    assert (tmp_path / "a.tsv").read_text().splitlines()[1:] == ["'NA\t'NA", "''NA\t'NA", "a\t", "NA\tb"]
    back = read_table(tmp_path / "a.tsv")
    assert back["sample"].tolist()[:3] == ["NA", "'NA", "a"] and pd.isna(back["sample"][3])
    assert back["level"].tolist() == ["NA", "NA", "", "b"]
