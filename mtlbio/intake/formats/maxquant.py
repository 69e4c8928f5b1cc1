"""MaxQuant's ``proteinGroups.txt``."""

from __future__ import annotations

from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.intake.formats.delimited import read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.protein_groups import contaminants, content
from mtlbio.intake.notes import notice

_WHAT = "proteinGroups.txt of MaxQuant"
_NAMES = "Majority protein IDs"
# The first that the file has; what follows is the sample.
_QUANTITIES = ("LFQ intensity ", "Reporter intensity corrected ", "iBAQ ", "Intensity ")
_NOT_SAMPLES = ("iBAQ peptides", "Intensity L", "Intensity H", "Intensity M")
_MARKS = ("Only identified by site", "Reverse", "Potential contaminant", "Contaminant")


def _fits(head: Head) -> bool:
    return head.has(_NAMES) and any(c.startswith(("Intensity", "LFQ intensity", "Reporter")) for c in head.columns)


def read(path: Path) -> Content:
    """LFQ intensities where there are any, without decoys, contaminants and groups that a modified site alone shows."""
    columns = look(path).columns
    found = {q: [c for c in columns if c.startswith(q) and c not in _NOT_SAMPLES] for q in _QUANTITIES}
    chosen = next((q for q in _QUANTITIES if found[q]), None)
    if chosen is None:
        raise InputError(f"{path}: {_WHAT} without intensities of samples (LFQ intensity S1, Intensity S1 ...)")
    marks = [c for c in _MARKS if c in columns]
    about = [c for c in ("Gene names", "Gene Names") if c in columns][:1]
    text = [_NAMES, *marks, *about]
    table = read_below(path, _WHAT, columns=[*text, *found[chosen]], text=text, quoted=False)
    kept = None
    for mark in marks:
        marked = text_column(table[mark]) == "+"
        if marked.any():
            notice(path, f"{int(marked.sum())} protein groups marked {mark!r} dropped")
        kept = ~marked if kept is None else kept & ~marked
    table = table if kept is None else table[kept]
    if not any("ontaminant" in mark for mark in marks):
        table = table[contaminants(path, text_column(table[_NAMES]))]
    proteins = text_column(table[_NAMES])
    genes = text_column(table[about[0]]) if about else [""] * len(table)  # called by the protein then
    samples = [c.removeprefix(chosen) for c in found[chosen]]
    return content(path, table[found[chosen]], list(genes), list(proteins), samples, f"MaxQuant, {chosen.strip()}")


LAYOUT = Layout("maxquant", _WHAT, _fits, read)
