"""DIA-NN's matrices of protein groups (``report.pg_matrix.tsv``) and genes (``report.gg_matrix.tsv``); its report."""

from __future__ import annotations

from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.intake.formats.delimited import plain, read_below, text_column
from mtlbio.intake.formats.head import Head, look
from mtlbio.intake.formats.layout import Content, Layout
from mtlbio.intake.formats.long_report import LongReport
from mtlbio.intake.formats.names import samples_of_paths
from mtlbio.intake.formats.protein_groups import contaminants, content

_WHAT = "report.pg_matrix.tsv of DIA-NN"
_ABOUT: tuple[str, ...] = (
    "Protein.Group",
    "Protein.Ids",
    "Protein.Names",
    "Genes",
    "First.Protein.Description",
    "Proteotypic",
)
_ABOUT += ("N.Sequences", "N.Proteotypic.Sequences")
_PRECURSORS = ("Stripped.Sequence", "Precursor.Id")
# The rates by which DIA-NN itself makes report.pg_matrix.tsv (its documentation, "Output").
REPORT = LongReport(
    "DIA-NN",
    ("Run", "File.Name"),
    ("Protein.Group",),
    ("Genes",),
    ("PG.MaxLFQ", "PG.Normalised", "PG.TopN", "PG.Quantity"),
    ("Precursor.Id",),
    ("Q.Value", "Global.Q.Value", "Global.PG.Q.Value"),
    ("Decoy",),
    "give its report.pg_matrix.tsv instead",
)


def _fits(head: Head) -> bool:
    if head.columns[:2] == ("Genes", "N.Sequences") or head.has("Protein.Group", "Precursor.Id"):
        return True
    return head.columns[:1] == ("Protein.Group",) and head.has("Genes")


def read(path: Path) -> Content:
    """Quantities of protein groups, by gene; runs are called by their files."""
    columns = look(path).columns
    if REPORT.fits(look(path)):
        return REPORT.read(path)
    if not set(_PRECURSORS).isdisjoint(columns):
        raise InputError(f"{path}: precursors of DIA-NN, not proteins; give its report.pg_matrix.tsv instead")
    about = [c for c in columns if c in _ABOUT or plain(c).startswith("nsequences")]
    runs = [c for c in columns if c and c not in about]
    first = columns[0]
    table = read_below(path, _WHAT, columns=[*about, *runs], text=about, quoted=False)
    proteins, genes = text_column(table[first]), text_column(table["Genes"])
    kept = contaminants(path, proteins)
    result = content(
        path, table[runs][kept], list(genes[kept]), list(proteins[kept]), samples_of_paths(runs), "DIA-NN"
    )  # fmt: skip
    return Content(result.values, result.scale, result.why, {"file": runs})


LAYOUT = Layout("diann", _WHAT, _fits, read)
