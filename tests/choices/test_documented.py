"""Every choice has its line in the documents, which says what the facts say."""

import re
from pathlib import Path

from mtlbio.choices.balancers import BALANCERS
from mtlbio.choices.encoders import ENCODERS
from mtlbio.choices.sharing import SHARING

ROOT = Path(__file__).parents[2]


def rows(document: str, heading: str) -> dict[str, list[str]]:
    """Name -> cells of the first table below a heading."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8").partition(f"## {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)[0]
    lines = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in table.splitlines()[2:]]
    return {cells[0].strip("`"): cells[1:] for cells in lines}


def test_every_balancer_is_documented_as_it_is():
    found = rows("balancing.md", "The methods")
    assert set(found) == set(BALANCERS)
    for name, (_, reads, weighs, *_) in found.items():
        assert ("Gramian" in reads) == BALANCERS[name].reads_gramian, name
        assert {"losses": "loss", "gradients": "gradient"}[weighs] == BALANCERS[name].scope, name


def test_every_sharing_scheme_is_documented_with_its_strength():
    found = rows("sharing_schemes.md", "The schemes")
    assert set(found) == set(SHARING)
    strengths = {name: None if cells[3] == "-" else float(cells[3]) for name, cells in found.items()}
    assert strengths == {name: facts.strength for name, facts in SHARING.items()}


def test_every_encoder_is_documented():
    text = (ROOT / "docs/proteins.md").read_text(encoding="utf-8")
    assert [name for name in ENCODERS if f"`{name}`" not in text] == []
