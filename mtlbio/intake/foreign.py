"""Files that are no text table, told for what they are and what to do with them, by their first bytes."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from mtlbio.unpacking import packing

_R = "in R: write.csv(x, 'table.csv')"
_SAVE = "save the sheet as xlsx or as CSV UTF-8"
# what the bytes begin with (after decompression), what it is, what to do
_BEGINS = (
    (b"%PDF", "a PDF", "a table has to be exported from its source as csv or xlsx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind (.xls)", _SAVE),
    (b"RDX2\n", "an R workspace (.RData)", _R),
    (b"RDX3\n", "an R workspace (.RData)", _R),
    (b"RDA2\n", "an R workspace (.RData)", _R),
    (b"RDA3\n", "an R workspace (.RData)", _R),
    (b"X\n\x00\x00\x00", "an R object (.rds)", _R),
    (b"A\n2\n26", "an R object (.rds)", _R),
    (b"A\n3\n26", "an R object (.rds)", _R),
    (b"\x89HDF\r\n", "an HDF5 file", "name it .h5ad (AnnData) or .h5 (10x)"),
    (b"$FL2", "an SPSS file (.sav)", "export it as csv"),
    (b"$FL3", "an SPSS file (.zsav)", "export it as csv"),
    (b"<stata_dta>", "a Stata file (.dta)", "in Stata: export delimited using table.csv"),
    (b"\x00" * 12 + b"\xc2\xea\x81\x60", "a SAS file (.sas7bdat)", "export it as csv"),
    (b"HEADER RECORD***", "a SAS transport file (.xpt)", "export it as csv"),
    (b"SQLite format 3", "an SQLite database", "export the table as csv"),
    (b"\x93NUMPY", "a NumPy array (.npy)", "it has no names: write a csv with samples and genes"),
    (b"\x80\x02", "a Python pickle", "in Python: table.to_csv('table.csv')"),
    (b"\x80\x03", "a Python pickle", "in Python: table.to_csv('table.csv')"),
    (b"\x80\x04", "a Python pickle", "in Python: table.to_csv('table.csv')"),
    (b"\x80\x05", "a Python pickle", "in Python: table.to_csv('table.csv')"),
    (b"MATLAB 5.0", "a MATLAB file (.mat)", "in MATLAB: writetable(t, 'table.csv')"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "run: git lfs pull"),
    (b"\x89PNG", "a picture", "a table is needed"),
    (b"\xff\xd8\xff", "a picture", "a table is needed"),
    (b"GIF89a", "a picture", "a table is needed"),
    (b"{\\rtf", "a text document (.rtf)", "save the table as csv"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it and name the table in it"),
    (b"Rar!\x1a", "a RAR archive", "unpack it and name the table in it"),
    (b"\x1f\x9d", "a file of Unix compress (.Z)", "unpack it: uncompress FILE"),
    (b"\x1f\x8b", "compressed twice", "unpack it once: gunzip FILE"),
    (b"BAM\x01", "sequence alignments (BAM)", "count them first, with featureCounts or the like"),
    (b"##fileformat=VCF", "variants (VCF)", "a table of one row per sample is needed"),
)
_MARKUP = (
    (rb"(?is)<\?xml.*<(\w+:)?workbook\b", "an Excel workbook as XML", _SAVE),
    (rb"(?is)<(!doctype html|html|head|body|script)\b", "an HTML page", "the download failed? fetch the file itself"),
    (rb"(?is)<table\b", "an HTML table", "open it in a spreadsheet and " + _SAVE),
    (rb"(?is)<error>|<code>(accessdenied|nosuchkey)", "a server's error", "the download failed? fetch it again"),
    (rb"(?is)<\?xml", "XML", "write it as a table"),
)
_IN_ZIP = (
    ("xl/workbook.bin", "an Excel workbook of the binary kind (.xlsb)", _SAVE),
    ("word/document.xml", "a text document (.docx)", "copy its table into a spreadsheet and save it as xlsx or csv"),
    ("ppt/presentation.xml", "slides (.pptx)", "a table is needed"),
    ("Index/Document.iwa", "a Numbers spreadsheet", "export it as xlsx or csv"),
    ("Index.zip", "a Numbers spreadsheet", "export it as xlsx or csv"),
)


def foreign(head: bytes) -> str | None:
    """What the first bytes of an unpacked file show where it is no text table, and the way out; None of others.

    Examples
    --------
    >>> foreign(b"<!DOCTYPE html><html>...")
    'an HTML page: the download failed? fetch the file itself'
    >>> foreign(b"sample_id,age\\n") is None
    True
    """
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n") or head
    for magic, what, do in _BEGINS:
        if head.startswith(magic) or (magic.isascii() and begins.startswith(magic)):
            return f"{what}: {do}"
    if head[257:262] == b"ustar":
        return "an archive of several files (tar): unpack it and name the table in it"
    if re.match(rb"[\[{]\s*[\[{\"]", begins):
        return "JSON: write it as a table, in Python: pandas.read_json(...).to_csv('table.csv')"
    if begins.startswith(b"<"):
        for pattern, what, do in _MARKUP:
            if re.search(pattern, begins[:20_000]):
                return f"{what}: {do}"
    return None


def kind_of_archive(path: str | Path) -> str | None:
    """``xlsx``; what another zip file is that is no archive of a table, and the way out; None of archives."""
    if packing(path) != ".zip":
        return None
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        mime = (
            archive.read("mimetype")[:100]
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200
            else b""
        )
    if b"opendocument" in mime:
        return f"an OpenDocument file (.ods): {_SAVE}"
    if "xl/workbook.xml" in names:
        return "xlsx"
    found = next((f"{what}: {do}" for name, what, do in _IN_ZIP if name in names), None)
    if found is None and any(name.startswith("xl/") for name in names) and "[Content_Types].xml" in names:
        return "xlsx"
    if found is None and any(name.endswith(".npy") for name in names):
        return "arrays of NumPy (.npz): write a csv with samples and genes"
    return found
