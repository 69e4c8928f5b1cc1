"""The separator is told from the first lines, whatever the file is called."""

from __future__ import annotations

import pytest

from mtlbio.intake.dialect import BLANKS, sniff

TABLE = [["sample_id", "disease", "age"], ["S1", "case", "45.5"], ["S2", "control", "51"], ["S3", "case", "60"]]


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def joined(separator: str, table=TABLE) -> list[str]:
    return [separator.join(row) + "\n" for row in table]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("rows", [2, 4])
@pytest.mark.parametrize("columns", [2, 3])
def test_the_separator(separator, rows, columns):
    table = [row[:columns] for row in TABLE[:rows]]
    found = sniff(joined(separator, table))
    assert (found.separator, found.header, found.rows) == (separator, table[0], table[1:])
    assert found.lines == 1 and not found.skipped and not found.short


@pytest.mark.parametrize(
    ("text", "separator", "columns"),
    [
        # a comma in a name, decimal commas, lists inside of cells
        ("id;age, years;x\nS1;45,3;a\nS2;51,2;b\n", ";", 3),
        ("id;G1;G2\nS1;1,5;2,5\nS2;3,5;4,5\n", ";", 3),
        ("id\tG1\tG2\nS1\t1,5\t2,5\nS2\t3,5\t4,5\n", "\t", 3),
        ("id G1 G2\nS1 1,5 2,5\nS2 3,5 4,5\n", BLANKS, 3),
        ("id,GO\nS1,a;b\nS2,c;d\n", ",", 2),
        ("id,name,place\nS1,Ann Lee,New York\nS2,Bob Ray,Los Angeles\n", ",", 3),
        ('id,name\nS1,"Lee; Ann"\nS2,"Ray; Bob"\n', ",", 2),
        ("id\tname\nS1\tLee, Ann\nS2\tRay, Bob\n", "\t", 2),
        ("  G1   G2\nS1   1   2\nS2  10  20\n", BLANKS, 3),
        ('"G1" "a b"\n"S 1" 1 2\n"S 2" 3 4\n', BLANKS, 3),
        ("sample_id\nS1\nS2\n", ",", 1),
        ("id,a\nS1,1\n", ",", 2),
        ("1,2,3\n4,5,6\n", ",", 3),
    ],
)
def test_separators_inside_of_cells(text, separator, columns):
    found = sniff(lines(text))
    assert (found.separator, len(found.header)) == (separator, columns)


def test_the_separator_that_a_spreadsheet_names():
    found = sniff(lines("sep=;\na;b\n1,5;2\n"))
    assert (found.separator, found.header, found.lines, found.decimal) == (";", ["a", "b"], 2, ",")


def test_quotes():
    assert sniff(lines("'id','x'\n'S1','a'\n")).rows == [["S1", "a"]]
    assert sniff(lines("'id' 'x'\n'S 1' 'a'\n'S 2' 3\n")).rows == [["S 1", "a"], ["S 2", "3"]]
    unclosed = sniff(lines('id\tsize\nS1\t5" tube\nS2\t"3 inch\nS3\tx\n'))
    assert unclosed.quote is None and unclosed.rows[1] == ["S2", '"3 inch']
    several = sniff(lines('id,"a\nb"\nS1,"x\ny"\nS2,z\n'))
    assert (several.header, several.lines, several.rows[0]) == (["id", "a\nb"], 2, ["S1", "x\ny"])


def test_decimal_sign():
    assert sniff(lines("id;x\nS1;1,5\nS2;2\n")).decimal == ","
    assert sniff(lines("id;x\nS1;1.5\nS2;2\n")).decimal == "."
    assert sniff(lines("id;x\nS1;1,234\nS2;2,345\n")).decimal == "."  # may be thousands: told from the whole table
    assert sniff(lines('id,x\nS1,"1,5"\n')).decimal == "."


def test_twenty_thousand_columns():
    names = [f"G{i}" for i in range(20_000)]
    row = ",".join(["S1", *["1.25"] * 20_000])
    found = sniff([",".join(["id", *names]) + "\n", row + "\n", row + "\n"])
    assert (found.separator, len(found.header), len(found.rows)) == (",", 20_001, 2)
