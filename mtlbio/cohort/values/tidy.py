"""The genes of measurements without what is none: summary lines, spike-ins, totals, names twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.measurements import Measurements, OnDisk
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.values.annotation import is_of_people, is_spike_in, is_summary
from mtlbio.cohort.values.gene_columns import as_array, column_of, each_once, in_memory, only
from mtlbio.cohort.values.gene_dates import date_names, gene_of_date
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.text import suggestion


def tidied(data: Measurements, scale: str | None, qc: QcList, described: Collection[str] = ()) -> Measurements:
    """Genes alone, each once; everything that goes is noted and listed in ``qc``.

    Parameters
    ----------
    scale : of the run: counts of one name are summed, values on other scales averaged; None, for a draft, leaves names
        that stand twice and names of metadata as they are
    described : columns of the metadata, whose names among the genes are told

    Raises
    ------
    InputError
        Nothing but summary lines and spike-ins is there.
    """
    if isinstance(data.matrix, OnDisk):  # single cells: their readers know of no such lines
        _tell_dates(data)
        return data
    # with or without the summary lines, as who made it summed
    data = _without(data, _totals(data), "total", "the sum of all other columns", qc)
    data = _without(data, _by_name(data.genes, is_summary), "summary line of a read counter", "reads of no gene", qc)
    data = _without(data, _by_name(data.genes, is_spike_in), "spike-in", "control RNA (ERCC, SIRV), no gene", qc)
    data = _without(data, _totals(data), "total", "the sum of all other columns", qc)
    _tell_dates(data)
    if scale is None:
        return data
    _tell_people(data, described)
    return _each_once(data, scale, qc)


def dropped(names: np.ndarray, drop: list[str], path: str | Path) -> np.ndarray:
    """(names,) False where ``expression.drop`` names a column that is no gene.

    Raises
    ------
    InputError
        A name that does not stand among them.
    """
    there = {str(name) for name in names}
    absent = [name for name in drop if name not in there]
    if absent:
        raise InputError(f"{path}: expression.drop: no column {absent[0]!r}; {suggestion(absent[0], there)}")
    if drop:
        notice(path, f"left out by expression.drop: {listing(drop, 8)}")
    return np.array([str(name) not in drop for name in names], dtype=bool)


def without(data: Measurements, drop: list[str]) -> Measurements:
    """Measurements without the columns that ``expression.drop`` names.

    Raises
    ------
    InputError
        A name that does not stand among the genes, or single cells that are left on disk.
    """
    if not drop:
        return data
    keep = dropped(data.genes, drop, data.source)
    if isinstance(data.matrix, OnDisk):
        raise InputError(f"{data.source}: expression.drop: of single cells on disk, remove those genes in the file")
    return only(data, keep)


def _by_name(genes: np.ndarray, of_kind) -> np.ndarray:
    return np.array([of_kind(name) for name in genes.tolist()], dtype=bool)


def _without(data: Measurements, left_out: np.ndarray, reason: str, what: str, qc: QcList) -> Measurements:
    if not left_out.any():
        return data
    if left_out.all():
        raise InputError(f"{data.source}: nothing but {what} among the genes ({listing(data.genes, 4)})")
    names = data.genes[left_out]
    notice(data.source, f"{len(names)} among the genes left out ({what}): {listing(names, 6)}")
    qc.add(names, "gene", reason, f"dropped: {what}")
    return only(data, ~left_out)


def _totals(data: Measurements) -> np.ndarray:
    """(genes,) True for a column that is the sum of all the others, in every sample."""
    matrix = in_memory(data)
    found = np.zeros(len(data.genes), dtype=bool)
    if len(data.genes) < 3 or not len(data.samples):
        return found
    total = matrix @ np.ones(len(data.genes)) if sparse.issparse(matrix) else matrix.sum(axis=1, dtype=np.float64)
    first = as_array(matrix[:1]).ravel().astype(np.float64)
    for place in np.flatnonzero(np.isclose(2.0 * first, total[0], rtol=1e-4) & (first > 0)):
        found[place] = np.allclose(2.0 * column_of(data, int(place)), total, rtol=1e-4) and len(total) > 2
    return found if found.sum() == 1 else np.zeros_like(found)


def _tell_dates(data: Measurements) -> None:
    dates = date_names(dict.fromkeys(data.genes.tolist()))
    if not dates:
        return
    genes = {name: gene_of_date(name) for name in dates}
    names = listing([f"{name} ({gene})" if gene else name for name, gene in genes.items()], 6)
    notice(
        data.source,
        f"{len(dates)} names of genes look like dates that a spreadsheet made of them: {names}: write the symbols "
        f"back, no gene set knows a date",
        doubt=True,
    )


def _tell_people(data: Measurements, described: Collection[str]) -> None:
    described = set(described)
    names = [name for name in data.genes.tolist() if is_of_people(name) or name in described]
    if names:
        notice(
            data.source,
            f"among the genes stand {listing(names, 6)}, which are called as columns of metadata are: if they are no "
            f"genes, write expression.drop: [{', '.join(names[:6])}]",
            doubt=True,
        )


def _each_once(data: Measurements, scale: str, qc: QcList) -> Measurements:
    """Columns of one name summed (counts) or averaged; dates, which may be two genes, are told apart by a number."""
    genes = data.genes.astype(object)
    counted = pd.Series(genes).groupby(genes).cumcount().to_numpy()
    twice = sorted(set(genes[counted > 0].tolist()) - {""})
    if not twice:
        return data
    dates = set(date_names(twice))
    apart = np.array([name in dates for name in genes], dtype=bool) & (counted > 0)
    genes[apart] = [f"{name}_{n + 1}" for name, n in zip(genes[apart], counted[apart], strict=True)]
    merged = [name for name in twice if name not in dates]
    verb = "summed" if scale == "counts" else "averaged"
    if dates:
        notice(
            data.source, f"{listing(sorted(dates), 4)} stand twice: dates of different genes, kept apart", doubt=True
        )
    if merged:
        notice(data.source, f"{len(merged)} names of genes stand twice or more: {verb} ({listing(merged, 5)})")
        qc.add(merged, "gene", "name twice", f"{verb}: columns of one name on scale {scale}")
    return each_once(replace(data, genes=genes.astype(str)), summed=scale == "counts")
