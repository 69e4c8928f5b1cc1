"""Text tables whatever their ending, line ends and length of lines; samples by name or place."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.metadata import csv_header, is_table, read_csv, read_matrix, read_metadata, suffix
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake import table as intake_table
from mtlbio.intake.notes import noticing
from mtlbio.reading import lines_of

TEXT = "sample_id,age\nS1,4\nS2,5\n"
READ = {"sample_id": ["S1", "S2"], "age": ["4", "5"]}


@pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.tab", "m.txt", "m", "m.dat", "m.csv.gz", "m.v2.txt"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_content_tells_not_the_name(tmp_path, name, packed):
    (tmp_path / name).write_bytes(gzip.compress(TEXT.encode()) if packed else TEXT.encode())
    with noticing() as notes:
        assert read_metadata(tmp_path / name).to_dict("list") == READ
    said = [note.text for note in notes]
    assert ("not compressed, whatever its name says" in said) == (name.endswith(".gz") and not packed)
    assert ("compressed as gz, whatever its name says" in said) == (packed and not name.endswith(".gz"))
    assert ("columns are separated by commas, not by tabs" in said) == name.endswith((".tsv", ".tab"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends(tmp_path, end):
    (tmp_path / "m.csv").write_bytes(TEXT.replace("\n", end).encode())
    with noticing() as notes:
        assert read_metadata(tmp_path / "m.csv").to_dict("list") == READ
    assert [n.text for n in notes] == (["lines end as on an old Mac (CR)"] if end == "\r" else [])


def test_endings():
    assert [suffix(n) for n in ("a.csv", "A.CSV.GZ", "b.tsv.bz2", "c.v1.txt", "d", "e.h5ad")] == [
        ".csv", ".csv.gz", ".tsv.bz2", ".txt", "", ".h5ad",
    ]  # fmt: skip


def test_parquet_and_feather_by_content(tmp_path):
    frame = pd.DataFrame({"sample_id": ["S1", "S2"], "age": [4, 5]})
    frame.to_parquet(tmp_path / "m.csv")
    frame.to_feather(tmp_path / "m.feather")
    for name in ("m.csv", "m.feather"):
        assert is_table(tmp_path / name)
        assert read_metadata(tmp_path / name).to_dict("list") == {"sample_id": ["S1", "S2"], "age": [4, 5]}


def test_ids_of_typed_tables_are_tidied_alike(tmp_path):
    frame = pd.DataFrame({"id": ["S1\u00a0", "\u200bS2"], "G1": [1.5, 2]})
    frame.to_parquet(tmp_path / "e.parquet")
    frame.set_index("id").to_parquet(tmp_path / "i.parquet")
    assert read_metadata(tmp_path / "e.parquet")["id"].tolist() == ["S1", "S2"]
    for name in ("e.parquet", "i.parquet"):
        data = read_expression(Expression(path=str(tmp_path / name), scale="log"), "id")
        assert data.samples.tolist() == ["S1", "S2"] and data.dense().ravel().tolist() == [1.5, 2]


def test_what_is_no_text(tmp_path):
    (tmp_path / "m.qqq").write_bytes(bytes(range(256)))
    assert not is_table(tmp_path / "m.qqq")
    with pytest.raises(InputError, match=r"m.qqq: metadata.path: format '.qqq' is unknown; valid: .csv, .tsv"):
        read_metadata(tmp_path / "m.qqq")


def test_names_that_stand_twice_are_named(tmp_path):
    (tmp_path / "m.csv").write_text("id,age, age\nS1,4,5\n")
    with pytest.raises(InputError, match=r"m.csv: column\(s\) age stand twice"):
        read_metadata(tmp_path / "m.csv")


def test_header_and_body_apart(tmp_path):
    (tmp_path / "e.csv").write_text("id,G1,G2\n007,1.5,2\n008,2,3\n")
    header = csv_header(tmp_path / "e.csv")
    table = read_csv(tmp_path / "e.csv", header, text=False)
    assert header == ["id", "G1", "G2"] and table["id"].tolist() == ["007", "008"] and table["G1"].sum() == 3.5
    assert read_csv(tmp_path / "e.csv", header, text=False, only_ids=True).to_dict("list") == {"id": ["007", "008"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample_id,G1\nS1,1\nS2,2\n", []),
        (",G1\nS1,1\nS2,2\n", []),
        ("G1,sample_id\n1,S1\n2,S2\n", []),
        (",sample_id,G1\n0,S1,1\n1,S2,2\n", ["column 1 ('') only counts the rows: left out"]),
        ("Unnamed: 0,id,G1\n1,S1,1\n2,S2,2\n", ["column 1 ('Unnamed: 0') only counts the rows: left out"]),
    ],
)
def test_samples_are_named_by_a_column(tmp_path, text, said):
    (tmp_path / "e.csv").write_text(text)
    for only_ids in (True, False):
        with noticing() as notes:
            table, _ = read_matrix(tmp_path / "e.csv", "sample_id", only_ids)
        assert table.index.tolist() == ["S1", "S2"]
    assert table.to_dict("list") == {"G1": [1, 2]} and [note.text for note in notes] == said


def test_a_column_without_a_name_that_counts_rows_names_no_sample(tmp_path):
    (tmp_path / "e.csv").write_text(",id,G1\n0,S1,1\n1,S2,2\n")
    assert read_matrix(tmp_path / "e.csv", "")[0].index.tolist() == ["S1", "S2"]  # the metadata's ids have no name
    (tmp_path / "e.csv").write_text(",G1,G2\n0,5,1\n1,6,2\n")
    assert read_matrix(tmp_path / "e.csv", "")[0].index.tolist() == ["0", "1"]


def test_names_of_columns_may_be_whole_numbers_but_no_values(tmp_path):
    (tmp_path / "e.csv").write_text(",1,10\nS1,1.5,2\n")
    assert read_matrix(tmp_path / "e.csv", "id")[0].to_dict("list") == {"1": [1.5], "10": [2]}
    (tmp_path / "e.csv").write_text(".5,0.25\n0.5,1\n")
    with pytest.raises(InputError, match=r"e.csv: the first line holds numbers \(.5, 0.25\)"):
        read_metadata(tmp_path / "e.csv")
    (tmp_path / "e.csv").write_text("S1,1.5,2.5\nS2,3,4\n")
    with pytest.raises(
        InputError, match=r"e.csv: the first line holds numbers \(1.5, 2.5\) where the names .* a header"
    ):
        read_matrix(tmp_path / "e.csv", "id")


def test_lines_that_are_quoted_as_a_whole(tmp_path):
    (tmp_path / "m.csv").write_text('"sample_id,age"\n"S1,4"\n"S2,5"\n')
    with pytest.raises(
        InputError, match="m.csv: found one column, 'sample_id,age': every line seems to be quoted as a"
    ):
        read_metadata(tmp_path / "m.csv")


def test_an_open_quotation_mark(tmp_path):
    (tmp_path / "m.csv").write_text('id,note\n"S1,a\nS2,b\nS3,c\n')
    with pytest.raises(InputError, match="m.csv: a quotation mark opens and never closes"):
        read_metadata(tmp_path / "m.csv")
    (tmp_path / "m.tsv").write_text("id\tnote\n" + "S\ta\n" * 300 + 'Z\t"3 inch\nY\tb\n')
    with noticing() as notes:
        assert read_metadata(tmp_path / "m.tsv")["note"].tolist()[-2:] == ['"3 inch', "b"]
    assert notes[0].doubt and notes[0].text.startswith("a quotation mark never closes")


def test_a_long_sequence_in_a_cell(tmp_path):
    long = "ACDEFGHIKL" * 20_000
    (tmp_path / "c.csv").write_text(f"chain,sequence,note\na,{long},\nb,ACD,x\n")
    assert read_metadata(tmp_path / "c.csv")["sequence"].map(len).tolist() == [200_000, 3]


def test_a_line_that_never_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(intake_table, "lines_of", lambda text, path: lines_of(text, path, 1000))
    (tmp_path / "m.csv").write_text("a" * 5000)
    with pytest.raises(InputError, match="m.csv: line 1 has more than 1,000 characters"):
        read_metadata(tmp_path / "m.csv")


def test_only_the_first_lines_decide_and_are_read(tmp_path):
    (tmp_path / "m.csv").write_text("id,x\n" + "S,1\n" * 100_000)
    assert len(intake_table.look(tmp_path / "m.csv").dialect.rows) < 200
    wide = ",".join(["id", *map(str, range(30_000))]) + "\n"
    (tmp_path / "w.csv").write_text(wide * 50)
    assert len(intake_table.look(tmp_path / "w.csv").dialect.rows) < 10


def test_a_matrix_that_was_cut_is_said(tmp_path):
    (tmp_path / "e.csv").write_text("sample_id,A,B,C\nS1,1,2,3\nS2,4,5,6\nS3,7,8")
    with noticing() as notes:
        table, _ = read_matrix(tmp_path / "e.csv", "sample_id")
    assert table.shape == (3, 3)
    assert [n.text for n in notes] == [
        "1 row with fewer fields than the header (first: 'S3'); the file may have been cut"
    ]
    assert notes[0].doubt


@pytest.mark.parametrize("odd", ["n.d.", "1.234.567", "2,5", ""])
def test_a_tall_table_is_read_part_by_part_as_at_once(tmp_path, monkeypatch, odd):
    rows = [f"GENE{i}\t{i % 7}.{i % 1000:03d}\t{i}\t{i % 3}" for i in range(40_000)]
    path = tmp_path / "tall.tsv"
    path.write_text("\n".join(["gene\tS1\tS2\tS3", *rows, f"LAST\t{odd}\t1\t2", ""]))
    assert path.stat().st_size > 500_000  # pandas' parts have 262,144 bytes
    with noticing() as parts:
        read_part = read_matrix(path, "gene")[0]
    monkeypatch.setattr("mtlbio.intake.table._WIDE", 0)
    with noticing() as once:
        read_once = read_matrix(path, "gene")[0]
    pd.testing.assert_frame_equal(read_part, read_once)
    assert parts == once
