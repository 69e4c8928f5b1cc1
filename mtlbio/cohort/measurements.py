"""The measurements before anything is done to them: samples x genes, dense, sparse or still on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
from anndata.io import sparse_dataset
from scipy import sparse

from mtlbio.cohort.metadata import duplicates
from mtlbio.cohort.stored import rows_of
from mtlbio.errors import InputError, listing

BLOCK = 20_000  # rows at a time: 20,000 cells x 1,500 detected genes are about 250 MB


@dataclass(frozen=True)
class OnDisk:
    """A sparse matrix (rows compressed) inside an h5ad that is read block by block: a million cells fit anywhere.

    ``keep`` marks the rows in use.
    """

    path: Path
    key: str
    keep: np.ndarray

    def blocks(self) -> Iterator[sparse.csr_matrix]:
        """Kept rows in file order, block by block."""
        with h5py.File(self.path) as file:
            columns = sparse_dataset(file[self.key]).shape[1]
            for start in range(0, len(self.keep), BLOCK):
                keep = self.keep[start : start + BLOCK]
                if keep.any():
                    yield rows_of(file[self.key], start, start + BLOCK, columns, self.path)[keep]


@dataclass(frozen=True)
class Measurements:
    """Samples x genes as read.

    Attributes
    ----------
    samples, genes : text arrays
    matrix : array or csr_matrix (samples, genes), or :class:`OnDisk`
    source : the file, for messages
    """

    samples: np.ndarray
    genes: np.ndarray
    matrix: np.ndarray | sparse.csr_matrix | OnDisk
    source: str

    def blocks(self) -> Iterator[tuple[slice, np.ndarray | sparse.csr_matrix]]:
        """Rows in order as (positions, block)."""
        start, matrix = 0, self.matrix
        starts = range(0, len(self.samples), BLOCK)
        for block in matrix.blocks() if isinstance(matrix, OnDisk) else (matrix[s : s + BLOCK] for s in starts):
            yield slice(start, start + block.shape[0]), block
            start += block.shape[0]

    def keep(self, mask: np.ndarray) -> Measurements:
        """Only the samples marked in ``mask`` (n_samples,), in the same order."""
        if mask.all():
            return self
        if isinstance(self.matrix, OnDisk):
            rows = self.matrix.keep.copy()
            rows[rows] = mask
            matrix = replace(self.matrix, keep=rows)
        else:
            matrix = self.matrix[mask]
        return replace(self, samples=self.samples[mask], matrix=matrix)

    def dense(self) -> np.ndarray:
        """Array (samples, genes)."""
        if isinstance(self.matrix, np.ndarray):
            return self.matrix
        return np.concatenate([sparse.csr_matrix(block).toarray() for _, block in self.blocks()])


def check_values(data: Measurements, scale: str, must_vary: bool = True) -> None:
    """Refuse values that cannot be what ``scale`` says.

    ``must_vary`` is False for new samples to predict: there may be a single one.

    Raises
    ------
    InputError
        Naming file, gene, sample and value: missing or infinite values; negative or fractional counts; beta values
        outside 0-1; a log scale above 50; or no gene that varies.
    """
    low, high = np.full(len(data.genes), np.inf), np.full(len(data.genes), -np.inf)
    for positions, block in data.blocks():
        stored = block if isinstance(block, np.ndarray) else block.data
        for wrong, problem in _problems(stored, scale):
            if wrong.any():
                row, gene, value = _first(block, wrong)
                raise InputError(
                    f"{data.source}: gene {str(data.genes[gene])!r}, sample {str(data.samples[positions][row])!r}: "
                    f"found {value:g}; {problem}"
                )
        least, most = block.min(axis=0), block.max(axis=0)
        if sparse.issparse(block):
            least, most = least.toarray().ravel(), most.toarray().ravel()
        low, high = np.minimum(low, least), np.maximum(high, most)
    if must_vary and not (high > low).any():
        raise InputError(
            f"{data.source}: every gene is constant over the {len(data.samples)} samples: nothing to learn from"
        )


def check_names(data: Measurements) -> None:
    """Refuse an empty matrix, and gene names that are empty or stand twice."""
    if not len(data.genes) or not len(data.samples):
        raise InputError(
            f"{data.source}: found {len(data.samples)} samples x {len(data.genes)} genes; expected samples in rows, "
            f"genes in columns"
        )
    twice = sorted(duplicates(data.genes))
    if twice:
        raise InputError(
            f"{data.source}: gene(s) {listing(twice, 5)} stand twice; every gene once "
            f"(average them or keep the highest)"
        )
    if "" in data.genes:
        raise InputError(f"{data.source}: a gene column has no name")


def _problems(values: np.ndarray, scale: str) -> Iterator[tuple[np.ndarray, str]]:
    yield np.isnan(values), "missing values are not filled in here: impute or drop the gene first"
    yield np.isinf(values), "expected finite numbers (a log of zero?)"
    if scale == "counts":
        expected = "scale counts: expected whole numbers"
        yield values < 0, f"{expected} from 0 (already normalised? then scale: log or z)"
        fractional = values != np.round(values)
        yield fractional, f"{expected} (estimated counts: round them; normalised: scale: log or log2)"
    elif scale == "beta":
        yield (values < 0) | (values > 1), "scale beta: expected methylation values from 0 to 1 (M values: scale: z)"
    else:
        raw = "these look like counts or raw intensities (scale: counts, or take logarithms)"
        yield np.abs(values) > 50, f"scale {scale}: expected values up to 50; {raw}"


def _first(block: np.ndarray | sparse.csr_matrix, wrong: np.ndarray) -> tuple[int, int, float]:
    """Row, column and value of the first wrong entry."""
    if not isinstance(block, np.ndarray):
        wrong = sparse.csr_matrix((wrong, block.indices, block.indptr), block.shape)
    row, column = (int(places[0]) for places in wrong.nonzero())
    return row, column, float(block[row, column])
