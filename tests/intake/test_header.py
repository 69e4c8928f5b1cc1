"""Where the header stands, and which column each name belongs to."""

from __future__ import annotations

import pytest

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError
from mtlbio.intake.header import looks_like_header
from mtlbio.intake.notes import noticing

TABLE = "sample_id,donor_id,disease,age\nS1,D1,case,45.5\nS2,D2,control,51\nS3,D3,case,60\n"


def read(path, text: str):
    path.write_text(text)
    with noticing() as notes:
        table = read_metadata(path)
    return table, [note.text for note in notes]


ABOVE = {
    "# exported 2024\n# project X\n": "2 lines of comments skipped: # exported 2024, # project X",
    "# export of 2024\n": "1 line of comments skipped: # export of 2024",
    "# a, b, c, d\n": "1 line of comments skipped: # a, b, c, d",
    '"# exported, 2024",,,\n': '1 line of comments skipped: "# exported, 2024",,,',
    "Supplementary Table 1. Patients\n\n": "1 line above the header skipped: Supplementary Table 1. Patients",
    "Table 1. Patients,,,\n,,,\n": "1 line above the header skipped: Table 1. Patients",
    "Table one\nof two, parts\n": "2 lines above the header skipped: Table one, of two parts",
    ",,Clinical,\n": "1 line above the header skipped: Clinical",
    "Ids,,Clinical,\n": "1 line above the header skipped: Ids Clinical",
    "\n \n": None,
}


@pytest.mark.parametrize("above", ABOVE)
def test_lines_above_the_header_are_skipped_and_said(tmp_path, above):
    table, notes = read(tmp_path / "m.csv", above + TABLE)
    assert list(table.columns) == ["sample_id", "donor_id", "disease", "age"]
    assert table["sample_id"].tolist() == ["S1", "S2", "S3"]
    assert notes == ([ABOVE[above]] if ABOVE[above] else [])


def test_names_over_merged_cells(tmp_path):
    table, _ = read(tmp_path / "m.csv", "sample_id,Clinical,,\n,disease,age,sex\nS1,case,4,m\nS2,case,5,f\n")
    assert list(table.columns) == ["sample_id", "disease", "age", "sex"]


def test_a_header_may_begin_with_a_hash(tmp_path):
    text = "# Constructed from biom file\n#OTU ID\tS1\tS2\nO1\t1.5\t2\nO2\t3\t4\n"
    table, notes = read(tmp_path / "m.tsv", text)
    assert list(table.columns) == ["#OTU ID", "S1", "S2"] and table["S1"].tolist() == ["1.5", "3"]
    assert notes == ["1 line of comments skipped: # Constructed from biom file"]
    qiime = "#SampleID\tCode\tGroup\n#q2:types\tcategorical\tcategorical\nP.1\tAC\tControl\nP.2\tAG\tControl\n"
    table, notes = read(tmp_path / "m.tsv", qiime)
    assert list(table.columns) == ["#SampleID", "Code", "Group"] and table["#SampleID"].tolist() == ["P.1", "P.2"]
    table, _ = read(tmp_path / "m.csv", "## v1\n#" + TABLE)
    assert list(table.columns)[0] == "#sample_id" and len(table) == 3


def test_nothing_is_cut_at_a_hash(tmp_path):
    table, notes = read(tmp_path / "m.csv", TABLE.replace("S2", "#2").replace("S3", "S#3") + "# end of file\n")
    assert table["sample_id"].tolist() == ["S1", "#2", "S#3"]
    assert notes == ["1 row that holds a comment only left out"]


def test_row_names_of_r(tmp_path):
    table, notes = read(tmp_path / "m.txt", '"age" "site"\n"r1" 1 "a b"\n"r2" 2 "c"\n')
    assert table.to_dict("list") == {"": ["r1", "r2"], "age": ["1", "2"], "site": ["a b", "c"]}
    assert "the header has one field less than the rows, as R writes it: the first column holds row names" in notes
    table, _ = read(tmp_path / "m.csv", '"sample_id","age"\n"1","S1",4\n"2","S2",5\n')
    assert table["sample_id"].tolist() == ["S1", "S2"]
    table, _ = read(tmp_path / "m.csv", "sample_1,sample_2\nG1,5,6\nG2,7,8\n")
    assert table.to_dict("list") == {"": ["G1", "G2"], "sample_1": ["5", "7"], "sample_2": ["6", "8"]}
    table, _ = read(tmp_path / "m.txt", "x\na 1\nb 2\n")
    assert table.to_dict("list") == {"": ["a", "b"], "x": ["1", "2"]}


def test_rows_that_end_with_a_separator_shift_nothing(tmp_path):
    text = TABLE.replace("45.5", "45.5,").replace("51", "51,").replace("60", "60,")
    table, notes = read(tmp_path / "m.csv", text)
    assert table["donor_id"].tolist() == ["D1", "D2", "D3"] and table["age"].tolist() == ["45.5", "51", "60"]
    assert notes == ["1 column without name and values left out"]
    table, notes = read(tmp_path / "m.csv", TABLE + "S,D,case,7\n" * 300 + "S9,D9,case,8,,\n")
    assert table["age"].iloc[-1] == "8" and notes == ["2 columns without name and values left out"]


QUOTES = "is a cell with a comma in it (a decimal comma?) not quoted"
SHIFTED = {
    "filled in some rows": (
        TABLE.replace("45.5", "45.5,").replace("51", "51,x").replace("60", "60,"),
        "the last of them empty in 2 of the first 3",
    ),
    "a comma in a cell": (TABLE.replace("case", "case, mild").replace("control", "control, none"), QUOTES),
    "decimal commas": ("patient_id,age\nP1,45,3\nP2,50,1\n", QUOTES),
    "names that repeat": ("name,age\nSmith,J,4\nSmith,K,5\n", "'Smith' stands in it twice"),
    "two further fields": (
        TABLE.replace("case", "a,b,c").replace("control", "a,b,c"),
        "has 4 fields and the rows have 6",
    ),
    "the last column without a name": (
        "sample_id;disease;age\nS1;case;4;a\nS2;control;5;b\n",
        "not quoted, or has the first or the last column no name?",
    ),
    "numbered rows that end with a separator": (
        "sample_id,donor_id,age\n1,D1,4,\n2,D2,5,\n",
        "the last of them empty in 2 of the first 2",
    ),
    "late": (TABLE + "S,D,case,7\n" * 300 + "S9,D9,case,8,9\n", "line 305 has 5 fields, the header 4: is a cell"),
}


@pytest.mark.parametrize("case", SHIFTED)
def test_rows_that_fit_no_header_are_refused_in_a_line(tmp_path, case):
    text, words = SHIFTED[case]
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_metadata(tmp_path / "m.csv")
    assert words in str(caught.value) and str(tmp_path / "m.csv") in str(caught.value)


def test_what_looks_like_names():
    assert looks_like_header(["id", "age"], [["S1", "4"], ["S2", "5"]]) is True
    assert looks_like_header(["S0", "case"], [["S1", "case"], ["S2", "control"]]) is False
    assert looks_like_header(["id", "group"], [["S1", "case"], ["S2", "control"]]) is None
