"""What is no text table is called by its name, with the way out."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError


def zipped(**members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return data.getvalue()


def tar() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"), io.BytesIO())
    return data.getvalue()


def of_numpy() -> bytes:
    data = io.BytesIO()
    np.save(data, np.zeros(3))
    return data.getvalue()


def pickled() -> bytes:
    data = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_pickle(data)
    return data.getvalue()


FILES = {
    "an HTML page: the download failed?": b"\n<!DOCTYPE html>\n<html><body>Not found</body></html>",
    "an HTML table: open it in a spreadsheet": b"<table><tr><td>a</td></tr></table>",
    "an Excel workbook as XML": b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="u">',
    "a server's error": b"<Error><Code>NoSuchKey</Code></Error>",
    "a PDF": b"%PDF-1.7\n\x00",
    "an Excel workbook of the old kind (.xls): save the sheet as xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    + bytes(600),
    "an R object (.rds): in R: write.csv": gzip.compress(b"X\n\x00\x00\x00\x03\x00\x04"),
    "an R workspace (.RData): in R: write.csv": lzma.compress(b"RDX3\nX\n\x00\x00\x00\x03"),
    "a text document (.docx)": zipped(**{"word__document.xml": "x"}),
    "an OpenDocument file (.ods): save the sheet": zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
    "a Numbers spreadsheet": zipped(**{"Index__Document.iwa": "x"}),
    "an archive of several files (tar)": tar(),
    "a NumPy array (.npy)": of_numpy(),
    "a Python pickle": pickled(),
    "an HDF5 file: name it .h5ad": b"\x89HDF\r\n\x1a\n" + bytes(50),
    "a pointer of Git LFS, not the file itself: run: git lfs pull": b"version https://git-lfs.github.com/spec/v1\n",
    "JSON": b'[{"sample": "a"}]',
    "compressed twice": gzip.compress(gzip.compress(b"a,b\n1,2\n")),
}


@pytest.mark.parametrize("words", FILES)
@pytest.mark.parametrize("name", ["m.csv", "m"])
def test_a_file_that_is_no_table_is_told_for_what_it_is(tmp_path, words, name):
    (tmp_path / name).write_bytes(FILES[words])
    with pytest.raises(InputError) as caught:
        read_metadata(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path}/{name}: {words}") and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["RDA_id,b\nS1,2\n", "A\n2\n3\n", "[a],b\n1,2\n", "{x},b\n1,2\n", "<5,b\n1,2\n"])
def test_a_table_that_begins_alike_is_a_table(tmp_path, text):
    (tmp_path / "m.csv").write_text(text)
    assert len(read_metadata(tmp_path / "m.csv")) > 0
