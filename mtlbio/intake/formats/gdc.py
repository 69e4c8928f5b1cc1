"""Counts of the Genomic Data Commons: ``...augmented_star_gene_counts.tsv``, a file per sample in a folder each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError
from mtlbio.intake.formats.delimited import by_feature, read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.formats.per_sample import SUMMARIES, gather
from mtlbio.intake.notes import notice

_WHAT = "gene counts of the Genomic Data Commons"
_COLUMNS = ("gene_id", "gene_name", "gene_type", "unstranded")
_ENDING = "star_gene_counts.tsv"


def _fits(head: Head) -> bool:
    return bool(head.files(_ENDING)) if head.names else head.columns[: len(_COLUMNS)] == _COLUMNS


def read(path: Path) -> Content:
    """Counts without strand, as GDC uses them; samples called by the sample sheet where one lies in the folder."""
    files = look(path).files(_ENDING) if path.is_dir() else [path]
    about = _below(files[0], ["gene_id", "gene_name"])
    symbols = dict(zip(text_column(about["gene_id"]), text_column(about["gene_name"]), strict=True))
    tables, also = gather(path, files, _one)
    values = tables["unstranded"]
    values = by_symbol(values, [symbols.get(str(i), "") for i in values.columns], path, added=True)
    names = _sheet(path) if path.is_dir() else {}
    if names:
        unknown = [file.name for file in files if file.name not in names]
        if unknown:
            raise InputError(f"{path}: {unknown[0]} is not in the sample sheet, as are {len(unknown)} files in all")
        values = values.set_axis(pd.Index([names[file.name] for file in files], dtype=object), axis=0)
    notice(path, f"GDC: column unstranded is read, rows {', '.join(SUMMARIES[5:7])} ... left out")
    return Content(values, "counts", "counts of STAR", also)


def _sheet(path: Path) -> dict[str, str]:
    """File -> sample, by the sample sheet that the portal gives."""
    sheets = sorted(path.glob("gdc_sample_sheet*.tsv"))
    if not sheets:
        notice(path, "no gdc_sample_sheet....tsv here: samples are called by their files, not by TCGA's barcodes", True)
        return {}
    columns = ["File Name", "Sample ID"]
    table = read_below(sheets[0], "a sample sheet of GDC", columns=columns, text=columns)
    notice(path, f"samples are called as in {sheets[0].name}")
    return dict(zip(table["File Name"], table["Sample ID"], strict=True))


def _below(path: Path, columns: list[str]) -> pd.DataFrame:
    return read_below(path, _WHAT, columns=columns, text=["gene_id", "gene_name"])


def _one(path: Path) -> pd.DataFrame:
    table = _below(path, ["gene_id", "unstranded"])
    return by_feature(table, table["gene_id"], ["unstranded"], path)


LAYOUT = Layout("gdc", _WHAT, _fits, read)
