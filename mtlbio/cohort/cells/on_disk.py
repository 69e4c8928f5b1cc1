"""Measurements that stay in their file and are read part by part: memory is flat in the number of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import sparse

from mtlbio.cohort.cells.stored import compressed_part, dense_rows
from mtlbio.cohort.cells.stores import Group, located, opened_store

BLOCK = 20_000  # rows at a time
_VALUES = 8_000_000  # stored values at a time: some 200 MB with what is computed of them
_WHAT = "a readable store of arrays"

Block: TypeAlias = Any  # array, csr_matrix or csc_matrix
Part: TypeAlias = tuple[slice, slice, Block]


@dataclass(frozen=True)
class OnDisk:
    """A matrix (rows x columns) inside an HDF5 file or a zarr store.

    Attributes
    ----------
    path, key : the file, and the place of the matrix in it
    shape : of the whole matrix
    layout : ``csr``, ``csc``, ``dense``, or ``turned``: dense with the columns in rows, as loom has it
    keep : (rows,) marks the rows in use
    columns : (columns,) marks the columns in use; None for all
    """

    path: Path
    key: str
    shape: tuple[int, int]
    layout: Literal["csr", "csc", "dense", "turned"]
    keep: np.ndarray
    columns: np.ndarray | None = None

    def parts(self) -> Iterator[Part]:
        """Kept rows and columns as (rows, columns, block): whole rows in order, or of csc whole columns in order."""
        width = self.shape[1] if self.columns is None else int(self.columns.sum())
        if self.layout == "csc":
            with opened_store(self.path, _WHAT) as store:
                rows, every = slice(0, int(self.keep.sum())), bool(self.keep.all())
                for start, stop in self._ranges(store):
                    block = compressed_part(located(store, self.key), start, stop, self.shape[0], self.path).T
                    yield rows, slice(start, stop), block if every else block[self.keep]
            return
        begin = 0
        for block in self._rows():
            yield slice(begin, begin + block.shape[0]), slice(0, width), block
            begin += block.shape[0]

    def blocks(self) -> Iterator[Block]:
        """Kept rows in file order, block by block; of csc each block takes a walk through the file."""
        if self.layout != "csc":
            yield from self._rows()
            return
        kept = np.flatnonzero(self.keep)
        for begin in range(0, len(kept), BLOCK):
            chosen = np.zeros_like(self.keep)
            chosen[kept[begin : begin + BLOCK]] = True
            with opened_store(self.path, _WHAT) as store:
                columns = [
                    compressed_part(located(store, self.key), start, stop, self.shape[0], self.path).T[chosen]
                    for start, stop in self._ranges(store)
                ]
            yield sparse.csr_matrix(sparse.hstack(columns))

    def _rows(self) -> Iterator[Block]:
        with opened_store(self.path, _WHAT) as store:
            for start, stop in self._ranges(store):
                keep = self.keep[start:stop]
                if not keep.any():
                    continue
                if self.layout == "csr":
                    block = compressed_part(located(store, self.key), start, stop, self.shape[1], self.path)
                else:
                    block = dense_rows(located(store, self.key), start, stop, self.layout == "turned", self.path)
                block = block if keep.all() else block[keep]
                yield block if self.columns is None else block[:, self.columns]

    def _ranges(self, store: Group) -> list[tuple[int, int]]:
        """What is read together, along the axis that is compressed: no more than ``BLOCK`` and ``_VALUES``."""
        length = self.shape[1 if self.layout == "csc" else 0]
        if self.layout in ("dense", "turned"):
            step = max(1, min(BLOCK, _VALUES // max(1, self.shape[1])))
            return [(start, min(start + step, length)) for start in range(0, length, step)]
        places = np.asarray(located(store, self.key)["indptr"][:]).astype(np.int64)
        ranges, start = [], 0
        while start < length:
            most = int(np.searchsorted(places, places[start] + _VALUES, side="right")) - 1
            stop = min(max(most, start + 1), start + BLOCK, length)
            ranges.append((start, stop))
            start = stop
        return ranges
