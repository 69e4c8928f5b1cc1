"""Series matrices of GEO (``GSE..._series_matrix.txt.gz``): one file with the samples' description and the values."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import NA_TEXTS, numbers_of
from mtlbio.intake.formats.geo import Described
from mtlbio.intake.formats.geo_platform import symbols_beside
from mtlbio.intake.formats.head import Head, fields, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.notes import notice
from mtlbio.reading import lines_of, understood

_WHAT = "a GEO series matrix"
_BEGIN, _END = "!series_matrix_table_begin", "!series_matrix_table_end"


def _fits(head: Head) -> bool:
    return head.first.lstrip('"').startswith(("!Series_", "!Sample_", _BEGIN))


def read(path: Path) -> Content:
    """Values by GSM; their titles are another name of the samples."""
    described, files = Described(), list[str]()
    with understood(path, _WHAT), text_in(path, _WHAT) as text:
        if not _describe(text, path, described, files):
            raise InputError(f"{path}: {_WHAT} without {_BEGIN}: a part of the file is missing; download it again")
        header = text.readline().rstrip("\r\n")
        separator = separator_in(header)
        samples = fields(header, separator)[1:]
        columns = range(len(samples) + 1)
        try:
            table = pd.read_csv(
                text, sep=separator, header=None, names=columns, dtype={0: str}, na_values=NA_TEXTS, low_memory=False
            )
        except pd.errors.EmptyDataError:
            table = pd.DataFrame(columns=columns)
    if not samples:
        raise InputError(f"{path}: {_WHAT} without names of samples below {_BEGIN}; found: {header[:60]!r}")
    whole = bool(len(table)) and str(table.iloc[-1, 0]).startswith(_END)
    table = table.iloc[:-1] if whole else table
    if not len(table):
        raise InputError(f"{path}: {_without_values(path, described, files)}")
    if not whole:
        notice(path, f"ends without {_END}: is the download complete?", doubt=True)
    table = table.set_index(0).set_axis(samples, axis=1)
    values = numbers_of(table, path)
    notice(path, f"GEO series matrix: {len(samples)} samples x {len(values)} rows; samples are called by their GSM")
    platforms = sorted({name for name in described.values("platform_id") if name})
    measured = _by_gene(values.T, symbols_beside(path, platforms), platforms, path)
    titles = described.values("title")
    also = {"title": titles} if described.values("geo_accession") == samples else None
    return Content(measured, also=also)


def describe(path: Path) -> pd.DataFrame:
    """The lines ``!Sample_...``: one row per sample, characteristics as columns by their key."""
    described = Described()
    with understood(path, _WHAT), text_in(path, _WHAT) as text:
        _describe(text, path, described, [])
    table = described.table(path)
    if not len(table):
        raise InputError(f"{path}: {_WHAT} without lines !Sample_...; give the metadata as a file of its own")
    notice(path, f"described by its lines !Sample_...: {len(table)} samples, {table.shape[1]} columns")
    return table


def _describe(text, path: Path, described: Described, files: list[str]) -> bool:
    """Read up to the table; whether there is one."""
    for line in lines_of(text, path):
        line = line.strip("\r\n")
        key = line.lstrip('"').partition("\t")[0].partition(",")[0].strip().strip('"')
        separator = "," if "\t" not in line and line.lstrip('"')[len(key) :].lstrip('"').startswith(",") else "\t"
        if key.lower() == _BEGIN:
            return True
        if key.startswith("!Sample_"):
            name = key.removeprefix("!Sample_")
            described.add(name, fields(line, separator)[1:])
        elif key.startswith("!Series_supplementary_file"):
            files += fields(line, separator)[1:]
    return False


def _without_values(path: Path, described: Described, files: list[str]) -> str:
    where = f" ({listing(files, 2)})" if files else ""
    return (
        f"a series matrix without values: GEO keeps those of sequencing among the series' supplementary files{where}; "
        f"download the table of counts and give this file as its metadata: mtlbio init COUNTS {path.name}"
    )


def _by_gene(values: pd.DataFrame, symbols: dict[str, str], platforms: list[str], path: Path) -> pd.DataFrame:
    """Probes under their genes where an annotation of the platform knows them, which is said."""
    names = [str(name) for name in values.columns]
    if any(symbols.get(name) for name in names):
        return by_symbol(values, [symbols.get(name, "") for name in names], path, added=False, what="probes")
    some = names[:200]
    probes = [n for n in some if n.endswith("_at") or n.startswith(("ILMN_", "A_", "TC0", "cg")) or n.isdigit()]
    if len(probes) > len(some) / 2 and not probes[0].startswith("cg"):
        way = f"; put the annotation {platforms[0]}.annot.gz of GEO into the same folder" if platforms else ""
        notice(path, f"rows are probes of an array ({probes[0]}), not genes: sets of genes will not find them{way}")
    return values


LAYOUT = Layout("geo_series_matrix", _WHAT, _fits, read, describe)
