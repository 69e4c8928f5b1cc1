"""FragPipe's ``combined_protein.tsv``."""

from __future__ import annotations

from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.intake.formats.delimited import read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.protein_groups import contaminants, content

_WHAT = "combined_protein.tsv of FragPipe"
_ABOUT = ["Protein", "Protein ID", "Gene"]
_QUANTITIES = (" MaxLFQ Intensity", " Intensity")


def _fits(head: Head) -> bool:
    return head.has(*_ABOUT, "Combined Total Peptides")


def read(path: Path) -> Content:
    """MaxLFQ intensities where there are any, else intensities."""
    columns = look(path).columns
    maxlfq, plain = ([c for c in columns if c.endswith(q)] for q in _QUANTITIES)
    plain = [c for c in plain if not c.endswith((" MaxLFQ Intensity", " Unique Intensity", " Total Intensity"))]
    chosen, ending = (maxlfq, _QUANTITIES[0]) if maxlfq else (plain, _QUANTITIES[1])
    if not chosen:
        raise InputError(f"{path}: {_WHAT} without intensities of samples (S1 MaxLFQ Intensity, S1 Intensity)")
    table = read_below(path, _WHAT, columns=[*_ABOUT, *chosen], text=_ABOUT, quoted=False)
    kept = contaminants(path, text_column(table["Protein"]))
    about = {name: list(text_column(table[name])[kept]) for name in _ABOUT}
    samples = [c.removesuffix(ending) for c in chosen]
    return content(path, table[chosen][kept], about["Gene"], about["Protein ID"], samples, f"FragPipe,{ending}")


LAYOUT = Layout("fragpipe", _WHAT, _fits, read)
