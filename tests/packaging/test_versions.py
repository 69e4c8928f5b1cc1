"""One version, wherever it stands."""

import re
from pathlib import Path

import yaml

from mtlbio import __version__

ROOT = Path(__file__).parents[2]


def test_the_version_is_the_same_everywhere():
    recipe = yaml.safe_load((ROOT / "envs/recipe/recipe.yaml").read_text())
    found = {
        "CITATION.cff": yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"],
        "CHANGELOG.md": re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[0],
        "recipe.yaml": recipe["context"]["version"],
    }
    assert set(found.values()) == {__version__}, found
    for name in ("envs/Dockerfile", "docs/workflow.md"):  # in commands to copy
        named = re.findall(r"mtlbio[:-](\d[\d.]+\d)", (ROOT / name).read_text())
        assert named and set(named) == {__version__}, name


def test_the_set_up_script_installs_again_where_the_version_is_another():
    """Records name the version of the installation, which an editable one keeps."""
    assert "grep '^__version__' mtlbio/__init__.py" in (ROOT / "envs/setup.sh").read_text()
    assert (ROOT / "mtlbio/__init__.py").read_text().count("\n__version__ = ") == 1
