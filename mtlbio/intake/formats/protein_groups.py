"""Tables of protein groups as search engines write them: groups in rows, intensities of runs in columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.formats.delimited import numbers_of
from mtlbio.intake.formats.layout import Content
from mtlbio.intake.formats.names import apart
from mtlbio.intake.notes import notice

_CONTAMINANT = r"(?:^|[;|])(?:CON__|Cont_|cont_|contam_|cRAP|REV__|rev_|DECOY_|XXX_)"


def content(
    path: Path, table: pd.DataFrame, genes: Sequence[str], proteins: Sequence[str], samples: Sequence[str], what: str
) -> Content:
    """Intensities by gene.

    Parameters
    ----------
    table : (groups, runs) as read
    genes, proteins : of every group, several separated by semicolons; the first counts
    samples : names of the runs
    what : the program and its column, to be said
    """
    if not table.shape[1] or not len(table):
        raise InputError(f"{path}: {len(table)} protein groups and {table.shape[1]} samples in it ({what})")
    values = numbers_of(table, path)
    first = [gene.split(";")[0].strip() for gene in genes]
    ids = [protein.split(";")[0].strip() for protein in proteins]
    several = sum(";" in gene for gene in genes)
    if several:
        notice(path, f"{several} protein groups belong to several genes: called by the first of them")
    zero = (values == 0).to_numpy()
    values = values.mask(zero)
    empty = values.isna().all(axis=1).to_numpy()
    values = values.set_axis(apart(first, ids, path, "gene"), axis=0).set_axis(list(samples), axis=1)
    if empty.any():
        notice(path, f"{int(empty.sum())} protein groups without any value dropped")
        values = values[~empty]
    missing = values.isna()
    gaps, partly = int(missing.to_numpy().sum()), int(missing.any(axis=1).sum())
    if gaps:
        zeros = f" ({int(zero[~empty].sum())} zeros, which mean not detected)" if zero[~empty].any() else ""
        share = gaps / max(values.size, 1)
        notice(path, f"{share:.0%} of the values are missing{zeros}, in {partly} of {len(values)} proteins", doubt=True)
    notice(path, f"{what}: {values.shape[1]} samples x {len(values)} protein groups")
    high = float(values.max(axis=None)) if gaps < values.size else 0
    if high < 50:
        return Content(values.T, "log2", "logarithms of intensities")
    return Content(values.T, "linear", "intensities")


def contaminants(path: Path, proteins: pd.Series) -> pd.Series:
    """Which groups are no contaminants or decoys by the names of their proteins; others are said to be dropped."""
    marked = proteins.str.contains(_CONTAMINANT)
    if marked.any():
        notice(path, f"{int(marked.sum())} contaminants and decoys dropped ({listing(proteins[marked], 2)})")
    return ~marked
