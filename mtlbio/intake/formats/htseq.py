"""A folder of htseq-count output: a file per sample with genes and counts, without a header."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from mtlbio.intake.formats.delimited import by_feature, read_below
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.per_sample import SUMMARIES, gather
from mtlbio.intake.notes import notice

_WHAT = "a folder of htseq-count"
_ENDINGS = (".txt", ".tsv", ".counts", ".count", ".htseq", ".tab", ".out")
_LINE = re.compile(r"[^\t]+(\t[^\t]*)?\t\d+")


def _fits(head: Head) -> bool:
    files = head.files(*_ENDINGS)
    return len(files) > 1 and all(_two_columns(file) for file in files[:3])


def _two_columns(path: Path) -> bool:
    lines = [line for line in look(path).lines if line.strip()]
    return len(lines) > 1 and all(_LINE.fullmatch(line) for line in lines[:20]) and not lines[0][0].isdigit()


def read(path: Path) -> Content:
    """Counts of all files whose lines are a gene and a count."""
    files = look(path).files(*_ENDINGS)
    counts = [file for file in files if _two_columns(file)]
    if len(counts) < len(files):
        others = [file.name for file in files if file not in counts]
        notice(path, f"{len(others)} files are no counts of a sample and left out ({', '.join(others[:3])})")
    tables, also = gather(path, counts, _one)
    notice(path, f"htseq-count: rows about reads without a gene left out, where there are any ({SUMMARIES[0]} ...)")
    return Content(tables["count"], "counts", "counts of htseq-count", also)


def _one(path: Path) -> pd.DataFrame:
    width = look(path).first.count("\t") + 1
    table = read_below(path, "counts of a sample", width=width, columns=[0, width - 1], text=[0], quoted=False)
    return by_feature(table, table[0], [width - 1], path).set_axis(["count"], axis=1)


LAYOUT = Layout("htseq", _WHAT, _fits, read)
