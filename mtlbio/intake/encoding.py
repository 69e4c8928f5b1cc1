"""The encoding of a text: UTF-8, UTF-16 and UTF-32 with or without a mark, and those of one byte a letter."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.reading import text_of

UTF8 = "utf-8-sig"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])  # what Windows-1252 leaves open
_WORDS = {
    "utf-16": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252 (latin-1)",
    "latin-1": "latin-1",
    "mac_roman": "Mac Roman",
    "cp850": "CP 850 (MS-DOS)",
    "gb18030": "GB 18030 (Chinese)",
}
_LONG = 3.5  # bytes beyond ASCII in a row
_EXCELS = ("cp1252", "mac_roman", "cp850")  # its CSV, CSV (Macintosh) and CSV (MS-DOS)
ONE_BYTE = (*_EXCELS, "latin-1")
_INSIDE = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WITHIN = "\u2019\u2018\u2013\u2014"  # apostrophes and dashes stand between letters too
_MANY = 10_000  # words that are enough to tell an encoding by
_FEW = 0.05  # of the letters beyond ASCII: latin-1 text that happens to be UTF-8


def encoding_of(head: bytes) -> str:
    """Python's name of the encoding of a text that begins with ``head``.

    A head of ASCII is UTF-8 as far as it goes; :func:`other_encoding` looks at the whole.

    Examples
    --------
    >>> encoding_of("a,b".encode("utf-16")), encoding_of("a,b".encode("utf-16-be")), encoding_of(b"M\\xfcller")
    ('utf-16', 'utf-16-be', 'cp1252')
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    even, odd = head[0:4000:2], head[1:4000:2]
    for name, zeros, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # without a mark: every other byte of Latin letters is zero
        if zeros.count(0) > 0.7 * max(len(zeros), 1) and letters.count(0) == 0:
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # not final: a letter may be cut at the end
    except UnicodeDecodeError:
        return _of_one_byte(head)
    return UTF8


def words_of(encoding: str) -> str:
    """An encoding as people know it."""
    return _WORDS.get(encoding.removesuffix("-le").removesuffix("-be"), encoding)


def other_encoding(path: str | Path, expected: str) -> str:
    """The encoding of a file that turned out not to be UTF-8, from the whole of it.

    Raises
    ------
    InputError
        Bytes that are no UTF-8 in a text that otherwise is.
    """
    wide, strange, line, number = 0, 0, 0, 1
    runs, high, words = 0, Counter[int](), list[bytes]()
    text = text_of(path, expected, newline="\n", encoding="utf-8")
    text.reconfigure(errors="surrogateescape")
    with text:
        while block := text.read(1 << 20):
            if not block.isascii():
                escaped = re.findall("[\udc80-\udcff]", block)
                strange += len(escaped)
                wide += len(re.findall("[^\x00-\x7f]", block)) - len(escaped)
                data = block.encode("utf-8", "surrogateescape")
                beyond = re.findall(rb"[\x80-\xff]+", data)
                words += _INSIDE.findall(data)[: _MANY - len(words)] if len(words) < _MANY else []
                runs += len(beyond)
                high.update(b"".join(beyond))
                if escaped and not line:
                    line = number + block[: block.index(escaped[0])].count("\n")
            number += block.count("\n")
    # words of Europe have a letter or two beyond ASCII among others, Chinese ones nothing else
    chinese = strange and min(high) > 0xA0 and high.total() > _LONG * runs and runs > 1
    if chinese and _decodes(path, expected, "gb18030"):
        return "gb18030"
    if not strange or wide > _FEW * strange:
        raise InputError(
            f"{path}: not {expected}: line {line} has bytes that are no UTF-8, while other lines are UTF-8"
        )
    return _of_one_byte(b" ".join([*words, *(bytes([byte]) for byte in sorted(high))]))


def _decodes(path: str | Path, expected: str, encoding: str) -> bool:
    """Whether the whole of a file is text in an encoding."""
    try:
        with text_of(path, expected, encoding=encoding) as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _of_one_byte(data: bytes) -> str:
    """The encoding of one byte a letter in which the words are words; Windows-1252 where nothing tells."""
    words = b" ".join(_INSIDE.findall(data)[:_MANY])
    best = max(_EXCELS, key=lambda encoding: _letters(words.decode(encoding, "replace")))  # the first of equals
    return "latin-1" if best == "cp1252" and any(byte in data for byte in _NO_1252) else best


def _letters(text: str) -> int:
    """Letters beyond ASCII inside of words, less the signs that stand there and letters of a wrong case.

    Examples
    --------
    >>> _letters("Größe"), _letters("M\u0178ller"), _letters("l\u2019eau"), _letters("Gr\u0161\xa7e")
    (2, -1, 1, 0)
    """
    score = 0
    for before, letter, after in zip(text, text[1:], text[2:], strict=False):
        if letter.isascii() or not before.isalpha() or not (after.isalpha() or not after.isascii()):
            continue
        fits = letter.isalpha() and (after.isupper() and before.isupper() if letter.isupper() else not after.isupper())
        score += 1 if fits or letter in _WITHIN else -1
    return score
