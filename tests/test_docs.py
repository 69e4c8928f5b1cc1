"""What the documents name exists: files, commands, verdicts, columns."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from mtlbio import tables
from mtlbio.choices.balancers import BALANCERS
from mtlbio.cli import app
from mtlbio.probing.verdict import VERDICTS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_commands_of_a_document_exist(document):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (document.parent / target).exists(), target
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"(?:`|^    )make ([a-z]+)", text, flags=re.MULTILINE)) <= set(targets)
    commands = set(get_command(app).commands)
    assert set(re.findall(r"(?:`|^    )mtlbio ([a-z]+)", text, flags=re.MULTILINE)) <= commands


@pytest.mark.parametrize("document", ["README.md", "docs/verdicts.md", "docs/tables.md"])
def test_every_verdict_is_explained(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert not [verdict for verdict in VERDICTS if verdict not in text]


def test_the_columns_of_the_tables_are_the_ones_that_are_documented():
    text = (ROOT / "docs/tables.md").read_text(encoding="utf-8")
    for name in (
        "PREDICTIONS",
        "METRICS",
        "COMPARISONS",
        "TRANSFER",
        "REPROBE",
        "SPLITS",
        "HISTORY",
        "SUBSETS",
        "AFFINITY",
        "GROUPS",
        "CURVE",
        "EFFECTS",
        "CHECKS",
    ):
        columns = getattr(tables, name)
        assert f"`{', '.join(columns)}" in text, columns
    for column in (*tables.VERDICTS, *tables.QC):
        assert column in text


def test_the_readme_counts_the_balancers():
    words = {16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen", 20: "twenty"}
    assert f"{words[len(BALANCERS)]} of weighing tasks" in (ROOT / "README.md").read_text(encoding="utf-8")
