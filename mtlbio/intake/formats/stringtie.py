"""StringTie's tables of gene abundances, a file per sample: TPM."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.intake.formats.delimited import by_feature, read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.formats.per_sample import gather
from mtlbio.intake.notes import notice

_WHAT = "gene abundances of StringTie"
_COLUMNS = ("Gene ID", "Gene Name", "Coverage", "FPKM", "TPM")
_ENDINGS = (".tab", ".tsv", ".txt", ".gene_abund", ".ga")


def _fits(head: Head) -> bool:
    if head.names:
        return any(_fits(look(file)) for file in head.files(*_ENDINGS)[:5])
    return head.has(*_COLUMNS)


def read(path: Path) -> Content:
    """TPM of genes; a gene that stands twice in a file (two places of the genome) is summed."""
    files = [f for f in look(path).files(*_ENDINGS) if _fits(look(f))] if path.is_dir() else [path]
    about = read_below(files[0], _WHAT, columns=["Gene ID", "Gene Name"], text=["Gene ID", "Gene Name"])
    symbols = dict(zip(text_column(about["Gene ID"]), text_column(about["Gene Name"]), strict=True))
    tables, also = gather(path, files, _one)
    values = tables["TPM"]
    named = [symbols.get(str(i), "") for i in values.columns]
    values = by_symbol(values, ["" if name in (".", "-") else name for name in named], path, added=True)
    notice(path, "StringTie: column TPM is read; prepDE.py makes counts of its other output, which are better")
    return Content(values, "linear", "TPM of StringTie", also)


def _one(path: Path) -> pd.DataFrame:
    table = read_below(path, _WHAT, columns=["Gene ID", "TPM"], text=["Gene ID"])
    return by_feature(table, table["Gene ID"], ["TPM"], path).groupby(level=0, sort=False).sum()


LAYOUT = Layout("stringtie", _WHAT, _fits, read)
