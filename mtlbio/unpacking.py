"""Compressed files, known by their first bytes and not by their names: gzip, bzip2, xz, Zstandard, LZ4, zip."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import IO, cast

from mtlbio.errors import InputError, listing

# what a file begins with, the ending that belongs to it
MAGIC = (
    (b"\x1f\x8b", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ\x00", ".xz"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
    (b"\x04\x22\x4d\x18", ".lz4"),
    (b"PK\x03\x04", ".zip"),
    (b"PK\x05\x06", ".zip"),  # without members
)
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip")
_ARROW = {".zst": "zstd", ".lz4": "lz4"}
_OF_SYSTEMS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")  # what systems put beside the members


def packing(path: str | Path) -> str | None:
    """The ending that belongs to how a file is compressed; None of one that is not."""
    with open(path, "rb") as file:
        begins = file.read(10)
    found = next((ending for magic, ending in MAGIC if begins.startswith(magic)), None)
    # three letters alone could begin a text
    return None if found == ".bz2" and begins[4:10] not in (b"1AY&SY", b"\x17rE8P\x90") else found


def unpacked(path: str | Path) -> IO[bytes]:
    """A file for reading bytes, decompressed where it is compressed; of a zip archive its one member.

    Raises
    ------
    InputError
        A zip archive of no member, or of several.
    """
    kind = packing(path)
    if kind == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if kind == ".bz2":
        return cast(IO[bytes], bz2.open(path, "rb"))
    if kind == ".xz":
        return cast(IO[bytes], lzma.open(path, "rb"))
    if kind == ".zip":
        return _member(path)
    if kind is not None:
        import pyarrow as pa  # slow to import, and seldom needed

        return cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(str(path), "rb"), _ARROW[kind]))
    return open(path, "rb", buffering=0)


def members(path: str | Path) -> list[str]:
    """Files in a zip archive, without what operating systems add."""
    with zipfile.ZipFile(path) as archive:
        names = [member.filename for member in archive.infolist() if not member.is_dir()]
    return [name for name in names if not any(part in name for part in _OF_SYSTEMS)]


class _OneMember(io.RawIOBase):
    """The bytes of a member; closes the archive too."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._file = archive, archive.open(name)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        self._archive.close()
        super().close()


def _member(path: str | Path) -> IO[bytes]:
    names = members(path)
    if len(names) != 1:
        raise InputError(
            f"{path}: a zip archive of {len(names)} files ({listing(names, 5)}); expected one: unpack it and name the "
            f"file in it"
        )
    archive = zipfile.ZipFile(path)
    try:
        return cast(IO[bytes], _OneMember(archive, names[0]))
    except BaseException:
        archive.close()
        raise
