"""The measurements before anything is done to them: samples x genes, dense, sparse or still on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from mtlbio.cohort.cells.on_disk import BLOCK, Block, OnDisk, Part
from mtlbio.cohort.metadata import duplicates
from mtlbio.errors import InputError, listing


@dataclass(frozen=True)
class Measurements:
    """Samples x genes as read.

    Attributes
    ----------
    samples, genes : text arrays
    matrix : array or csr_matrix (samples, genes), or :class:`OnDisk`
    source : the file, for messages
    suggested : scale of the values and what speaks for it, where the layout of the file tells
    """

    samples: np.ndarray
    genes: np.ndarray
    matrix: np.ndarray | sparse.csr_matrix | OnDisk
    source: str
    suggested: tuple[str, str] | None = None

    def blocks(self) -> Iterator[tuple[slice, Block]]:
        """Rows in order as (positions, block)."""
        start, matrix = 0, self.matrix
        starts = range(0, len(self.samples), BLOCK)
        for block in matrix.blocks() if isinstance(matrix, OnDisk) else (matrix[s : s + BLOCK] for s in starts):
            yield slice(start, start + block.shape[0]), block
            start += block.shape[0]

    def parts(self) -> Iterator[Part]:
        """The same values as (rows, columns, block), in whichever order takes one walk through the file."""
        if isinstance(self.matrix, OnDisk):
            yield from self.matrix.parts()
            return
        for rows, block in self.blocks():
            yield rows, slice(0, len(self.genes)), block

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
    checks = ValueChecks(data, scale)
    for rows, columns, block in data.parts():
        checks.look_at(rows, columns, block)
    if must_vary:
        checks.check_variation()


class ValueChecks:
    """The checks of :func:`check_values` for values that come part by part, so that nobody reads them twice."""

    def __init__(self, data: Measurements, scale: str):
        self.data, self.scale, self.varies = data, scale, False
        self.low, self.high = np.full(len(data.genes), np.inf), np.full(len(data.genes), -np.inf)

    def look_at(self, rows: slice, columns: slice, block: Block) -> None:
        """Check one part; an InputError at the first value that is wrong."""
        data = self.data
        stored = block if isinstance(block, np.ndarray) else block.data
        for wrong, problem in _problems(stored, self.scale):
            if wrong.any():
                row, gene, value = _first(block, wrong)
                what = "dimension" if self.scale == "latents" else "gene"
                raise InputError(
                    f"{data.source}: {what} {str(data.genes[columns][gene])!r}, sample "
                    f"{str(data.samples[rows][row])!r}: found {value:g}; {problem}"
                )
        if self.varies:  # one gene is enough, and extremes by column take their time
            return
        least, most = block.min(axis=0), block.max(axis=0)
        if sparse.issparse(block):
            least, most = least.toarray().ravel(), most.toarray().ravel()
        self.low[columns] = np.minimum(self.low[columns], least)
        self.high[columns] = np.maximum(self.high[columns], most)
        self.varies = bool((self.high > self.low).any())

    def check_variation(self) -> None:
        """Refuse measurements of which no gene varies."""
        if not self.varies:
            raise InputError(
                f"{self.data.source}: every gene is constant over the {len(self.data.samples)} samples: nothing to "
                f"learn from"
            )


def check_names(data: Measurements) -> None:
    """Refuse an empty matrix, and gene names that are empty, or that stand twice in a file of single cells."""
    if not len(data.genes) or not len(data.samples):
        raise InputError(
            f"{data.source}: found {len(data.samples)} samples x {len(data.genes)} genes; expected samples in rows, "
            f"genes in columns"
        )
    twice = sorted(duplicates(data.genes)) if isinstance(data.matrix, OnDisk) else []
    if twice:
        raise InputError(
            f"{data.source}: gene(s) {listing(twice, 5)} stand twice; every gene once "
            f"(average them or keep the highest)"
        )
    unnamed = np.flatnonzero(data.genes == "")
    if len(unnamed):
        places = listing((unnamed + 1).tolist(), 3)
        raise InputError(
            f"{data.source}: gene number {places} (counted without the samples' names) has no name: write or remove it"
        )


def _problems(values: np.ndarray, scale: str) -> Iterator[tuple[np.ndarray, str]]:
    if scale == "latents":
        yield ~np.isfinite(values), "expected a finite number in every dimension of every sample"
        return
    yield np.isnan(values), "missing values: impute them, or write expression.missing: drop or fill"
    yield np.isinf(values), "expected finite numbers (a log of zero?)"
    if scale == "counts":
        expected = "scale counts: expected whole numbers"
        yield values < 0, f"{expected} from 0 (already normalised? then scale: log or z)"
        fractional = values != np.round(values)
        yield fractional, f"{expected} (estimated counts: round them; TPM or FPKM: scale: linear; logs: scale: log2)"
    elif scale == "beta":
        expected = (
            "scale beta: expected methylation values from 0 to 1 (in percent: scale: percent; M values: scale: z)"
        )
        yield (values < 0) | (values > 1), expected
    elif scale == "percent":
        expected = "scale percent: expected methylation from 0 to 100 (from 0 to 1: scale: beta; M values: scale: z)"
        yield (values < 0) | (values > 100), expected
    elif scale == "linear":
        yield (
            values < 0,
            "scale linear: expected values from 0 (TPM, FPKM, intensities); logs or ratios: scale: log2 or z",
        )
    else:
        raw = "these look like counts or raw intensities (scale: counts or linear)"
        yield np.abs(values) > 50, f"scale {scale}: expected values up to 50; {raw}"


def _first(block: Block, wrong: np.ndarray) -> tuple[int, int, float]:
    """Row, column and value of the first wrong entry."""
    if isinstance(block, np.ndarray):
        row, column = (int(places[0]) for places in wrong.nonzero())
        return row, column, float(block[row, column])
    place = int(np.flatnonzero(wrong)[0])
    line, other = int(np.searchsorted(block.indptr, place, side="right")) - 1, int(block.indices[place])
    row, column = (line, other) if block.format == "csr" else (other, line)
    return row, column, float(block.data[place])
