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
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "config/README.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub and the site make them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE)
    words = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in words}


def dead(document: Path, text: str) -> list[str]:
    """Links of a page to files or headings that are not there."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+://", target):
            continue
        file, _, anchor = target.partition("#")
        path = document.parent / file
        page = path.read_text(encoding="utf-8") if file and anchor and path.exists() else text
        if not path.exists() or (anchor and anchor not in anchors(page)):
            found.append(target)
    return found


def test_dead_links_are_found(tmp_path):
    (tmp_path / "b.md").write_text("# A `b`, [c](d.md) & e_f\n```\n# none\n```\n## Two: three?\n")
    good = "[](b.md) [](b.md#a-b-c--e_f) [](b.md#two-three) [](#own) [](https://example.org/x)\n# Own\n"
    bad = "[](none.md) [](none.md#x) [](b.md#none) [](#none)\n"
    assert dead(tmp_path / "a.md", good + bad) == ["none.md", "none.md#x", "b.md#none", "#none"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_commands_of_a_document_exist(document):
    text = document.read_text(encoding="utf-8")
    assert dead(document, text) == []
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"(?:`|^    )make ([a-z]+)", text, flags=re.MULTILINE)) <= set(targets)
    commands = set(get_command(app).commands)
    assert set(re.findall(r"(?:`|^    )mtlbio ([a-z]+(?:-[a-z]+)*)", text, flags=re.MULTILINE)) <= commands


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
        "INFLUENCE",
        "COUPLING",
        "HANGING",
        "TURNED",
        "IMPUTED",
        "PANEL_FRONT",
        "PANELS",
        "PANEL_FEATURES",
        "PANEL_EXCHANGE",
        "PANEL_STABILITY",
        "PANEL_FOLLOWS",
        "CHECKS",
    ):
        columns = getattr(tables, name)
        assert f"`{', '.join(columns)}" in text, columns
    for column in (*tables.VERDICTS, *tables.QC):
        assert column in text


def test_the_page_on_balancing_counts_the_balancers():
    words = {16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen", 20: "twenty"}
    assert f"{words[len(BALANCERS)]} of weighing tasks" in (ROOT / "docs/multi_task.md").read_text(encoding="utf-8")
