"""Empty rows and columns are left out and counted; what is left of a table is as it was."""

from __future__ import annotations

import numpy as np
import openpyxl
import pandas as pd
import pytest

from mtlbio.cohort.metadata import read_matrix, read_metadata
from mtlbio.intake.notes import noticing

TABLE = "sample_id,donor_id,age\nS1,D1,45.5\nS2,D2,51\n"
MATRIX = "sample_id,G1,G2\nS1,1.5,2\nS2,0.5,3\n"


def described(path, text: str):
    path.write_text(text)
    with noticing() as notes:
        table = read_metadata(path)
    return table.to_dict("list"), [note.text for note in notes]


def measured(path, text: str):
    path.write_text(text)
    with noticing() as notes:
        table, _ = read_matrix(path, "sample_id")
        ids, _ = read_matrix(path, "sample_id", only_ids=True)
    assert ids.index.tolist() == table.index.tolist() and ids.shape[1] == 0
    return {c: table[c].tolist() for c in table}, table.index.tolist(), [note.text for note in notes]


PLAIN = {"sample_id": ["S1", "S2"], "donor_id": ["D1", "D2"], "age": ["45.5", "51"]}
MESSY = {
    TABLE + ",,\n , ,\n\n": "2 rows without any value left out",
    TABLE.replace("\n", ",,\n"): "2 columns without name and values left out",
    "".join(f",{line}\n" for line in TABLE.splitlines()): "1 column without name and values left out",
    TABLE.replace("age", "age,Unnamed: 3").replace("5\n", "5,\n"): "1 column without name and values left out",
    TABLE + TABLE.splitlines()[0] + "\n": "1 row that repeats the header left out",
    TABLE + "* p < 0.05,,\nn = 2 patients,,\n": "2 rows below the table left out: * p < 0.05, n = 2 patients",
}  # fmt: skip


@pytest.mark.parametrize("text", MESSY)
def test_what_a_spreadsheet_leaves(tmp_path, text):
    assert described(tmp_path / "m.csv", text) == (PLAIN, [MESSY[text]])


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (MATRIX + ",,\n", "1 row without any value left out"),
        (MATRIX + "\x1a", "1 row without any value left out"),
        (MATRIX + "\ufeff,\u200b,\n", "1 row without any value left out"),
        (MATRIX.replace("\n", ",\n"), "1 column without name and values left out"),
        ("".join(f",{line}\n" for line in MATRIX.splitlines()), "1 column without name and values left out"),
        (MATRIX + "# end\n", "1 row that holds a comment only left out"),
        (MATRIX + "sample_id,G1,G2\n", "1 row that repeats the header left out"),
        (MATRIX + "mean of two,,\n", "1 row below the table left out: mean of two"),
    ],
)
def test_a_matrix_without_it(tmp_path, text, note):
    values, samples, notes = measured(tmp_path / "e.csv", text)
    assert values == {"G1": [1.5, 0.5], "G2": [2, 3]} and samples == ["S1", "S2"] and note in notes


def test_a_column_without_a_name_but_with_values_stays_once(tmp_path):
    table, notes = described(tmp_path / "m.csv", "sample_id,,age,\nS1,a,4,x\nS2,b,5,\n")
    assert table == {"sample_id": ["S1", "S2"], "": ["a", "b"], "age": ["4", "5"]}
    assert notes == ["column(s) 4 left out: values without a name"]


def test_cells_are_tidied_and_said(tmp_path):
    text = "sample_id\u00a0,\u200bage\nS1\u00a0,4\n\u201cS2\u201d,5\n\ufeffS3,6\n"
    table, notes = described(tmp_path / "m.csv", text)
    assert table == {"sample_id": ["S1", "S2", "S3"], "age": ["4", "5", "6"]}
    assert notes[0].startswith("3 cells held invisible characters") and notes[0].endswith("made plain in sample_id")
    assert measured(tmp_path / "e.csv", "id,G1\nS1\u00a0,4\n\u200bS2,5\n")[1] == ["S1", "S2"]


def test_line_breaks_in_names_and_cells(tmp_path):
    table, _ = described(tmp_path / "m.csv", 'sample_id,"age\n(years)","note\r\nx"\nS1,4,"a\nb"\nS2,5,c\n')
    assert table == {"sample_id": ["S1", "S2"], "age (years)": ["4", "5"], "note x": ["a b", "c"]}


def test_signs_and_errors_of_spreadsheets(tmp_path):
    text = "id,G1,G2\nS1,\u22121.5,2\nS2,#DIV/0!,\u20130.5\nS3,4,#REF!\n"
    values, _, notes = measured(tmp_path / "e.csv", text)
    assert values["G1"][0] == -1.5 and np.isnan(values["G1"][1]) and values["G2"][:2] == [2, -0.5]
    assert notes[-1] == "2 cells with an error of a spreadsheet taken as missing: G1 (#DIV/0!), G2 (#REF!)"
    table, _ = described(tmp_path / "m.csv", text.replace(",2\n", ",40\u201349\n"))
    assert table["G1"][:1] == ["-1.5"] and table["G2"][0] == "40\u201349" and pd.isna(table["G1"][1])


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("id,age,sex\nS1,4,m\nS2,5\nS3,6,f\n", "1 row with fewer fields than the header (first: 'S2')"),
        ("id,age,sex\nS1,4,m\nS2,5,f\nS3,6\n", "1 row with fewer fields than the header (first: 'S3'); the file may "
         "have been cut"),
        ("id,age,sex\nS1,4\nS2,5\n", "no row has a field for the last column 'sex': is a separator missing?"),
    ],
)  # fmt: skip
def test_rows_that_end_early_are_said(tmp_path, text, note):
    assert described(tmp_path / "m.csv", text)[1] == [note]


def test_samples_whose_names_are_of_several_words_are_no_footnotes(tmp_path):
    text = "sample_id,G1,G2\nPatient 1,1.5,2\nPatient 2,0.5,3\nPatient 3,2.5,4\nn = 3 patients,,\n"
    values, ids, notes = measured(tmp_path / "e.csv", text)
    assert ids == ["Patient 1", "Patient 2", "Patient 3"] and values["G1"] == [1.5, 0.5, 2.5]
    assert notes == ["1 row below the table left out: n = 3 patients"]


def test_a_row_of_units_below_the_header_is_left_out(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("sample_id,sex,age,weight\n,,years,kg\nS1,F,40,70.5\nS2,M,50,80\nS3,M,,81\n")
    with noticing() as notes:
        table = read_metadata(path)
    assert table["sample_id"].tolist() == ["S1", "S2", "S3"] and table["age"].tolist()[:2] == ["40", "50"]
    assert [n.text for n in notes if n.doubt] == ["1 row of units below the header left out: years, kg"]
    path.write_text("sample_id,sex,age\n,F,39\nS1,F,40\nS2,M,50\n")  # a sample that has lost its name
    assert read_metadata(path)["sample_id"].tolist()[1:] == ["S1", "S2"]


def test_empty_cells_at_the_end_of_a_workbooks_rows_are_no_short_rows(tmp_path):
    book = openpyxl.Workbook()
    for row in (["sample_id", "age", "note"], ["S1", 40, "x"], ["S2", 50], ["S3", 60]):
        book.active.append(row)
    book.save(tmp_path / "m.xlsx")
    with noticing() as notes:
        assert read_metadata(tmp_path / "m.xlsx").shape == (3, 3)
    assert not notes
