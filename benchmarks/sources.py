"""Which sources made a kept result: results belong to them, and are made anew when they change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import mtlbio


def digest_of(rooms: Iterable[str], apart: frozenset[str] | set[str] = frozenset()) -> str:
    """Ten hexadecimal digits of the modules of some rooms of the package, without those named ``apart``."""
    root, digest = Path(mtlbio.__file__).parent, hashlib.sha256()
    for room in rooms:
        for path in sorted((root / room).rglob("*.py")):
            if path.stem not in apart:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
