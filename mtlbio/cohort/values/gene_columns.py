"""Columns of measurements that are held in memory: some of them, or one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from mtlbio.cohort.measurements import Measurements, OnDisk


def in_memory(data: Measurements) -> np.ndarray | sparse.csr_matrix:
    """The matrix of measurements, which is not left on disk."""
    if isinstance(data.matrix, OnDisk):
        raise TypeError(f"{data.source}: a matrix on disk is read block by block")
    return data.matrix


def only(data: Measurements, keep: np.ndarray) -> Measurements:
    """The genes marked in ``keep`` (genes,), in their order."""
    return data if keep.all() else replace(data, genes=data.genes[keep], matrix=in_memory(data)[:, keep])


def column_of(data: Measurements, place: int) -> np.ndarray:
    """(samples,) values of one gene as float64."""
    return as_array(in_memory(data)[:, [place]]).ravel().astype(np.float64)


def as_array(matrix: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """A matrix that is dense."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


def each_once(data: Measurements, summed: bool) -> Measurements:
    """Genes of one name as one, where the first of them stood: the sum of their columns, or the mean."""
    names, code = np.unique(data.genes, return_inverse=True)
    if len(names) == len(data.genes):
        return data
    first = np.full(len(names), len(data.genes))
    np.minimum.at(first, code, np.arange(len(data.genes)))
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    ones, rows = np.ones(len(code)), np.arange(len(code))
    into = sparse.csr_matrix((ones, (rows, rank[code])), (len(code), len(names)))
    into = into if summed else into @ sparse.diags(1 / np.asarray(into.sum(axis=0)).ravel())
    held = in_memory(data)
    matrix = held @ into if sparse.issparse(held) else (into.T @ held.T.astype(np.float64)).T
    matrix = sparse.csr_matrix(matrix) if sparse.issparse(matrix) else np.ascontiguousarray(matrix, dtype=np.float32)
    return replace(data, genes=names[order], matrix=matrix)
