"""Text of files with a layout: UTF-8, or what some instruments and countries still write."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

from mtlbio.reading import opened

_OTHERWISE = "mtlbio.windows-1252"


def _byte(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 as letters of Windows-1252: a mark of micro or an accent in a description."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_OTHERWISE, _byte)


def text_in(path: str | Path, expected: str) -> io.TextIOWrapper:
    """The text of a file from its beginning, decompressed, line ends as they are; to be closed."""
    return io.TextIOWrapper(opened(path, expected), encoding="utf-8-sig", errors=_OTHERWISE, newline="")
