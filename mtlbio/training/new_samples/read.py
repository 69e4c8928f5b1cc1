"""Measurements of new samples as they lie in a file: also transposed, with genes twice, and with gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mtlbio.cohort.expression import read_expression, sample_names
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import duplicates, unique_ids
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.training.new_samples.names import match_genes

# Names that are looked at to tell genes from samples.
_LOOKED_AT = 20_000


def read_new(path: Path, scale: str, genes: Sequence[str]) -> Measurements:
    """Samples in rows, every gene once; ``genes`` of the model tell rows from columns.

    Raises
    ------
    InputError
        An unreadable or empty file, samples that stand twice.
    """
    rows_are_genes = "genes_in" in Expression.model_fields and _holds_genes(path, scale, genes)
    options = {"genes_in": "rows"} if rows_are_genes else {}
    data = read_expression(Expression.model_validate({"path": str(path), "scale": scale} | options), "sample_id")
    if not len(data.genes) or not len(data.samples):
        raise InputError(
            f"{path}: found {len(data.samples)} samples x {len(data.genes)} genes; expected samples in rows, genes in "
            f"columns"
        )
    in_rows, in_columns = _matches(genes, data.samples), _matches(genes, data.genes)
    if in_rows > in_columns:
        notice(
            path, f"genes in rows ({in_rows} names of rows are genes of the model, {in_columns} of columns): read so"
        )
        data = replace(data, samples=data.genes, genes=data.samples, matrix=data.dense().T)
        unique_ids(data.samples, str(path))
    elif rows_are_genes:
        notice(path, "genes in rows: read so")
    return _every_gene_once(data, scale)


def _holds_genes(path: Path, scale: str, genes: Sequence[str]) -> bool:
    """Whether the names of a file's rows are genes of the model; False where they cannot be read."""
    try:
        names = sample_names(Expression.model_validate({"path": str(path), "scale": scale}), "sample_id")
    except InputError:
        return False
    return _matches(genes, names) > len(names) / 10


def _matches(genes: Sequence[str], names: np.ndarray) -> int:
    return int((match_genes(genes, names[:_LOOKED_AT]).place >= 0).sum())


def _every_gene_once(data: Measurements, scale: str) -> Measurements:
    """Genes that stand twice become one: the sum of counts, else the mean; unnamed ones go."""
    twice = sorted(duplicates(data.genes))
    unnamed = np.flatnonzero(data.genes == "")
    if len(unnamed):
        notice(data.source, f"{len(unnamed)} columns without a name are left out", doubt=True)
    if not twice and not len(unnamed):
        return data
    values, names = data.dense(), np.array(list(dict.fromkeys(gene for gene in data.genes if gene)))
    first = {gene: i for i, gene in reversed(list(enumerate(data.genes)))}
    once = np.array(values[:, [first[gene] for gene in names]], dtype=np.float32)
    for gene in filter(None, twice):
        same = values[:, data.genes == gene]
        once[:, int(np.flatnonzero(names == gene)[0])] = same.sum(axis=1) if scale == "counts" else same.mean(axis=1)
    if twice:
        rule = "summed" if scale == "counts" else "averaged"
        notice(data.source, f"gene(s) {listing(twice, 5)} stand twice: {rule}", doubt=True)
    return replace(data, genes=names, matrix=once)
