"""Several tables in one sheet: below each other, or beside each other."""

from __future__ import annotations

import gzip

import openpyxl
import pytest

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing

HEADER = ["sample_id", "donor_id", "disease", "age", "sex"]
MAIN = [HEADER, *[[f"S{i}", f"P{i}", "case" if i % 2 else "control", 20 + i, "F"] for i in range(12)]]
FURTHER = [[f"T{i}", f"Q{i}", "case", 30 + i, "F"] for i in range(4)]
PLATE = [["well", "sample", "conc"], *[[f"A{i}", f"S{i}", 12.5 + i] for i in range(4)]]
SITE = [["Site B"], ["sample", "person", "dx", "years"], *[row[:4] for row in FURTHER]]


def written(path, rows):
    """A workbook, a csv that a spreadsheet saved (rows of one length), or one by hand."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        width = max(map(len, rows)) if path.stem == "saved" else 0
        lines = [",".join(map(str, [*row, *[""] * (width - len(row))])) for row in rows]
        path.write_bytes(("\r\n" if path.stem == "saved" else "\n").join([*lines, ""]).encode())
    return path


@pytest.fixture(params=["clinic.xlsx", "saved.csv", "by_hand.csv"])
def sheet(request, tmp_path):
    def read(*rows):
        with noticing() as notes:
            table = read_metadata(written(tmp_path / request.param, [*MAIN, *rows]))
        return table, "\n".join(note.text for note in notes)

    return read


@pytest.mark.parametrize(
    ("below", "line", "names"),
    [([[], *PLATE], 15, "well, sample, conc"), ([[], [], *SITE], 17, "sample, person, dx, years")],
)
def test_another_table_below_is_refused_with_its_line_and_names(sheet, below, line, names):
    with pytest.raises(InputError, match=rf"another table begins at line {line}, below a blank line \({names}\); exp"):
        sheet(*below)


def test_a_legend_and_notes_below_are_left_out(sheet):
    table, said = sheet([], ["code", "meaning"], ["F", "female"], ["M", "male"])
    assert table["sample_id"].tolist() == [f"S{i}" for i in range(12)]
    assert "3 rows below a blank line left out, a legend: code: meaning, F: female, M: male" in said
    table, said = sheet([], ["Legend"], ["F = female"])
    assert len(table) == 12 and "2 rows below a blank line left out, notes: Legend, F = female" in said


def test_a_blank_line_inside_a_table_changes_nothing(sheet):
    for rows in ([[], *FURTHER], [[], HEADER, *FURTHER]):
        table, said = sheet(*rows)
        assert table["sample_id"].tolist() == [f"S{i}" for i in range(12)] + [f"T{i}" for i in range(4)]
        assert "below a blank line" not in said
    for disease in ("case", "control"):
        table, _ = sheet([], ["S99", "P99", "case", "", ""], ["S98", "P98", disease, "", ""])
        assert len(table) == 14


def test_a_cell_with_blank_lines_in_it_is_no_gap(tmp_path):
    (tmp_path / "a.csv").write_text('id,note,n\nA,"one\n\ntwo",1\nx,y,2\nB,c,3\n')
    assert read_metadata(tmp_path / "a.csv")["id"].tolist() == ["A", "x", "B"]


def test_a_table_beside_is_said(tmp_path):
    beside = [["well", "sample"], *[[f"A{i}", f"S{9 - i}"] for i in range(5)]]
    rows = [[*row, "", *(beside[i] if i < len(beside) else ["", ""])] for i, row in enumerate(MAIN)]
    with noticing() as notes:
        table = read_metadata(written(tmp_path / "clinic.xlsx", rows))
    assert table.shape == (12, 7)
    assert any(
        note.doubt and "well, sample stand behind an empty column and have 5 rows where the others have 12" in note.text
        for note in notes
    )
    with noticing() as notes:  # a gap for the eye
        read_metadata(written(tmp_path / "gap.xlsx", [[*row, "", "x"] for row in MAIN]))
    assert not any("behind an empty column" in note.text for note in notes)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_in_another_encoding(tmp_path, encoding):
    rows = [*MAIN, ["S50", "P50", "Müller", 5, "F"], [], ["code", "meaning"], ["F", "weiblich ä"]]
    path = tmp_path / "a.csv"
    path.write_bytes("".join(",".join(map(str, row)) + "\n" for row in rows).encode(encoding))
    table = read_metadata(path)
    assert len(table) == 13 and table["disease"].iloc[-1] == "Müller"


def test_a_packed_table_that_was_cut_or_changed_is_one_line(tmp_path):
    rows = [*MAIN, *[[f"U{i}", f"R{i}", "case", 20.5, "F"] for i in range(20_000)]]  # beyond the first bytes
    text = "".join(",".join(map(str, row)) + "\n" for row in rows).encode()
    packed = bytearray(gzip.compress(text))
    packed[-8] ^= 1  # its checksum
    (tmp_path / "a.csv.gz").write_bytes(bytes(packed))
    with pytest.raises(InputError, match="a.csv.gz: not a readable .*CRC"):
        read_metadata(tmp_path / "a.csv.gz")
