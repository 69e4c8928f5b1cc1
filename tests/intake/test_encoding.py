"""Encodings are told from the bytes; UTF-8 with a few other bytes in it is refused with the line."""

from __future__ import annotations

import pytest

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError
from mtlbio.intake.encoding import encoding_of
from mtlbio.intake.notes import noticing

TABLE = "sample_id,name\nS1,Müller\nS2,5µg\n"


@pytest.mark.parametrize(
    ("written", "found", "words"),
    [
        ("utf-8", "utf-8-sig", None),
        ("utf-8-sig", "utf-8-sig", None),
        ("utf-16", "utf-16", "UTF-16"),
        ("utf-16-le", "utf-16-le", "UTF-16"),
        ("utf-16-be", "utf-16-be", "UTF-16"),
        ("utf-32", "utf-32", "UTF-32"),
        ("latin-1", "cp1252", "Windows-1252 (latin-1)"),
    ],
)
def test_a_table_in_any_encoding_is_read_the_same(tmp_path, written, found, words):
    path = tmp_path / "m.csv"
    path.write_bytes(TABLE.encode(written))
    assert encoding_of(path.read_bytes()) == found
    with noticing() as notes:
        table = read_metadata(path)
    assert table["name"].tolist() == ["Müller", "5µg"] and table["sample_id"].tolist() == ["S1", "S2"]
    assert [note.text for note in notes] == ([f"its text is in {words}, not in UTF-8"] if words else [])


def test_windows_signs_beyond_latin_1(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("sample_id,x\nS1,\u20ac\nS2,a \u2013 b\n".encode("cp1252"))
    assert read_metadata(path)["x"].tolist() == ["\u20ac", "a \u2013 b"]


def test_chinese(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("\u6837\u672c,\u5e74\u9f84,\u6027\u522b\nS1,4,\u7537\u6027\nS2,5,\u5973\u6027\n".encode("gb18030"))
    with noticing() as notes:
        assert list(read_metadata(path).columns) == ["\u6837\u672c", "\u5e74\u9f84", "\u6027\u522b"]
    assert notes[0].text == "its text is in GB 18030 (Chinese), not in UTF-8"
    path.write_bytes("id,x\nS1,Gr\u00f6\u00dfe\nS2,\u00c9\u00e9n\n".encode("latin-1"))
    assert read_metadata(path)["x"].tolist() == ["Gr\u00f6\u00dfe", "\u00c9\u00e9n"]


def test_an_umlaut_far_below_the_first_lines(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(("sample_id,x\n" + "S,a\n" * 50_000 + "Z,Müller\n").encode("latin-1"))
    with noticing() as notes:
        assert read_metadata(path)["x"].iloc[-1] == "Müller"
    assert [note.text for note in notes] == ["its text is in Windows-1252 (latin-1), not in UTF-8"]


@pytest.mark.parametrize("before", [1, 30_000])
def test_two_encodings_in_one_file_are_refused_with_the_line(tmp_path, before):
    path = tmp_path / "m.csv"
    path.write_bytes("sample_id,x\nS1,Müller\n".encode() + b"S,a\n" * before + b"Z,M\xfcller\n")
    with pytest.raises(InputError, match=f"m.csv: not a text table: line {before + 3} has bytes that are no UTF-8"):
        read_metadata(path)


def test_nul_characters_in_utf_16_end_no_cell(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("sample_id,x\nS1,a\0b\n".encode("utf-16"))
    with pytest.raises(InputError, match="m.csv: holds NUL bytes"):
        read_metadata(path)


def test_bytes_in_a_row_that_are_no_chinese(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"id,x\nS1,\xfe\xff\xfe\xff\nS2,\xff\xff\xff\xff\n")
    assert read_metadata(path)["id"].tolist() == ["S1", "S2"]


WORDS = {
    "cp1252": "donor\u2019s age, \u201ccase\u201d Olink\u2122 5 \xb5g \u2013 3 \u20ac, M\xfcller, l\u2019h\xf4pital",
    "mac_roman": "M\xfcller, Z\xfcrich, diagnostiqu\xe9 \xe0 N\xeemes, \xc4rzte, 5 \xb5g",
    "cp850": "M\xfcller, K\xf6ln, Gr\xf6\xdfe, \xc4rzte, Z\xdcRICH",
}


@pytest.mark.parametrize("encoding", WORDS)
def test_what_excel_writes_on_windows_on_a_mac_and_for_ms_dos(tmp_path, encoding):
    path, text = tmp_path / "m.csv", WORDS[encoding]
    for rows in (1, 9_000):  # beyond the first bytes, too
        lines = ["sample_id\tname", *[f"S{i}\tplain" for i in range(rows)], f"Z\t{text}"]
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        with noticing() as notes:
            assert read_metadata(path)["name"].iloc[-1] == text
        said = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman", "cp850": "CP 850 (MS-DOS)"}[encoding]
        assert any(f"its text is in {said}" in note.text for note in notes)


def test_signs_alone_stay_those_of_windows(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("id,x\nS1,37 \xb0C\nS2,\u20ac 5\nS3,T\u2122\n".encode("cp1252"))
    assert read_metadata(path)["x"].tolist() == ["37 \xb0C", "\u20ac 5", "T\u2122"]
