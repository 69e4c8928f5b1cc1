"""Compressed files are known by their content; a zip archive has to hold one file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pyarrow as pa
import pytest

from mtlbio.errors import InputError
from mtlbio.unpacking import members, packing, unpacked

TEXT = b"sample_id,age\nS1,4\n" * 50


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return data.getvalue()


PACKED = {
    ".gz": gzip.compress(TEXT),
    ".bz2": bz2.compress(TEXT),
    ".xz": lzma.compress(TEXT),
    ".zst": pa.compress(TEXT, codec="zstd", asbytes=True),
    ".zip": zipped("a.csv"),
    None: TEXT,
}


@pytest.mark.parametrize("ending", PACKED)
def test_the_content_tells_how_a_file_is_compressed(tmp_path, ending):
    path = tmp_path / "a.csv"  # whatever it is called
    path.write_bytes(PACKED[ending])
    assert packing(path) == ending
    with unpacked(path) as file:
        assert file.read() == TEXT


def test_a_text_that_begins_like_bzip2_is_a_text(tmp_path):
    (tmp_path / "a.csv").write_text("BZh1,b\n1,2\n")
    assert packing(tmp_path / "a.csv") is None


def test_what_systems_put_into_archives_does_not_count(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped("a.csv", "__MACOSX/._a.csv", ".DS_Store"))
    assert members(path) == ["a.csv"]
    path.write_bytes(zipped("a.csv", "b.csv"))
    with pytest.raises(InputError, match=r"a.zip: a zip archive of 2 files \(a.csv, b.csv\); expected one: unpack it"):
        unpacked(path)
    path.write_bytes(zipped())
    with pytest.raises(InputError, match="a zip archive of 0 files"):
        unpacked(path)
