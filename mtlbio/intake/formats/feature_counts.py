"""featureCounts: genes in rows, six columns about them, then a column for every BAM file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError
from mtlbio.intake.formats.delimited import numbers_of, read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol, samples_of_paths
from mtlbio.intake.formats.per_sample import gather, rounded
from mtlbio.intake.notes import notice

_WHAT = "a table of featureCounts"
_ABOUT = ("Geneid", "Chr", "Start", "End", "Strand", "Length")
# --extraAttributes of the annotation stand behind Length
_ATTRIBUTES = ("gene_name", "gene_type", "gene_biotype", "gene_symbol", "gene_id", "gene_source", "gene_version")
_ENDINGS = (".txt", ".tsv", ".counts", ".featurecounts", ".tab", ".out")


def _fits(head: Head) -> bool:
    if head.names:
        files = _files(head)
        return len(files) > 0 and _fits(look(files[0]))
    return head.columns[: len(_ABOUT)] == _ABOUT and len(head.columns) > len(_ABOUT)


def read(path: Path) -> Content:
    """Counts of every BAM file, called by what tells the files apart."""
    if path.is_dir():
        return _folder(path)
    values = _one(path)
    if "gene_name" in look(path).columns:
        names = read_below(path, _WHAT, columns=["gene_name"], text=["gene_name"])
        values = by_symbol(values.T, list(text_column(names["gene_name"])), path, added=True).T
        notice(path, "genes are called by column 'gene_name'")
    files = [str(name) for name in values.columns]
    values = values.set_axis(samples_of_paths(files), axis=1)
    notice(
        path,
        f"featureCounts: {values.shape[1]} samples x {len(values)} genes; columns {', '.join(_ABOUT[1:])} left out; "
        f"samples are called by their files ({files[0]}: {values.columns[0]})",
    )
    _say_summary(path)
    return Content(rounded(values.T, path, "counts"), "counts", "counts of featureCounts", {"file": files})


def _folder(path: Path) -> Content:
    def one(file: Path) -> pd.DataFrame:
        table = _one(file)
        if table.shape[1] != 1:
            raise InputError(f"{file}: {table.shape[1]} BAM files; expected one in each table of a folder")
        return table.set_axis(["count"], axis=1)

    tables, also = gather(path, _files(look(path)), one)
    return Content(rounded(tables["count"], path, "counts"), "counts", "counts of featureCounts", also)


def _files(head: Head) -> list[Path]:
    return [file for file in head.files(*_ENDINGS) if look(file).columns[: len(_ABOUT)] == _ABOUT][: len(head.names)]


def _one(path: Path) -> pd.DataFrame:
    """(genes, files)"""
    out = {*_ABOUT[1:], *_ATTRIBUTES}
    table = read_below(path, _WHAT, columns=lambda name: name not in out, text=["Geneid"])
    return numbers_of(table.set_index(text_column(table["Geneid"]).to_numpy()).drop(columns="Geneid"), path)


def _say_summary(path: Path) -> None:
    beside = path.with_name(f"{path.name.removesuffix('.gz')}.summary")
    if not beside.is_file():
        return
    table = read_below(beside, "a summary of featureCounts")
    table = numbers_of(table.set_index(table.columns[0]), beside)
    if "Assigned" in table.index:
        share = table.loc["Assigned"] / table.sum().replace(0, np.nan)
        notice(path, f"between {share.min():.0%} and {share.max():.0%} of the reads were assigned ({beside.name})")


def _fits_summary(head: Head) -> bool:
    return head.first.startswith("Status\t") and any(line.startswith("Assigned\t") for line in head.lines)


def _read_summary(path: Path) -> Content:
    raise InputError(
        f"{path}: the summary of featureCounts, not its counts; give {path.name.removesuffix('.summary')} instead"
    )


LAYOUT = Layout("featurecounts", _WHAT, _fits, read)
SUMMARY = Layout("featurecounts_summary", "a summary of featureCounts", _fits_summary, _read_summary)
