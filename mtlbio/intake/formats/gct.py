"""GCT tables of GTEx, GenePattern and cmap: genes in rows below two or three lines that say how large they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of, read_below, text_column
from mtlbio.intake.formats.head import Head, fields
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.notes import notice
from mtlbio.reading import understood

_WHAT = "a GCT table"


def _fits(head: Head) -> bool:
    return head.first.strip() in ("#1.2", "#1.3")


def read(path: Path) -> Content:
    """Values by the gene names of column Description, which are kept apart where several rows share one."""
    header, n_rows, n_annotations, n_above = _shape(path)
    first = 1 + n_annotations
    table = read_below(path, _WHAT, skip=3 + n_above, width=len(header), text=range(first), quoted=False)
    if len(table) != n_rows:
        raise InputError(f"{path}: says that it has {n_rows:,} rows and has {len(table):,}: a part is missing")
    ids = pd.Index(text_column(table[0]), dtype=object)
    values = numbers_of(table.iloc[:, first:].set_axis(ids, axis=0), path).set_axis(header[first:], axis=1)
    described = text_column(table[1]) if n_annotations else text_column(table[0])
    if described.nunique() > 1 and not described.equals(text_column(table[0])):
        symbols = ["" if name.lower() in ("na", "n/a") else name for name in described]
        values = by_symbol(values.T, symbols, path, added=bool((values >= 0).all(axis=None))).T
        notice(path, f"genes are called by column {header[1]!r}")
    notice(path, f"GCT: {values.shape[1]} samples x {len(values)} genes")
    return Content(values.T)


def describe(path: Path) -> pd.DataFrame:
    """Rows of annotations above the values (version 1.3)."""
    header, _, n_annotations, n_above = _shape(path)
    if not n_above:
        raise InputError(f"{path}: {_WHAT} of version 1.2 describes no samples; give the metadata as a file of its own")
    first = 1 + n_annotations
    table = read_below(
        path, _WHAT, skip=3, width=len(header), text=range(len(header)), rows=n_above,
        quoted=False,
    )  # fmt: skip
    found = {"sample_id": header[first:]} | {str(row[0]): list(row[first:]) for row in table.itertuples(index=False)}
    return pd.DataFrame(found, dtype=object)


def _shape(path: Path) -> tuple[list[str], int, int, int]:
    """Names of the columns, rows of values, annotations of a row beside its id, and lines of annotations above."""
    with understood(path, _WHAT), text_in(path, _WHAT) as text:
        version = text.readline(100).strip()
        numbers = text.readline(1000).split()
        header = fields(text.readline().rstrip("\r\n"))
    expected = 2 if version == "#1.2" else 4
    if len(numbers) < expected or not all(n.isascii() and n.isdigit() for n in numbers[:expected]):
        raise InputError(f"{path}: second line {listing(numbers, 4)}; expected {expected} whole numbers, as in {_WHAT}")
    counts = [int(number) for number in numbers]
    n_annotations = 1 if version == "#1.2" else counts[2]
    if counts[1] != len(header) - 1 - n_annotations:
        raise InputError(
            f"{path}: says that it has {counts[1]:,} samples and names {len(header) - 1 - n_annotations:,}"
        )
    return header, counts[0], n_annotations, 0 if version == "#1.2" else counts[3]


LAYOUT = Layout("gct", _WHAT, _fits, read, describe)
