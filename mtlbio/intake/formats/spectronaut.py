"""Spectronaut's pivot report of protein groups (columns ``[1] S1.raw.PG.Quantity``), and its long one."""

from __future__ import annotations

import re
from pathlib import Path

from mtlbio.intake.formats.delimited import read_below, text_column
from mtlbio.intake.formats.head import Head, look, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.long_report import LongReport
from mtlbio.intake.formats.names import samples_of_paths
from mtlbio.intake.formats.protein_groups import contaminants, content

_WHAT = "a pivot report of Spectronaut"
_QUANTITY = re.compile(r"(\[\d+\] )?(.+)\.PG\.(Quantity|Log2Quantity)")
REPORT = LongReport(
    "Spectronaut",
    ("R.FileName", "R.Run Name", "R.Label"),
    ("PG.ProteinGroups", "PG.ProteinAccessions"),
    ("PG.Genes",),
    ("PG.Quantity", "PG.Log2Quantity"),
    ("EG.PrecursorId", "EG.ModifiedSequence", "EG.ModifiedPeptide", "PEP.StrippedSequence", "PG.Quantity"),
    ("EG.Qvalue", "PG.Qvalue"),
    ("EG.IsDecoy",),
    "export it with that column, or the pivot report of protein groups",
)


def _fits(head: Head) -> bool:
    if REPORT.fits(head):
        return True
    return head.has("PG.ProteinGroups") and any(_QUANTITY.fullmatch(name) for name in head.columns)


def read(path: Path) -> Content:
    """Quantities of protein groups, by gene."""
    columns = look(path).columns
    if REPORT.fits(look(path)):
        return REPORT.read(path)
    runs = {name: found.group(2) for name in columns if (found := _QUANTITY.fullmatch(name))}
    about = [name for name in ("PG.ProteinGroups", "PG.Genes") if name in columns]
    table = read_below(path, _WHAT, None, _separator(path), columns=[*about, *runs], text=about)
    proteins = text_column(table["PG.ProteinGroups"])
    genes = text_column(table["PG.Genes"]) if "PG.Genes" in about else proteins.map(lambda _: "")
    kept = contaminants(path, proteins)
    samples = samples_of_paths(runs.values())
    return content(path, table[list(runs)][kept], list(genes[kept]), list(proteins[kept]), samples, "Spectronaut")


def _separator(path: Path) -> str:
    head = look(path)
    return separator_in(head.lines[head.above])


LAYOUT = Layout("spectronaut", _WHAT, _fits, read)
