"""Seeded mutations of files: of bytes, of text, of YAML, and of what HDF5 and npz files hold."""

from __future__ import annotations

import random

# what readers stumble over: empty, huge, negative, not a number, control characters, markup, broken UTF-8
TOKENS = [
    b"", b"\x00", b"\n", b"\r", b"\r\n", b"\t", b",", b";", b'"', b"'", b"#", b"%", b">", b">\n", b" ", b"\xff\xfe",
    b"\xc3", b"\xef\xbb\xbf", b"nan", b"NaN", b"inf", b"-inf", b"-1", b"0", b"1e308", b"1e-308", b"999999999999",
    b"99999999999999999999999", b"1,5", b"True", b"null", b"None", b"~", b"[]", b"{}", b"&a", b"*a", b"<<", b"---",
    b"!!python/object:a", b"=1+1", b"@x", b"{run}", "é".encode(), "\u65e5".encode(), "\u2028".encode(), b"x" * 5000,
    b"\x1b[2J", b"../../etc/passwd", b"/dev/zero", b"%s%n", b"${HOME}",
]  # fmt: skip
NUMBERS = [0, 1, 2**7, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1]


def of_bytes(data: bytes, draw: random.Random) -> bytes:
    """One to four changes anywhere: bits, bytes, numbers of 4 and 8 bytes, pieces cut, repeated, exchanged."""
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        size = len(found)
        if not size:
            return bytes(found)
        at, length = draw.randrange(size), draw.choice((1, 2, 4, 16, 64, 400))
        kind = draw.randrange(8)
        if kind == 0:
            found[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            found[at : at + length] = draw.randbytes(len(found[at : at + length]))
        elif kind == 2:
            width = draw.choice((1, 2, 4, 8))
            number = draw.choice(NUMBERS) % 2 ** (8 * width)
            found[at : at + width] = number.to_bytes(width, draw.choice(("little", "big")))[: size - at]
        elif kind == 3:
            del found[at:]
        elif kind == 4:
            del found[at : at + length]
        elif kind == 5:
            found[at:at] = found[at : at + length] * draw.choice((1, 1, 50))
        elif kind == 6:
            found[at:at] = draw.choice(TOKENS)
        else:
            other = draw.randrange(size)
            piece = bytes(found[other : other + length])
            found[at : at + len(piece)] = piece
    return bytes(found)


def of_text(data: bytes, draw: random.Random) -> bytes:
    """As :func:`of_bytes`, or a cell, a line or a column put in another's place, or a token in place of a cell."""
    if draw.random() < 0.3:
        return of_bytes(data, draw)
    lines = data.split(b"\n")
    separator = next((s for s in (b"\t", b",", b" ", b": ") if s in data), b",")
    for _ in range(draw.choice((1, 1, 2))):
        at = draw.randrange(len(lines))
        cells = lines[at].split(separator)
        place = draw.randrange(len(cells))
        kind = draw.randrange(8)
        if kind < 3:
            cells[place] = draw.choice(TOKENS)
        elif kind == 3:
            del cells[place]
        elif kind == 4:
            cells.insert(place, cells[place])
        elif kind == 5:
            other = lines[draw.randrange(len(lines))].split(separator)
            cells[place] = other[draw.randrange(len(other))]
        lines[at] = separator.join(cells)
        if kind == 6:
            lines.insert(at, lines[draw.randrange(len(lines))])
        elif kind == 7:
            del lines[at]
            if not lines:
                return b""
    return b"\n".join(lines)
