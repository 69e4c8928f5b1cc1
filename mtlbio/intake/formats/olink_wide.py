"""Olink NPX as NPX Manager exports it: assays in columns below four rows about them, samples in rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of
from mtlbio.intake.formats.head import Head, fields, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import apart
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.formats.workbook import first_sheet
from mtlbio.intake.notes import notice
from mtlbio.reading import lines_of, understood

_WHAT = "Olink NPX in the wide layout"
_ROWS = ("assay", "uniprot id", "olinkid")
_BELOW = ("lod", "missing data freq.", "missing data freq", "normalization", "max lod", "plate lod")

_NO_NUMBER = ("", "NaN", "NA", "No Data", "> ULOQ", "< LLOQ")


def _fits(head: Head) -> bool:
    if head.magic.startswith(b"PK") and head.path.suffix.lower() in (".xlsx", ".xlsm"):
        return _place(first_sheet(head.path, 12)) is not None
    return _place([fields(line, separator_in(line)) for line in head.lines[:12]]) is not None


def _place(rows: list[list[str]]) -> int | None:
    """The row that names the assays."""
    firsts = [row[0].strip().lower() if row else "" for row in rows]
    return next((i for i in range(len(firsts) - 2) if tuple(firsts[i : i + 3]) == _ROWS), None)


def read(path: Path) -> Content:
    """Assays by name; an assay in several panels is averaged."""
    rows = _rows(path)
    place = _place(rows)
    if place is None:
        raise InputError(f"{path}: not {_WHAT}: no rows Assay, Uniprot ID and OlinkID")
    assays, proteins, ids = (rows[place + i] for i in range(3))
    columns = [
        i for i, assay in enumerate(assays) if i and assay and len(ids) > i and ids[i].upper().startswith("OID")
    ]  # fmt: skip
    body = [row for row in rows[place + 3 :] if row and row[0].strip()]
    samples = [row for row in body if row[0].strip().lower() not in _BELOW]
    if not columns or not samples:
        raise InputError(f"{path}: {_WHAT} with {len(samples)} samples and {len(columns)} assays")
    cells = [[row[i].replace(",", ".") if i < len(row) else "" for i in columns] for row in samples]
    table = pd.DataFrame(cells, index=[row[0].strip() for row in samples], columns=[assays[i] for i in columns])
    values = numbers_of(table.mask(table.isin(_NO_NUMBER)), path)
    _say(path, rows[place - 1 : place], samples, body, values, columns)
    names = pd.Series([(assays[i], proteins[i] if i < len(proteins) else "") for i in columns])
    if names.duplicated().any():
        again = listing(dict.fromkeys(name for name, _ in names[names.duplicated()]), 4)
        notice(path, f"proteins that several panels measure ({again}): averaged")
        values = values.T.groupby([[n for n, _ in names], [p for _, p in names]], sort=False).mean().T
        names = pd.Series(list(values.columns))
    values = values.set_axis(apart([n for n, _ in names], [p for _, p in names], path, "assay"), axis=1)
    notice(path, f"Olink NPX (wide): {values.shape[0]} samples x {values.shape[1]} assays")
    return Content(values, "log2", "NPX, Olink's log2 scale")


def _say(path: Path, above, samples, body, values: pd.DataFrame, columns: list[int]) -> None:
    warned = [row[0] for row in samples if any(cell.strip().lower() in ("warning", "warn") for cell in row)]
    if warned:
        text = f"{len(warned)} samples with a warning of quality ({listing(warned, 4)}): kept"
        notice(path, text, doubt=True)
    limits = next((row for row in body if row[0].strip().lower().endswith("lod")), None)
    if limits is not None:
        cells = [limits[i].replace(",", ".") if i < len(limits) else "" for i in columns]
        limit = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy()
        below = values.to_numpy() < limit
        notice(path, f"{below.mean():.0%} of the values are below the limit of detection: kept as they are")
    gaps = values.isna()
    if gaps.to_numpy().any():
        text = f"{int(gaps.to_numpy().sum())} values are missing, of {int(gaps.any().sum())} assays"
        notice(path, text, doubt=True)


def _rows(path: Path) -> list[list[str]]:
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return first_sheet(path)
    with understood(path, _WHAT), text_in(path, _WHAT) as text:
        lines = [line.rstrip("\r\n") for line in lines_of(text, path)]
    separator = separator_in(next((line for line in lines if line.lower().startswith("assay")), ""))
    return [fields(line, separator) for line in lines]


LAYOUT = Layout("olink_wide", _WHAT, _fits, read)
