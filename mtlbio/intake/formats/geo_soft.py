"""SOFT files of GEO (``GSE..._family.soft.gz``): samples one after the other, each with its own table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError
from mtlbio.intake.formats.geo import Described
from mtlbio.intake.formats.geo_platform import refuse, symbol_column, symbol_in, symbols_of
from mtlbio.intake.formats.head import Head
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.missing_words import NO_NUMBER
from mtlbio.intake.notes import notice
from mtlbio.reading import check_fits, lines_of, understood

_WHAT = "a SOFT file of GEO"
_BEGINS = ("^DATABASE", "^SERIES", "^PLATFORM", "^SAMPLE")


def _fits(head: Head) -> bool:
    return head.first.startswith(_BEGINS) and " = " in head.first


def read(path: Path) -> Content:
    """Column VALUE of every sample's table; probes get the gene symbols of the platform's table where it has them."""
    described, tables, symbols = _read(path, with_tables=True)
    samples = described.values("geo_accession")
    if symbols and not samples:
        refuse(path)
    if not any(len(table) for table in tables):
        raise InputError(
            f"{path}: {_WHAT} without values; GEO keeps those of sequencing among the series' supplementary files: "
            f"download the table of counts and give this file as its metadata: mtlbio init COUNTS {path.name}"
        )
    probes = list(dict.fromkeys(probe for table in tables for probe in table))
    check_fits(path, len(probes) * len(tables) * 8, "its values")
    values = np.array([[table.get(probe, np.nan) for probe in probes] for table in tables])
    table = pd.DataFrame(values, index=samples, columns=probes)
    if symbols:
        example = f"{probes[0]}: {symbols.get(probes[0], '')}"
        notice(path, f"probes are called by the gene symbols of the platform ({example})")
        table = by_symbol(table, [symbols.get(probe, "") for probe in probes], path, added=False, what="probes")
    notice(path, f"SOFT file: {len(samples)} samples x {len(probes)} rows; samples are called by their GSM")
    return Content(table, also={"title": described.values("title")})


def describe(path: Path) -> pd.DataFrame:
    """The lines ``!Sample_...`` of every sample."""
    table = _read(path, with_tables=False)[0].table(path)
    if not len(table):
        if symbols_of(path):
            refuse(path)
        raise InputError(f"{path}: {_WHAT} without samples; give the metadata as a file of its own")
    return table


def _read(path: Path, with_tables: bool) -> tuple[Described, list[dict[str, float]], dict[str, str]]:
    described, tables, symbols = Described(), list[dict[str, float]](), dict[str, str]()
    sample, inside, columns = -1, "", list[str]()
    symbol: int | None = None
    with understood(path, _WHAT), text_in(path, _WHAT) as text:
        for line in lines_of(text, path):
            line = line.rstrip("\r\n")
            if line.startswith(("^", "!")):
                key, _, value = line.partition(" = ")
                lower = key.strip().lower()
                if lower == "^sample":
                    sample += 1
                    tables.append({})
                    described.add("geo_accession", [value], first=sample)
                elif lower in ("!sample_table_begin", "!platform_table_begin"):
                    inside, columns = lower.split("_")[0], []
                elif lower in ("!sample_table_end", "!platform_table_end"):
                    inside = ""
                elif key.startswith("!Sample_"):
                    described.add(key.removeprefix("!Sample_"), [value], first=max(sample, 0))
            elif inside and with_tables and not line.startswith("#"):
                cells = line.split("\t")
                if not columns:
                    columns, symbol = [cell.strip().lower() for cell in cells], symbol_column(cells)
                elif inside == "!sample":
                    at = columns.index("value") if "value" in columns else 1
                    tables[sample][cells[0].strip()] = _number(cells[at] if len(cells) > at else "", path)
                elif symbol is not None and symbol < len(cells):
                    symbols[cells[0].strip()] = symbol_in(cells[symbol])
    return described, tables, symbols


def _number(cell: str, path: Path) -> float:
    cell = cell.strip()
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        if cell.lower() in NO_NUMBER:
            return np.nan
        raise InputError(f"{path}: found {cell[:40]!r} in a column VALUE where a number is due") from None


LAYOUT = Layout("geo_soft", _WHAT, _fits, read, describe)
