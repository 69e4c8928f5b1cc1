"""The numbers of docs/what_can_go_wrong.md are those that the grid of designs has."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str) -> list[list[str]]:
    """Cells of every line of a page's tables."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in re.findall(r"^\|.*\|$", text, flags=re.M)]


def test_every_number_stands_in_the_list_of_designs():
    designs = [row for row in rows("designs.md") if len(row) == 5]
    known = {(name, donors): (false, found) for name, donors, _, false, found in designs}
    quoted = [row for row in rows("what_can_go_wrong.md") if len(row) == 6 and row[2].isdigit()]
    assert len(quoted) == 18
    for _, name, donors, false, found, _ in quoted:
        assert known[name, donors] == (false, found), name
