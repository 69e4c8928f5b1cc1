"""Names of features that stand twice, and names of samples in paths of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import listing
from mtlbio.intake.appended import ENDINGS, OF_TABLES, TOOLS, any_of
from mtlbio.intake.notes import notice

# Appended to the name of a sample, from the end.
_APPENDED = re.compile(
    rf"(\.({any_of(*ENDINGS, *OF_TABLES)}|wiff|dia|htrms|PG|Quantity)"
    r"|[._-](sort(ed)?(byCoord|ByCoord|ByName)?|mark(ed)?_?dup(licate)?s?|mkdup|dedup(ed|lic)?|rmdup|umi_dedup"
    rf"|{any_of(*TOOLS)}|hisat|bowtie2|Aligned|sortedByCoord|quant|stringtie|counts?|gene_abund(ances)?))+$"
    r"|[._-]?ReadsPerGene$|[._-]?Aligned$"
)


def apart(names: Sequence[str], ids: Sequence[str], path: Path, what: str = "gene") -> list[str]:
    """Names of features: ``names`` where they are unique, ``name_id`` where several have one, the id where there is
    none."""
    table = pd.DataFrame({"name": list(names), "id": list(ids)}, dtype=object)
    empty = table["name"] == ""
    again = table["name"].duplicated(keep=False) & ~empty
    if again.any():
        shared = table["name"][again].unique()
        notice(
            path,
            f"{len(shared)} {what} names stand for several features each ({listing(shared, 3)}): kept apart as "
            f"{table['name'][again].iloc[0]}_{table['id'][again].iloc[0]} and so on",
        )
    if empty.any():
        notice(path, f"{int(empty.sum())} features without a {what} name keep their identifier")
    chosen = np.where(empty, table["id"], np.where(again, table["name"] + "_" + table["id"], table["name"]))
    # an identifier may be another one's name
    return list(chosen)


def by_symbol(
    values: pd.DataFrame, symbols: Sequence[str], path: Path, added: bool, what: str = "genes"
) -> pd.DataFrame:
    """Measurements by gene symbol, under their own identifier where there is none.

    Parameters
    ----------
    values : (samples, features), by identifier
    symbols : one of each feature, empty where it has none
    added : whether features of one symbol are added up (counts, TPM) or averaged
    what : the features
    """
    ids = [str(name) for name in values.columns]
    names = pd.Index([symbol or i for symbol, i in zip(symbols, ids, strict=True)], dtype=object)
    unnamed = sum(not symbol for symbol in symbols)
    if unnamed:
        notice(path, f"{unnamed} {what} without a symbol keep their identifier")
    values = values.set_axis(names, axis=1)
    again = names[names.duplicated()].unique()
    if not len(again):
        return values
    verb = "added up" if added else "averaged"
    notice(path, f"{len(again)} symbols stand for several {what} each ({listing(again, 3)}): {verb}")
    grouped = values.T.groupby(level=0, sort=False)
    return (grouped.sum(min_count=1) if added else grouped.mean()).T


def samples_of_paths(paths: Iterable[str]) -> list[str]:
    """Names of samples from the paths of their files, of Linux or Windows: what tells the files apart, without what
    software appended.

    Examples
    --------
    >>> samples_of_paths(["bam/S1.sorted.bam", "bam/S2.sorted.bam"])
    ['S1', 'S2']
    >>> samples_of_paths(["star/S1/Aligned.sortedByCoord.out.bam", "star/S2/Aligned.sortedByCoord.out.bam"])
    ['S1', 'S2']
    >>> samples_of_paths(["a/S1/quant.sf", "a/S2/quant.sf"]), samples_of_paths(["a/S1_quant/quant.sf"])
    (['S1', 'S2'], ['S1'])
    """
    paths = list(paths)
    parts = [[p for p in re.split(r"[\\/]+", path) if p and p != "."] for path in map(str, paths)]
    parts = [p or [path] for p, path in zip(parts, map(str, paths), strict=True)]
    for place in range(1, max(map(len, parts), default=1) + 1):
        names = [without_endings(p[-min(place, len(p))]) for p in parts]
        if all(names) and len(set(names)) == len(names):
            return names
    return ["/".join(p) for p in parts]


def without_endings(name: str) -> str:
    """A file's name without what software appended; empty where there is nothing else."""
    if name in _WHOLE:
        return ""
    before = None
    while before != name:
        before, name = name, _APPENDED.sub("", name)
    return "" if name.lower() in _WHOLE else name.rstrip("._- ")


_WHOLE = {"quant", "quant.sf", "quant.genes", "quant.genes.sf", "abundance", "abundance.tsv", "aligned", "gene_abund"}
_WHOLE |= {"gene_abundances", "rsem", "accepted_hits", "readspergene"}
