"""Which sources made a kept result: results belong to them, and are made anew when they change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import mtlbio
from benchmarks.shared.places import ROOT

_FOLDERS = {"mtlbio": Path(mtlbio.__file__).parent, "benchmarks": ROOT / "benchmarks"}


def digest_of(rooms: Iterable[str], apart: frozenset[str] | set[str] = frozenset()) -> str:
    """Ten hexadecimal digits of the modules of some rooms, without those named ``apart``.

    Parameters
    ----------
    rooms : as imports have them, ``mtlbio.<room>`` or ``benchmarks.<room>``
    apart : names of modules, without folder and ending
    """
    digest = hashlib.sha256()
    for room in rooms:
        top, *below = room.split(".")
        for path in sorted(_FOLDERS[top].joinpath(*below).rglob("*.py")):
            if path.stem not in apart:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
