"""STAR's ``ReadsPerGene.out.tab``, a file per sample: counts without strand, of the first and of the second strand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.errors import listing
from mtlbio.intake.formats.delimited import by_feature, read_below
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.per_sample import gather
from mtlbio.intake.notes import notice

_WHAT = "ReadsPerGene.out.tab of STAR"
_ENDING = "readspergene.out.tab"
_STRANDS = {"unstranded": "column 2, of a library without strand", "first": "column 3", "second": "column 4"}
# In a library with strand nearly all reads are on one; in one without, half are on each.
_CLEAR = 3


def _fits(head: Head) -> bool:
    if head.names:
        return bool(head.files(_ENDING))
    return head.first.startswith("N_unmapped\t") and head.first.count("\t") == 3


def read(path: Path) -> Content:
    """Counts of the strand that most reads are on."""
    files = look(path).files(_ENDING) if path.is_dir() else [path]
    tables, also = gather(path, files, _one)
    sums = {strand: tables[strand].to_numpy().sum(axis=1) for strand in ("first", "second")}
    of_samples = [_strand(first, second) for first, second in zip(sums["first"], sums["second"], strict=True)]
    chosen = _strand(sums["first"].sum(), sums["second"].sum())
    notice(
        path,
        f"STAR: {_STRANDS[chosen]} is read: column 3 holds {sums['first'].sum():,.0f} reads and column 4 "
        f"{sums['second'].sum():,.0f}",
    )
    other = [s for s, strand in zip(tables[chosen].index, of_samples, strict=True) if strand != chosen]
    if other:
        notice(path, f"the reads of {listing(other, 4)} look as from another kind of library: check them", doubt=True)
    return Content(tables[chosen], "counts", "counts of STAR", also)


def _strand(first: float, second: float) -> str:
    if max(first, second) < _CLEAR * max(min(first, second), 1):
        return "unstranded"
    return "first" if first > second else "second"


def _one(path: Path) -> pd.DataFrame:
    table = read_below(path, _WHAT, width=4, text=[0], quoted=False)
    return by_feature(table, table[0], [1, 2, 3], path).set_axis(list(_STRANDS), axis=1)


LAYOUT = Layout("star", _WHAT, _fits, read)
