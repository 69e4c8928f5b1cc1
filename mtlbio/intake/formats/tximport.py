"""The list that tximport gives in R, written as one table: columns ``counts.S1``, ``abundance.S1``, ``length.S1``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.intake.formats.delimited import numbers_of, read_below, text_column
from mtlbio.intake.formats.head import Head, look, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.per_sample import rounded
from mtlbio.intake.notes import notice

_WHAT = "a table of tximport"


def _fits(head: Head) -> bool:
    kinds = [name.partition(".")[0] for name in head.columns]
    return kinds.count("counts") == kinds.count("abundance") == kinds.count("length") > 0


def read(path: Path) -> Content:
    """Estimated counts, rounded; abundances and lengths are left out."""
    head = look(path)
    columns, separator = head.columns, separator_in(head.lines[head.above])
    body = next((line for line in head.lines[head.above + 1 :] if line.strip()), "")
    short = body.count(separator) == len(columns)  # R's header without a name for the row names
    names = ["", *columns] if short else list(columns)
    table = read_below(path, _WHAT, head.above + 1, separator, text=[0], width=len(names))
    genes = text_column(table[0])
    places = [i for i, name in enumerate(names) if name.startswith("counts.")]
    values = numbers_of(table[places].set_axis(pd.Index(genes, dtype=object), axis=0), path)
    values = values.set_axis([names[i].removeprefix("counts.") for i in places], axis=1)
    notice(path, f"tximport: columns counts.... of {values.shape[1]} samples are read")
    return Content(rounded(values.T, path, "counts"), "counts", "counts of tximport")


LAYOUT = Layout("tximport", _WHAT, _fits, read)
