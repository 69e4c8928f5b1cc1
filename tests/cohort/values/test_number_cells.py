"""Cells that are no numbers: missing values are counted, columns of text are no genes, all else is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.values.number_cells import numbers_of
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing

PATH = Path("table.csv")


def table(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(columns, index=["S1", "S2", "S3"])


@pytest.mark.parametrize(
    "code", ["-", "n.d.", "#DIV/0!", "Filtered", "Undetermined", "NA ", "#N/A", "?", "not detected", "not measured"]
)
def test_codes_of_missing_values_are_counted(code):
    with noticing() as notes:
        _, values = numbers_of(table(TP53=[code, "2.5", code], MYC=[1.0, 2.0, 3.0]), False, PATH)
    np.testing.assert_array_equal(values, np.array([[np.nan, 1], [2.5, 2], [np.nan, 3]], dtype=np.float32))
    assert [n.text for n in notes] == [f"2 cells are taken for missing values: {code.strip()!r} (2)"]
    assert not notes[0].doubt


def test_values_below_a_limit_are_missing_and_a_doubt():
    with noticing() as notes:
        _, values = numbers_of(table(IL6=["<LOD", "2.5", "BLQ"], IL8=["1", "-", "2"]), False, PATH)
    assert np.isnan(values).sum() == 3 and notes[0].doubt
    assert "3 cells are taken for missing values" in notes[0].text and "2 of them are below a limit" in notes[0].text


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("<0.5", "column 'IL6', sample 'S2': '<0.5' is not numeric: a limit of detection"),
        ("3,5", "'3,5' is not numeric: a decimal comma"),
        ("high", "'high' is not numeric.*drop"),
    ],
)
def test_other_text_is_refused_with_its_place(cell, words):
    with pytest.raises(InputError, match=words):
        numbers_of(table(IL6=["1", cell, "2"], IL8=[1.0, 2.0, 3.0]), False, PATH)


def test_of_genes_in_rows_gene_and_sample_change_places():
    with pytest.raises(
        InputError, match="gene 'S1', sample 'IL8': 'low' is not numeric and 1 more cells: if 'IL8' is no s"
    ):
        numbers_of(table(IL6=["1", "high", "2"], IL8=["low", "1", "2"]), True, PATH)


def test_a_row_of_text_among_genes_is_named():
    with pytest.raises(InputError, match="gene 'S1', sample 'A': 'case' is not numeric and 3 more cells: if 'S1' is n"):
        numbers_of(table(**{name: ["case", "1", "2"] for name in "ABCD"}), True, PATH)
    with pytest.raises(
        InputError, match="column 'A', sample 'S1': 'log2' is not numeric .*: if 'S1' is no sample, rem"
    ):
        numbers_of(table(**{name: ["log2", "1", "2"] for name in "ABCD"}), False, PATH)


@pytest.mark.parametrize("column", [["f", "m", "f"], [datetime(2020, 1, 2)] * 3, [1j, 2j, 3j]])
def test_a_column_without_numbers_goes_and_is_said(column):
    with noticing() as notes:
        kept, values = numbers_of(table(sex=column, TP53=[1.0, 2.0, 3.0], MYC=["4", "5", ""]), False, PATH)
    assert kept.columns.tolist() == ["TP53", "MYC"] and np.nansum(values) == 15
    assert "1 column(s) without a number are no genes: left out: 'sex' (" in notes[0].text and notes[0].doubt


def test_a_column_of_missing_values_stays():
    kept, values = numbers_of(table(TP53=["NA", "-", ""], MYC=[1.0, 2.0, 3.0]), False, PATH)
    assert kept.shape == (3, 2) and np.isnan(values[:, 0]).all()


def test_a_table_without_any_number_is_refused():
    with pytest.raises(InputError, match="no column of numbers: column 'sex' holds 'f'"):
        numbers_of(table(sex=["f", "m", "f"]), False, PATH)


def test_numbers_of_every_type_are_kept():
    kept, values = numbers_of(
        table(a=[1, 2, 3], b=[True, False, True], c=pd.array([1, None, 3], "Int64"), d=["1e3", " 2 ", "3 %"]),
        False,
        PATH,
    )
    assert kept.shape == (3, 4)
    np.testing.assert_array_equal(values[0], [1, 1, 1, 1000])
    assert np.isnan(values[1, 2]) and values[1, 3] == 2
