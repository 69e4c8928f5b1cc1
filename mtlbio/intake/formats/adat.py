"""ADAT files of SomaScan: blocks of annotations, then a table whose columns are described above it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of, read_below, text_column, unique_names
from mtlbio.intake.formats.head import Head
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import apart
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.notes import notice
from mtlbio.reading import lines_of, understood

_WHAT = "an ADAT of SomaScan"
_MOST_ANNOTATIONS = 200


def _fits(head: Head) -> bool:
    return head.first.startswith(("!Checksum", "^HEADER")) and any(line.startswith("^HEADER") for line in head.lines)


def read(path: Path) -> Content:
    """RFU of the samples (no buffers, calibrators or controls) and human proteins, by gene symbol."""
    analytes, rows, start = _frame(path)
    left = rows.shape[1]
    width = left + 1 + len(analytes)
    table = read_below(path, _WHAT, start, columns=range(left + 1, width), width=width, quoted=False)
    values = numbers_of(table, path)
    if len(values) != len(rows):
        raise InputError(f"{path}: {len(rows)} rows of annotations and {len(values)} of values: a damaged {_WHAT[3:]}")
    human = _proteins(analytes, path)
    kept = _samples(rows, path)
    ids = analytes.get("SeqId", pd.Series(range(len(analytes)))).astype(str)[human]
    symbols = analytes.get("EntrezGeneSymbol", analytes.get("Target", ids))[human]
    several = symbols.str.contains(r"[ |;]")
    if several.any():
        notice(path, f"{int(several.sum())} aptamers bind products of several genes: called by the first of them")
    names = apart([symbol.split("|")[0].split(";")[0].split(" ")[0] for symbol in symbols], list(ids), path)
    values = values.loc[kept.to_numpy(), human.to_numpy()]
    sample_ids = rows[_id_column(rows, path)][kept]
    values = values.set_axis(pd.Index(sample_ids, dtype=object), axis=0).set_axis(names, axis=1)
    notice(path, f"SomaScan ADAT: {values.shape[0]} samples x {values.shape[1]} aptamers, in RFU")
    return Content(values, "linear", "fluorescence units (RFU)")


def describe(path: Path) -> pd.DataFrame:
    """Annotations of the samples that hold anything."""
    _, rows, _ = _frame(path)
    rows = rows[_samples(rows, path)].reset_index(drop=True)
    return rows.loc[:, (rows != "").any(axis=0)].replace("", None)


def _frame(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Annotations of the analytes, of the samples, and how many lines stand above the values."""
    with understood(path, f"{_WHAT}, as UTF-8 text"), text_in(path, _WHAT) as text:
        lines = enumerate(lines_of(text, path))
        if not any(line.startswith("^TABLE_BEGIN") for _, line in lines):
            raise InputError(f"{path}: {_WHAT} without ^TABLE_BEGIN: a part of the file is missing")
        above: dict[str, list[str]] = {}
        header, start = list[str](), 0
        for number, line in lines:
            cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
            if cells[0]:
                header, start = cells, number + 1
                break
            place = next((i for i, cell in enumerate(cells) if cell), None)
            if place is not None:
                above[cells[place]] = cells[place + 1 :]
                left = place
            if len(above) > _MOST_ANNOTATIONS:
                raise InputError(f"{path}: not {_WHAT}: no row of sample annotations below ^TABLE_BEGIN")
    if not above or not header:
        raise InputError(f"{path}: {_WHAT} without annotations below ^TABLE_BEGIN")
    n = max(map(len, above.values()))
    analytes = pd.DataFrame({key: (cells + [""] * n)[:n] for key, cells in above.items()})
    header += [""] * (left - len(header))
    names = unique_names([name or f"column {i + 1}" for i, name in enumerate(header[:left])])
    width = left + 1 + n
    table = read_below(path, _WHAT, start, columns=range(left), text=range(left), width=width, quoted=False)
    rows = table.set_axis(names, axis=1).apply(text_column)
    return analytes, rows, start


def _of_type(
    table: pd.DataFrame, column: str, wanted: str, check: str, what: str, others: str, path: Path
) -> pd.Series:
    """Rows whose ``column`` says that they are ``wanted``, all where none does; those that go, and those that
    SomaLogic flags in the column ``check``, are told."""
    if column not in table or not (table[column] == wanted).any():
        return pd.Series(True, index=table.index)
    kept = table[column] == wanted
    if not kept.all():
        notice(path, f"{int((~kept).sum())} {others} dropped: {_counted(table[column][~kept].value_counts())}")
    flagged = table.get(check, pd.Series("", index=table.index))[kept] == "FLAG"
    if flagged.any():
        notice(path, f"{int(flagged.sum())} {what} are flagged by SomaLogic's control of quality ({check}): kept")
    return kept


def _proteins(analytes: pd.DataFrame, path: Path) -> pd.Series:
    others = "aptamers that are no human proteins"
    return _of_type(analytes, "Type", "Protein", "ColCheck", "aptamers", others, path)


def _samples(rows: pd.DataFrame, path: Path) -> pd.Series:
    return _of_type(rows, "SampleType", "Sample", "RowCheck", "samples", "rows that are no samples", path)


def _id_column(rows: pd.DataFrame, path: Path) -> str:
    for name in ("SampleId", "SampleID", "ExtIdentifier", "Barcode"):
        if name in rows and np.any(rows[name] != ""):
            return name
    raise InputError(f"{path}: {_WHAT} without SampleId; found: {listing(rows.columns, 12)}")


def _counted(kinds: pd.Series) -> str:
    return listing([f"{kind or 'without a type'} {n}" for kind, n in kinds.items()], 6)


LAYOUT = Layout("adat", _WHAT, _fits, read, describe)
