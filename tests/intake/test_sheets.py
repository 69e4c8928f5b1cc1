"""Excel workbooks: values of one sheet, named or the only one."""

from __future__ import annotations

import datetime

import openpyxl
import pandas as pd
import pytest
from small_cohort import SmallCohort

from mtlbio.cohort.metadata import csv_header, read_matrix, read_metadata
from mtlbio.cohort.prepare import prepare
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.base import kind_of
from mtlbio.kinds.read import read_run


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.replace("_", " "))
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


ROWS = [["sample_id", "age", "seen", "ok", None], ["S1", 45.5, datetime.date(2024, 1, 2), True, None]]
ROWS += [["S2", 50.0, datetime.datetime(2024, 1, 2, 9, 30), False], [None, None], [7, None, "#N/A", None]]


def test_values_as_text(tmp_path):
    path = workbook(tmp_path / "m.xlsx", one=[["Table S1"], [], *ROWS])
    with noticing() as notes:
        table = read_metadata(path)
    assert table.to_dict("list") == {
        "sample_id": ["S1", "S2", "7"],
        "age": ["45.5", "50", ""],
        "seen": ["2024-01-02", "2024-01-02 09:30:00", ""],
        "ok": ["TRUE", "FALSE", ""],
    }
    assert [note.text for note in notes][0] == "1 line above the header skipped: Table S1"


def test_the_sheet_is_named_or_the_only_one(tmp_path):
    path = workbook(tmp_path / "m.xlsx", Read_me=[["a note"]], Clinical_data=ROWS)
    assert csv_header(path)[:2] == ["sample_id", "age"]
    path = workbook(tmp_path / "n.xlsx", first=[["id", "x"], ["S1", 1.5]], Clinical_data=ROWS)
    assert read_matrix(f"{path}#first", "id")[0].loc["S1", "x"] == 1.5
    assert len(read_metadata(f"{path}#clinical data")) == 3
    with pytest.raises(
        InputError, match=r"n.xlsx: a workbook of 2 sheets \(first, Clinical data\); name the one .*#first"
    ):
        read_metadata(path)
    with pytest.raises(InputError, match="n.xlsx: no sheet 'third'; found: first, Clinical data"):
        read_metadata(f"{path}#third")


def test_formulas_that_were_never_computed_are_said(tmp_path):
    path = workbook(tmp_path / "m.xlsx", one=[["id", "x", "y"], ["S1", 1, "=B2*2"], ["S2", 2, "=B3*2"]])
    for _ in range(2):  # also from memory
        with noticing() as notes:
            assert read_metadata(path)["y"].tolist() == ["", ""]
        assert notes[0].doubt and notes[0].text.startswith("2 cells hold formulas that were never computed")


def test_what_is_no_workbook(tmp_path):
    (tmp_path / "m.xlsx").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="m.xlsx: not an Excel workbook, though its name ends in .xlsx"):
        read_metadata(tmp_path / "m.xlsx")
    whole = workbook(tmp_path / "n.xlsx", one=ROWS).read_bytes()
    (tmp_path / "n.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="n.xlsx: "):
        read_metadata(tmp_path / "n.xlsx")


def test_a_run_names_sheets_of_a_workbook(tmp_path):
    small = SmallCohort(tmp_path)
    with pd.ExcelWriter(tmp_path / "study.xlsx") as book:
        small.metadata.to_excel(book, sheet_name="clinical data", index=False)
        small.expression.to_excel(book, sheet_name="log2", index_label="sample_id")
    small.set("expression.path", "study.xlsx#log2")
    small.set("metadata.path", "study.xlsx#clinical data")
    run = read_run(small.write())
    assert run.metadata.path == f"{tmp_path}/study.xlsx#clinical data"
    assert kind_of(run).data_files(run) == [f"{tmp_path}/study.xlsx"]  # once
    prepare(run, tmp_path / "out")
    assert (tmp_path / "out" / "cohort.h5ad").exists()
