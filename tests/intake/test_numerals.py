"""Decimal commas and thousands: read where the values tell, refused where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.cohort.metadata import read_matrix, read_metadata
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.intake.numerals import written


def matrix(path, text: str):
    path.write_text(text)
    with noticing() as notes:
        table, _ = read_matrix(path, "sample_id")
    return table, [note.text for note in notes]


@pytest.mark.parametrize(
    ("values", "way"),
    [
        (["1,5", "2", "NA"], "decimal comma"),
        (["0,123", "4,567"], "decimal comma"),
        (["1234,567", "1,234"], "decimal comma"),
        (["1,234,567", "950"], "thousands ,"),
        (["1,234.5"], "thousands ,"),
        (["1.234,5", "950"], "thousands ."),
        (["1 234", "950", "1,5"], "thousands blank"),
        (["1'234.5"], "thousands blank"),
        (["1,234", "950"], "maybe thousands"),
        (["1,234", "9500"], "ambiguous"),
        (["2024-01-02", "1,5"], None),
        (["1,2,3"], None),
        (["1.5", "-2e-3"], None),
    ],
)
def test_how_numbers_are_written(values, way):
    assert written(values) == way


def test_a_european_matrix(tmp_path):
    table, notes = matrix(tmp_path / "e.csv", "id;G1;G2\nS1;1,5;2\nS2;-0,25;1e-3\n")
    assert table.to_numpy().tolist() == [[1.5, 2.0], [-0.25, 0.001]] and table.index.tolist() == ["S1", "S2"]
    assert notes == [
        "columns are separated by semicolons, not by commas",
        "numbers are written with a decimal comma",
    ]


def test_a_decimal_comma_far_below_the_first_lines(tmp_path):
    table, notes = matrix(tmp_path / "e.csv", "id;G1;G2\n" + "S;1;2\n" * 300 + "T;1,5;2\n")
    assert table["G1"].iloc[-1] == 1.5 and table["G1"].dtype == np.float64
    assert "decimal commas in column(s) G1 (1,5) were read as numbers" in notes


def test_thousands_of_a_spreadsheet(tmp_path):
    table, _ = matrix(tmp_path / "e.csv", 'id,G1,G2\nS1,"1,234",7\nS2,12,"45,678"\n')
    assert table.to_numpy().tolist() == [[1234, 7], [12, 45678]]
    table, _ = matrix(tmp_path / "e.csv", "id;G1;G2\nS1;1.234,5;7\nS2;12,25;8\n")
    assert table.to_numpy().tolist() == [[1234.5, 7], [12.25, 8]]


def test_a_thousand_or_one_and_a_bit_is_refused_in_a_matrix_and_left_in_a_description(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("id;G1;G2\nS1;1,234;7\nS2;2,345;8\n")
    with pytest.raises(InputError, match="e.csv: column 'G1': '1,234' may be a thousand or have decimals; expected a"):
        read_matrix(path, "id")
    with noticing() as notes:
        assert read_metadata(path)["G1"].tolist() == ["1,234", "2,345"]
    assert notes[-1].doubt and notes[-1].text.endswith("left as text")


def test_one_column_tells_the_decimal_sign_of_another(tmp_path):
    table, _ = matrix(tmp_path / "e.csv", "id;G1;G2\nS1;1,234;7,5\nS2;2,345;8\n")
    assert table.to_numpy().tolist() == [[1.234, 7.5], [2.345, 8.0]]


def test_a_point_is_no_decimal_sign_where_a_comma_is_one(tmp_path):
    table, notes = matrix(tmp_path / "e.csv", "id;G1;G2\nS1;1.234;7,5\nS2;12.345;8\nS3;17;9\n")
    assert table["G1"].tolist() == [1234, 12345, 17] and table["G2"].tolist() == [7.5, 8, 9]
    assert notes[-1] == "points between thousands in column(s) G1 (1.234) were read as numbers"
    assert read_metadata(tmp_path / "e.csv")["G1"].tolist() == ["1234", "12345", "17"]
    (tmp_path / "e.csv").write_text("id;G1;G2\nS1;1.234;7.5\nS2;12.345;8\n")
    assert read_metadata(tmp_path / "e.csv")["G1"].tolist() == ["1.234", "12.345"]


def test_numbers_of_a_description_get_a_point(tmp_path):
    (tmp_path / "m.csv").write_text('sample_id,age,code\nS1,"45,3","a,b"\nS2,51,c\n')
    table = read_metadata(tmp_path / "m.csv")
    assert table["age"].tolist() == ["45.3", "51"] and table["code"].tolist() == ["a,b", "c"]


def test_points_between_thousands_of_counts(tmp_path):
    written = "sample_id;" + ";".join(f"G{n}" for n in range(12)) + "\n"
    counts = {f"S{s}": [(37 * s + 113) * (n + 1) for n in range(12)] for s in range(6)}
    for sample, row in counts.items():
        written += f"{sample};" + ";".join(f"{count:,}".replace(",", ".") for count in row) + "\n"
    (tmp_path / "e.csv").write_text(written)
    with noticing() as notes:
        data, _ = read_matrix(tmp_path / "e.csv", "sample_id")
    assert data.loc["S5"].to_list() == counts["S5"]
    assert [note.text[:33] for note in notes if note.doubt] == ["points stand between thousands (n"]
    # one number of another form tells that they are decimals
    (tmp_path / "e.csv").write_text(written + "S6" + ";1.25" * 12 + "\n")
    with noticing() as notes:
        data, _ = read_matrix(tmp_path / "e.csv", "sample_id")
    assert data.loc["S6"].to_list() == [1.25] * 12 and data.loc["S5"].iloc[11] == 3.576
    assert not [note for note in notes if note.doubt]


def test_commas_between_thousands_beside_hundreds(tmp_path):
    counts = [[(37 * s + 113) * (n + 1) for n in range(12)] for s in range(6)]
    rows = [f"S{s}\t" + "\t".join(f"{count:,}" for count in row) for s, row in enumerate(counts)]
    written = "id\t" + "\t".join(f"G{n}" for n in range(12)) + "\n" + "\n".join(rows) + "\n"
    table, notes = matrix(tmp_path / "e.tsv", written)
    assert table.to_numpy().tolist() == counts
    assert notes[0].startswith("commas between thousands in column(s) G")


def test_a_column_of_hundreds_beside_three_decimals_groups_nothing(tmp_path):
    rows = [f"S{s},{150 + s}," + ",".join(f"{n + 1 + s / 7:.3f}" for n in range(8)) for s in range(12)]
    header = "sample_id,plate," + ",".join(f"G{n}" for n in range(8)) + "\n"
    table, notes = matrix(tmp_path / "e.csv", header + "\n".join(rows) + "\n")
    assert table.iloc[1].tolist() == [151, *[round(n + 1 + 1 / 7, 3) for n in range(8)]] and notes == []
