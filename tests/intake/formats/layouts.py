"""What tests of layouts share: reading with the notes that were said."""

from __future__ import annotations

from pathlib import Path

from mtlbio.intake.formats.layout import Content
from mtlbio.intake.formats.registry import measuring
from mtlbio.intake.notes import noticing


def read(path: Path, name: str) -> tuple[Content, str]:
    """The content of a file that is recognised as ``name``, and everything that was said of it."""
    with noticing() as notes:
        layout = measuring(path)
        assert layout is not None and layout.name == name and layout.read is not None
        content = layout.read(path)
    return content, "\n".join(map(str, notes))


def tabbed(*rows) -> str:
    """Rows of cells as text separated by tabs."""
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)
