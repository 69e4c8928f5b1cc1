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
