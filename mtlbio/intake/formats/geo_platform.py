"""Annotations of GEO's platforms (``GPL570.annot.gz``, ``GPL570-55999.txt``, ``GPL570_family.soft.gz``): the gene that
a probe of an array measures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.head import Head
from mtlbio.intake.formats.layout import Layout
from mtlbio.intake.formats.text import text_in
from mtlbio.intake.notes import notice
from mtlbio.reading import lines_of, understood

_WHAT = "the annotation of a GEO platform"
_SYMBOLS = ("gene symbol", "symbol", "gene_symbol", "genesymbol", "gene symbols", "ilmn_gene", "gene.symbol")
# NM_006820 // IFI44L // interferon induced protein 44 like // 1p31.1 // 10964 /// ...
_ASSIGNED = ("gene_assignment", "gene assignment")
_NO_SYMBOL = ("", "---", "--", "-", "NA", "null")
_NAMED = re.compile(r"(GPL\d+)(?!\d)[^/]*?\.(annot|soft|txt|tsv|csv)(\.gz)?", re.IGNORECASE)


def symbol_column(columns: list[str]) -> int | None:
    """The place of the column that names genes, of a platform's columns; None where there is none."""
    low = [column.strip().strip('"').lower() for column in columns]
    return next((low.index(name) for name in (*_SYMBOLS, *_ASSIGNED) if name in low), None)


def symbol_in(cell: str) -> str:
    """The first gene of a cell; empty where there is none.

    Examples
    --------
    >>> symbol_in("DDR1 /// MIR4640"), symbol_in("NM_006820 // IFI44L // interferon // 1p31"), symbol_in("---")
    ('DDR1', 'IFI44L', '')
    """
    first = cell.strip().strip('"').split("///")[0]
    parts = [part.strip() for part in first.split("//")]
    symbol = parts[1] if len(parts) > 2 else parts[0]
    return "" if symbol in _NO_SYMBOL else symbol


def symbols_beside(path: Path, platforms: Iterable[str]) -> dict[str, str]:
    """Probe -> symbol by the annotations of these platforms that lie in the folder of a file; none where none does."""
    wanted, found = {p.upper() for p in platforms if p}, dict[str, str]()
    for name in sorted(file.name for file in path.absolute().parent.iterdir() if file.is_file()):
        named = _NAMED.fullmatch(name)
        if named is None or named.group(1).upper() not in wanted:
            continue
        symbols = symbols_of(path.parent / name)
        if symbols:
            notice(path, f"probes are called by the genes of {name}")
        found |= symbols
    return found


def symbols_of(path: Path) -> dict[str, str]:
    """Probe -> symbol of one annotation, empty where a probe has none."""
    symbols, place, titled = dict[str, str](), None, False
    with understood(path, _WHAT), text_in(path, _WHAT) as text:
        for line in lines_of(text, path):
            line = line.rstrip("\r\n")
            if not line.strip() or line.startswith(("#", "^", "!")):
                if line.lower().startswith(("!platform_table_end", "^sample")):
                    break
                continue
            cells = line.split("\t")
            if not titled:
                titled, place = True, symbol_column(cells)
                if place is None:
                    notice(path, f"no column of gene symbols; found: {listing(cells, 12)}", doubt=True)
                    break
            elif place is not None and len(cells) > place:
                symbols[cells[0].strip().strip('"')] = symbol_in(cells[place])
    return symbols


def _fits(head: Head) -> bool:
    if head.first.startswith("^Annotation"):
        return True
    named = _NAMED.fullmatch(head.path.name) is not None
    return named and head.columns[:1] == ("ID",) and len(head.columns) > 1


def refuse(path: Path) -> NoReturn:
    """Raise InputError: what the file is, and what it is good for."""
    raise InputError(
        f"{path}: {_WHAT}, which holds genes and no samples; put it beside the series matrix, whose probes are then "
        f"called by its genes: mtlbio init GSE..._series_matrix.txt.gz"
    )


LAYOUT = Layout("geo_platform", _WHAT, _fits, refuse, refuse)
