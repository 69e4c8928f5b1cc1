"""Text of files with a layout: UTF-8, or what some instruments and countries still write."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from mtlbio.intake.encoding import UTF8, encoding_of, words_of
from mtlbio.intake.notes import notice
from mtlbio.reading import opened, text_of

_OTHERWISE = "mtlbio.windows-1252"


def _byte(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 as letters of Windows-1252: a mark of micro or an accent in a description."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_OTHERWISE, _byte)


def text_in(path: str | Path, expected: str) -> io.TextIOWrapper:
    """The text of a file from its beginning, decompressed, line ends as they are; to be closed."""
    encoding = encoding_of(begin_of(path, expected))
    if encoding != UTF8:
        notice(path, f"its text is in {words_of(encoding)}, not in UTF-8")
    if encoding.startswith(("utf-16", "utf-32")):
        return text_of(path, expected, encoding=encoding)
    return io.TextIOWrapper(opened(path, expected), encoding=UTF8, errors=_OTHERWISE, newline="")


def begin_of(path: str | Path, expected: str, size: int = 1 << 16) -> bytes:
    """The first bytes of a file, decompressed."""
    with opened(path, expected, nul=True) as file:
        return file.read(size)


def lines_at_head(path: str | Path, size: int) -> list[str]:
    """Lines of the first ``size`` bytes of a text, without their ends; none of what is no text."""
    data = begin_of(path, "text", size)
    encoding = encoding_of(data)
    if b"\0" in data and not encoding.startswith(("utf-16", "utf-32")):
        return []
    return data.decode(encoding, "ignore" if encoding.startswith("utf-") else "replace").splitlines()
