"""The head of a file, or the names in a folder: all that a layout is recognised by."""

from __future__ import annotations

import csv
import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtlbio.intake.folders import names_in
from mtlbio.intake.formats.text import lines_at_head
from mtlbio.intake.parquet import parquet_schema

_BYTES, _LINES, _MAGIC = 262_144, 200, 1024
# HDF5 and parquet: no text, and large
_BINARY = (b"\x89HDF\r\n\x1a\n", b"PAR1")


@dataclass(frozen=True)
class Head:
    """What is seen of a file or folder without reading it.

    Attributes
    ----------
    path : the file or folder
    magic : first bytes as they are on disk; none of a folder
    lines : first lines of a text file, decompressed, without line ends; none of others
    names : files in a folder and up to two folders further down, relative to it; none of a file
    """

    path: Path
    magic: bytes = b""
    lines: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def first(self) -> str:
        """The first line that is not blank."""
        return next((line for line in self.lines if line.strip()), "")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, of a text table below lines that begin with ``#``; none where there are none."""
        if self.magic.startswith(b"PAR1"):
            try:
                return tuple(parquet_schema(self.path).names)
            except Exception:  # whoever reads it says what is wrong
                return ()
        return tuple(fields(self.names_line, separator_in(self.names_line)))

    @property
    def names_line(self) -> str:
        """The line that names the columns of a text table; empty where there is none."""
        return self.lines[self.above] if self.above < len(self.lines) else ""

    @cached_property
    def above(self) -> int:
        """How many lines stand above the names of the columns: blank ones, and those that begin with ``#``."""
        found = (i for i, line in enumerate(self.lines) if line.strip() and not line.startswith("#"))
        return next(found, len(self.lines))

    def has(self, *columns: str) -> bool:
        """Whether all these are names of columns."""
        return set(columns) <= set(self.columns)

    def files(self, *endings: str) -> list[Path]:
        """Files in a folder whose name has one of the endings, gzipped or not, whatever its case."""
        names = [name for name in self.names if name.lower().removesuffix(".gz").endswith(endings)]
        return [self.path / name for name in names]


def look(path: str | Path) -> Head:
    """The head of a file or folder; an empty one of what is neither, or cannot be read."""
    path = Path(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            return Head(path, names=tuple(names_in(path)))
        if not stat.S_ISREG(mode):
            return Head(path)
        with open(path, "rb") as file:
            magic = file.read(_MAGIC)
    except (OSError, ValueError):
        return Head(path)
    binary = not magic or magic.startswith(_BINARY) or path.suffix.lower() == ".xlsx"
    return Head(path, magic, () if binary else _lines(path))


def separator_in(line: str) -> str:
    """Tab, semicolon or comma: what separates the fields of a line."""
    return "\t" if "\t" in line else ";" if line.count(";") > line.count(",") else ","


def fields(line: str, separator: str = "\t") -> list[str]:
    """Fields of one line, without quotes and outer space."""
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return [field.strip().strip('"') for field in line.split(separator)]


def _lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(lines_at_head(path, _BYTES)[:_LINES])
    except Exception:  # whoever reads it says what is wrong
        return ()
