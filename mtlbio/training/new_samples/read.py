"""Measurements of new samples as they lie in a file: also transposed, with genes twice, and with gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata.io import read_elem

from mtlbio.cohort.cells.hdf5 import opened_hdf5
from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import TABLES, duplicates, read_metadata, suffix, text_table, unique_ids
from mtlbio.cohort.values.gene_columns import each_once, only
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import Note, notice, noticing
from mtlbio.reading import understood
from mtlbio.training.new_samples.names import match_genes

# Names that are looked at to tell genes from samples; columns that are tried as those that name genes.
_LOOKED_AT, _MOST_COLUMNS = 60_000, 6
# Share of the model's genes with which a way to read a file is the right one.
_ENOUGH = 0.5
# A measurement; of visits (12.1) one decimal tells them apart, or two
_DECIMALS = re.compile(r"-?\d+\.\d{3,}(e[-+]?\d+)?", re.IGNORECASE)


def read_new(path: Path, preprocessing: Mapping[str, Any], genes: Sequence[str]) -> Measurements:
    """Samples in rows, every gene once.

    Parameters
    ----------
    preprocessing : of the model: the ``scale`` of its cohort, and the ``layer``, ``modality`` or column of ``genes``
        that it was read from, where there was one
    genes : of the model; they tell rows from columns, and the column that names genes from others

    Raises
    ------
    InputError
        An unreadable or empty file, samples that stand twice.
    """
    options = {"path": str(path), "scale": preprocessing["scale"]}
    options |= {key: preprocessing[key] for key in ("layer", "modality", "genes") if preprocessing.get(key) is not None}
    best = _attempt(options, genes)
    for more in _other_ways(path, options):
        if best.found >= _ENOUGH * len(genes) and not best.turned:
            break
        tried = _attempt(options | more, genes)
        if tried.found > best.found or (best.turned and tried.found == best.found):
            best = tried
            best.notes.append(Note(str(path), f"{_in_words(more)}: read so"))
    if best.data is None:
        raise best.fault or InputError(f"{path}: holds no measurements")
    _check_names(best.data, path)
    for note in best.notes:
        notice(note.path, note.text, note.doubt)
    return every_gene_once(best.data, preprocessing["scale"])


def _check_names(data: Measurements, path: Path) -> None:
    """Refuse values of a gene for names of samples, as they are where no column names the samples."""
    decimals = sum(_DECIMALS.fullmatch(name) is not None for name in data.samples.tolist())
    if 2 * decimals > len(data.samples):
        raise InputError(
            f"{path}: samples called {listing(data.samples, 3)}: no column names the samples, and the first holds "
            f"measurements; put a column sample_id before it"
        )


@dataclass(frozen=True)
class _Attempt:
    """What a file holds when it is read in one way, or why it cannot be; ``found`` genes of the model are in it, after
    it was transposed (``turned``) without a look at what else describes genes."""

    data: Measurements | None
    found: int = 0
    notes: list[Note] = field(default_factory=list)
    fault: InputError | None = None
    turned: bool = False


def _attempt(options: dict[str, Any], genes: Sequence[str]) -> _Attempt:
    path = options["path"]
    try:
        with noticing(pass_on=False) as notes:
            data = read_expression(Expression.model_validate(options), "sample_id")
        if not len(data.genes) or not len(data.samples):
            raise InputError(
                f"{path}: found {len(data.samples)} samples x {len(data.genes)} genes; expected samples in rows, genes "
                "in columns"
            )
        in_rows, in_columns = _matches(genes, data.samples), _matches(genes, data.genes)
        if in_rows > in_columns:
            notes.append(Note(path, "genes in rows: read so"))
            data = replace(data, samples=data.genes, genes=data.samples, matrix=data.dense().T)
            unique_ids(data.samples, path)
    except InputError as error:
        return _Attempt(None, fault=error)
    return _Attempt(data, max(in_rows, in_columns), notes, turned=in_rows > in_columns)


def _other_ways(path: Path, options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ways to read a file that a run's YAML would have to say."""
    if "layer" in options:
        yield {"layer": None}  # new samples may have X alone
    is_table = suffix(path) in TABLES
    rows = {"genes_in": "rows"} if is_table else {}
    if rows:
        yield rows
    for column in _text_columns(path):
        yield rows | {"genes": column}


def _in_words(way: Mapping[str, Any]) -> str:
    words = ["genes in rows"] if way.get("genes_in") == "rows" else []
    words += [f"genes named by column {way['genes']!r}"] if way.get("genes") else []
    return ", ".join(words) or "no layer of that name, so X"


def _text_columns(path: Path) -> list[str]:
    """Columns of a table, or of an h5ad's ``var``, that may name genes; none where they cannot be read."""
    try:
        if suffix(path) in TABLES:
            table = text_table(read_metadata(path))
        elif suffix(path) == ".h5ad":
            with opened_hdf5(path, "an h5ad file") as file, understood(path, "an h5ad file"):
                table = text_table(read_elem(file["var"]))
        else:
            return []
    except InputError:
        return []
    words = table.apply(lambda column: pd.to_numeric(column, errors="coerce").isna().mean() > 0.5)
    names = [str(name) for name in table.columns[words.to_numpy(dtype=bool)]]
    return [name for name in names if name.strip()][:_MOST_COLUMNS]


def _matches(genes: Sequence[str], names: np.ndarray) -> int:
    return int((match_genes(genes, names[:_LOOKED_AT]).place >= 0).sum())


def every_gene_once(data: Measurements, scale: str) -> Measurements:
    """Genes that stand twice become one: the sum of counts, else the mean; unnamed ones go."""
    twice = sorted(duplicates(data.genes))
    unnamed = np.flatnonzero(data.genes == "")
    if len(unnamed):
        notice(data.source, f"{len(unnamed)} columns without a name are left out", doubt=True)
        data = only(replace(data, matrix=data.dense()), data.genes != "")
    if not twice:
        return data
    rule = "summed" if scale == "counts" else "averaged"
    notice(data.source, f"gene(s) {listing(twice, 5)} stand twice: {rule}", doubt=True)
    return each_once(replace(data, matrix=data.dense()), summed=scale == "counts")
