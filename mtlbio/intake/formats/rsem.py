"""RSEM's ``genes.results``, a file per sample: expected counts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.intake.formats.delimited import by_feature, read_below
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.per_sample import gather, rounded
from mtlbio.intake.notes import notice

_WHAT = "genes.results of RSEM"


def _fits(head: Head) -> bool:
    return bool(head.files(".genes.results")) or head.has("gene_id", "effective_length", "expected_count")


def read(path: Path) -> Content:
    """Expected counts, rounded."""
    files = look(path).files(".genes.results") if path.is_dir() else [path]
    tables, also = gather(path, files, _one)
    notice(path, "RSEM: column expected_count is read")
    return Content(rounded(tables["expected_count"], path, "expected counts"), "counts", "counts of RSEM", also)


def _one(path: Path) -> pd.DataFrame:
    first = "transcript_id" if look(path).columns[:1] == ("transcript_id",) else "gene_id"
    table = read_below(path, _WHAT, columns=[first, "expected_count"], text=[first])
    return by_feature(table, table[first], ["expected_count"], path)


LAYOUT = Layout("rsem", _WHAT, _fits, read)
