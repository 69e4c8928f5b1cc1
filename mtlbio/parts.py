"""Parts of a step that are made by jobs of their own, and kept until one job gathers them.

``results/<run>/parts/<step>/<part>/`` holds ``arrays.safetensors`` and ``part.json``. A part is used where it belongs
to the same data, options and modules (its ``key``) and is what was written; any other is made anew, which one line
says.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtlbio import __version__
from mtlbio.errors import InputError, listing
from mtlbio.files import replacing
from mtlbio.progress import say

ARRAYS, ABOUT = "arrays.safetensors", "part.json"


@dataclass(frozen=True)
class Part:
    """What one part holds: arrays by name, and what JSON can say of it."""

    arrays: dict[str, np.ndarray]
    about: dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """The parts of one step in ``folder``, all of one ``key``."""

    folder: Path
    key: str

    def read(self, name: str) -> Part | None:
        """A part; None where it is not there, of another key, or damaged (which one line says)."""
        from safetensors.numpy import load

        folder = self.folder / name
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if about["key"] != self.key:
                say(f"{folder}: of other data, options or modules; made anew")
                return None
            content = (folder / ARRAYS).read_bytes()
            if hashlib.sha256(content).hexdigest() == about["sha256"]:
                return Part(load(content), about["about"])
        except FileNotFoundError:
            if not folder.exists():
                return None
        except (ValueError, KeyError, TypeError):
            pass
        say(f"{folder}: damaged; made anew")
        return None

    def write(self, name: str, arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> None:
        """Keep a part, in place of an earlier one."""
        from safetensors.numpy import save

        # ascontiguousarray would make a vector of a number
        content = save({key: np.array(value, order="C") for key, value in arrays.items()})
        described = {"mtlbio": __version__, "key": self.key, "sha256": hashlib.sha256(content).hexdigest()}
        with replacing(self.folder / name) as temporary:
            temporary.mkdir()
            (temporary / ARRAYS).write_bytes(content)
            (temporary / ABOUT).write_text(json.dumps({**described, "about": about}) + "\n", encoding="utf-8")


def folder_of_parts(results: Path, step: str) -> Path:
    """Where the parts of a step lie."""
    return Path(results) / "parts" / step


def sweep(results: Path, step: str) -> None:
    """Remove the parts of a step, which are gathered."""
    folder = folder_of_parts(results, step)
    shutil.rmtree(folder, ignore_errors=True)
    if folder.parent.is_dir() and not any(folder.parent.iterdir()):
        folder.parent.rmdir()


def key_of(texts: Iterable[str], files: Iterable[str | Path]) -> str:
    """A name for all that a part depends on: texts, and the contents of files."""
    content = hashlib.sha256()
    for text in texts:
        content.update(text.encode() + b"\0")
    for file in files:
        with open(file, "rb") as opened:
            content.update(hashlib.file_digest(opened, "sha256").digest())
    return content.hexdigest()


def checked_part(name: str, valid: Iterable[str], step: str) -> str:
    """The name of a part; an InputError where the step of this run has no such part."""
    names = list(valid)
    if name not in names:
        found = f"found {name!r}; valid: {listing(names, 40)}" if names else f"step {step} of this run is one job"
        raise InputError(f"--part: {found}")
    return name
