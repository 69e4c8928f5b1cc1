"""Which YAML described the run in a folder: two studies that share a name must not write over each other in silence."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mtlbio.config.yaml import read_yaml
from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.integrity.record import MANIFEST

DESCRIBED = f"{MANIFEST}/described.json"


def check_described(folder: Path, yaml: str | Path) -> None:
    """An InputError where the folder's results were described by another YAML which still says that they are its own.

    A YAML that was moved or renamed is no other one: what described the results is then gone, or names another run. A
    copy of a folder is nobody's yet.
    """
    former = described_by(folder)
    if former is None or not former.is_file() or os.path.realpath(former) == os.path.realpath(yaml):
        return
    try:
        name = (read_yaml(former) or {}).get("run")
    except (InputError, AttributeError):
        return
    if str(name) == folder.name:
        raise InputError(
            f"{yaml}: run: {folder.name!r} is the name of {former} too, whose results stand in {folder}; give one of "
            "them another name, or another --results"
        )


def describe(folder: Path, yaml: str | Path) -> None:
    """Keep which YAML describes the results of a folder."""
    yaml = os.path.abspath(yaml)
    if str(described_by(folder)) != yaml:
        content = {"yaml": yaml, "folder": os.path.realpath(folder)}
        with replacing(folder / DESCRIBED) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def described_by(folder: Path) -> Path | None:
    """The YAML that described the results of a folder when `mtlbio run` wrote them; None where nobody knows."""
    try:
        content = json.loads((folder / DESCRIBED).read_text(encoding="utf-8"))
        return Path(content["yaml"]) if content["folder"] == os.path.realpath(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
