"""Descriptions of samples as GEO writes them: lines ``!Sample_...`` of a series matrix or of a SOFT file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mtlbio.errors import listing
from mtlbio.intake.notes import notice

# Protocols, addresses and book-keeping: long, and no property of a sample.
_BOOKS = re.compile(
    r"(status|last_update_date|type|channel_count|taxid_ch\d|extract_protocol.*|label(_protocol)?_ch\d|hyb_protocol|"
    r"scan_protocol|data_processing|growth_protocol_ch\d|treatment_protocol_ch\d|contact_.*|supplementary_file.*|"
    r"data_row_count|relation|series_id|table_begin|table_end|molecule_ch\d)"
)
_KEPT = ("geo_accession", "title", "source_name_ch1", "description")


class Described:
    """The description of the samples, filled line by line.

    ``add`` takes the key of a line without ``!Sample_`` and its value for every sample (or one sample's, in a SOFT
    file); a key that repeats (``characteristics_ch1``) adds to what is there.
    """

    def __init__(self) -> None:
        self.columns: dict[str, dict[int, list[str]]] = {}
        self.spelling: dict[str, str] = {}
        self.n = 0

    def add(self, key: str, values: Sequence[str], first: int = 0) -> None:
        """Values of one line; they belong to the samples from ``first`` on."""
        self.n = max(self.n, first + len(values))
        for sample, value in enumerate(values, start=first):
            value = " ".join(value.split())
            if not value:
                continue
            name = key
            if key.startswith("characteristics_ch"):
                named, colon, rest = value.partition(":")
                if colon and named.strip() and not rest.startswith("//"):
                    channel = key.removeprefix("characteristics_ch")
                    name, value = named.strip() + ("" if channel == "1" else f" (ch{channel})"), rest.strip()
                    if name in ("geo_accession", "title"):
                        name = f"{name} (characteristics)"
            name = self.spelling.setdefault(name.casefold(), name)
            cell = self.columns.setdefault(name, {}).setdefault(sample, [])
            if value and value not in cell:
                cell.append(value)

    def values(self, key: str) -> list[str]:
        """One column as text, empty where a sample has nothing."""
        cells = self.columns.get(key, {})
        return ["; ".join(cells.get(i, [])) for i in range(self.n)]

    def table(self, path: Path) -> pd.DataFrame:
        """What describes the samples: identifiers, title, characteristics, and other lines that vary."""
        constant, kept = [], {}
        for key in sorted(self.columns, key=lambda k: (k not in _KEPT, 0)):
            column = self.values(key)
            of_line = re.fullmatch(r"[a-z_]+(_ch\d)?", key) is not None and key not in _KEPT
            if of_line and _BOOKS.fullmatch(key):
                continue
            if len(set(column)) == 1 and len(column) > 1:
                constant.append(f"{key}: {column[0]}" if len(column[0]) < 40 else key)
                continue
            kept[key] = [value or None for value in column]
        bracketed = [re.search(r"\[([^\[\]]+)\]\s*$", title) for title in self.values("title")]
        if bracketed and all(bracketed):
            kept["title in brackets"] = [found.group(1).strip() for found in bracketed if found]
        if constant:
            notice(path, f"the same for every sample, left out: {listing(constant, 6)}")
        return pd.DataFrame(kept, dtype=object)
