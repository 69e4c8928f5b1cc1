"""Tables of GenomeStudio, and those of GEO made of them: every sample has several columns, one of them the value."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of, read_below, text_column
from mtlbio.intake.formats.head import Head, fields, look, separator_in
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.names import by_symbol
from mtlbio.intake.notes import notice

_WHAT = "a table of GenomeStudio"
_VALUES = re.compile(r"(.+?)[._ ](AVG_Beta|AVG_Signal)", re.IGNORECASE)
_DETECTION = re.compile(r"(.*?)[._ ]*Detection[._ ]?P[._ ]?val(ue)?([._ ]?\d+)?", re.IGNORECASE)
_IDS = ("targetid", "id_ref", "probeid", "probe_id", "ilmnid", "name", "id")


def _header(head: Head) -> tuple[str, ...]:
    """Names of the columns, below the block that begins with the name of the program."""
    for line in head.lines[:40]:
        low = line.lower()
        if "avg_" not in low and "detection" not in low:  # most lines, with thousands of fields
            continue
        names = fields(line, separator_in(line))
        if len(names) > 2 and any(_DETECTION.fullmatch(n) or _VALUES.fullmatch(n) for n in names):
            return tuple(names)
    return ()


def _fits(head: Head) -> bool:
    names = _header(head)
    if any(_VALUES.fullmatch(name) for name in names):
        return names[0].lower() in (*_IDS, "index")
    found = [_DETECTION.fullmatch(name) is not None for name in names]
    # GEO's tables of processed values: a column of p-values behind every sample
    return sum(found) >= 2 and names[0].lower().strip("#") in (*_IDS, "")


def read(path: Path) -> Content:
    """AVG_Beta or AVG_Signal, or what stands before every Detection Pval."""
    names = _header(look(path))
    lines = look(path).lines
    above = next(i for i, line in enumerate(lines) if tuple(fields(line, separator_in(line))) == names)
    places = {i: found.group(1) for i, name in enumerate(names) if (found := _VALUES.fullmatch(name))}
    beta = any(names[i].lower().endswith("avg_beta") for i in places)
    places = {i: s for i, s in places.items() if names[i].lower().endswith("avg_beta") == beta}
    if not places:
        places = {i - 1: names[i - 1] for i, name in enumerate(names) if _DETECTION.fullmatch(name) and i > 1}
    at = next((i for i, name in enumerate(names) if name.lower().strip("#") in _IDS), 0)
    symbol = next((i for i, name in enumerate(names) if name.lower() == "symbol"), None)
    text = [at] + ([symbol] if symbol is not None else [])
    table = read_below(
        path, _WHAT, above + 1, separator_in(lines[above]), sorted({*text, *places}), text, width=len(names)
    )  # fmt: skip
    ids = list(text_column(table[at]))
    if len(set(ids)) < len(ids):
        twice = pd.Series(ids)[pd.Series(ids).duplicated()]
        raise InputError(f"{path}: {listing(twice, 3)} stand twice in {names[at]}; expected every probe once")
    values = numbers_of(table[list(places)].set_axis(pd.Index(ids, dtype=object), axis=0), path)
    values = values.set_axis(list(places.values()), axis=1)
    if symbol is not None and not beta:
        values = by_symbol(values.T, list(text_column(table[symbol])), path, added=False, what="probes").T
        notice(path, "probes are called by column 'SYMBOL'")
    left = len(names) - len(places) - 1
    what = names[next(iter(places))]
    notice(path, f"GenomeStudio: {values.shape[1]} columns such as {what!r} are read, {left} others left out")
    if beta or float(values.max(axis=None)) <= 1 and float(values.min(axis=None)) >= 0:
        return Content(values.T, "beta", "between 0 and 1, as methylation is")
    if float(values.max(axis=None)) > 50:
        return Content(values.T, "linear", "signals of an array")
    return Content(values.T)


LAYOUT = Layout("genome_studio", _WHAT, _fits, read)
