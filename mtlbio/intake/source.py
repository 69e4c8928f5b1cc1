"""A file that is to hold a table: what it is by its content, and its text, however it is packed and encoded."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.intake.encoding import ONE_BYTE, UTF8, encoding_of, other_encoding, words_of
from mtlbio.intake.foreign import foreign, kind_of_archive
from mtlbio.intake.notes import notice
from mtlbio.intake.sheets import sheet_text
from mtlbio.reading import file_of, regular_file, text_of, understood
from mtlbio.unpacking import ENDINGS, packing, unpacked

EXPECTED = "a text table"
_HEAD = 1 << 16
_SHEETS = (".xlsx", ".xlsm", ".xltx")


@dataclass(frozen=True)
class Source:
    """Text of a table.

    Attributes
    ----------
    path : as given, with ``#sheet`` where there is one
    encoding : Python's name of it
    sheet : the text of a workbook's sheet; None of a text file
    """

    path: str
    encoding: str = UTF8
    sheet: bytes | None = None

    def text(self) -> io.TextIOWrapper:
        """The text from its beginning, line ends as they are; to be closed."""
        if self.sheet is not None:
            return io.TextIOWrapper(io.BytesIO(self.sheet), encoding="utf-8", newline="")
        return text_of(self.path, EXPECTED, encoding=self.encoding)


def kind_of(path: str | Path) -> str:
    """``text``, ``xlsx``, ``parquet`` or ``arrow``, by the first bytes of a file.

    Raises
    ------
    InputError
        No file, or one of another kind: the line says which, and what to do.
    """
    file, _ = file_of(path)
    regular_file(file, "a table")
    with open(file, "rb") as raw:
        begins = raw.read(8)
    if begins.startswith(b"PAR1"):
        return "parquet"
    if begins.startswith(b"ARROW1"):
        return "arrow"
    with understood(path, "a readable zip archive"):
        archive = kind_of_archive(file)
    if archive not in (None, "xlsx"):
        raise InputError(f"{path}: {archive}")
    if archive is None:
        what = foreign(_head(file))
        if what:
            raise InputError(f"{path}: {what}")
    return archive or "text"


def source_of(path: str | Path) -> Source:
    """The text of a table in a text file or a workbook; what is unusual about it is noted.

    Raises
    ------
    InputError
        As :func:`kind_of`, and a workbook that needs the name of a sheet.
    """
    file, sheet = file_of(path)
    if kind_of(path) == "xlsx":
        return Source(str(path), sheet=sheet_text(file, sheet))
    if file.suffix.lower() in _SHEETS:
        raise InputError(f"{path}: not an Excel workbook, though its name ends in {file.suffix}; expected one, or csv")
    packed, named = packing(file), file.suffix.lower()
    if packed != (named if named in ENDINGS else None):
        notice(path, f"{'compressed as ' + packed.lstrip('.') if packed else 'not compressed'}, whatever its name says")
    encoding = encoding_of(_head(file))
    if encoding in ONE_BYTE:
        with understood(path, EXPECTED):
            encoding = other_encoding(file, EXPECTED)
    if encoding != UTF8:
        notice(path, f"its text is in {words_of(encoding)}, not in UTF-8", doubt=encoding == "gb18030")
    return Source(str(path), encoding)


def is_text(path: str | Path) -> bool:
    """Whether a file begins as a text does, in whatever encoding: without control characters."""
    head = _head(file_of(path)[0])
    text = head.decode(encoding_of(head), errors="ignore")
    return bool(head) and not re.search("[\x00-\x08\x0e-\x1f]", text)


def in_other_encoding(source: Source) -> Source:
    """The same text in the encoding that it turned out to have where it was taken for UTF-8."""
    with understood(source.path, EXPECTED):
        encoding = other_encoding(source.path, EXPECTED)
    notice(source.path, f"its text is in {words_of(encoding)}, not in UTF-8")
    return Source(source.path, encoding)


def _head(file: Path) -> bytes:
    with understood(file, "a readable text table"), unpacked(file) as stream:
        return stream.read(_HEAD)
