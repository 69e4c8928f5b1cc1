"""What the values of measurements are like, over all and column by column: what a guess of their scale goes by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.values.gene_columns import only

ROWS = 2_000  # samples that are enough to know a scale by
_VALUES, _MEDIAN_ROWS = 1_000_000, 200
_NEAR = 0.005  # of a whole number
_PANEL = 80  # fewer columns: half of them are looked at where a quarter would be too few


@dataclass(frozen=True)
class Profile:
    """Values of up to :data:`ROWS` samples.

    Attributes
    ----------
    genes : (g,) names
    lowest, highest, typical : (g,) least, largest and median value of a column (of those that are there)
    fractional, negative : (g,) number of values that are no whole number, or below zero
    rise : by which power the spread of a column grows with its mean, among the quarter of columns with the largest
        means: about one before a logarithm is taken, none after
    values : a sample of all values, sorted, zeros of a sparse matrix among them
    totals : (rows,) sum of every sample
    """

    genes: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    typical: np.ndarray
    fractional: np.ndarray
    negative: np.ndarray
    rise: float
    values: np.ndarray
    totals: np.ndarray

    @property
    def low(self) -> float:
        """The least value."""
        return float(self.lowest.min(initial=np.inf))

    @property
    def high(self) -> float:
        """The largest value."""
        return float(self.highest.max(initial=-np.inf))

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return not self.fractional.any()

    @property
    def positive(self) -> np.ndarray:
        """Values above zero, sorted; a one where there is none."""
        above = self.values[self.values > 0]
        return above if len(above) else np.ones(1)

    @property
    def near_whole(self) -> float:
        """Share of values from 1 to 10,000 that are nearly whole numbers (of larger ones float32 has no fractions)."""
        large = self.positive[(self.positive >= 1) & (self.positive <= 10_000)]
        return float((np.abs(large - np.round(large)) < _NEAR).mean()) if len(large) else 0.0

    @property
    def total_spread(self) -> float:
        """Coefficient of variation of the samples' sums."""
        mean = self.totals.mean() if len(self.totals) else 0.0
        return float(self.totals.std() / mean) if mean > 0 else np.inf

    def quantile(self, share: float) -> float:
        """Quantile of all values."""
        return float(np.quantile(self.values, share)) if len(self.values) else np.nan

    def of(self, mask: np.ndarray, data: Measurements) -> Profile:
        """The profile of the columns marked in ``mask`` alone."""
        return self if mask.all() else profile(only(data, mask))


def profile(data: Measurements) -> Profile:
    """The profile of measurements; gaps and infinite values are not looked at.

    Parameters
    ----------
    data : samples x genes; of single cells the first block is read
    """
    if not len(data.samples):
        return _of_dense(np.full((1, len(data.genes)), np.nan), data.genes)
    if isinstance(data.matrix, np.ndarray):
        block = data.matrix[np.unique(np.linspace(0, len(data.samples) - 1, ROWS).astype(int))]
        return _of_dense(block, data.genes)
    _, block = next(data.blocks())
    block = block[:ROWS]
    return _of_dense(block, data.genes) if isinstance(block, np.ndarray) else _of_sparse(block, data.genes)


def _of_dense(block: np.ndarray, genes: np.ndarray) -> Profile:
    block = block if np.issubdtype(block.dtype, np.floating) else block.astype(np.float32)
    there = np.isfinite(block)
    whole = there.all()
    few = block[np.unique(np.linspace(0, len(block) - 1, _MEDIAN_ROWS).astype(int))]
    sample = block.ravel()[:: max(1, block.size // _VALUES)]
    return Profile(
        genes,
        (block.min(axis=0) if whole else np.where(there, block, np.inf).min(axis=0)).astype(float),
        (block.max(axis=0) if whole else np.where(there, block, -np.inf).max(axis=0)).astype(float),
        np.median(few.astype(float), axis=0) if whole else _medians(few.astype(float)),
        (there & (block != np.round(block))).sum(axis=0),
        (there & (block < 0)).sum(axis=0),
        _rise(few),
        np.sort(sample[np.isfinite(sample)].astype(float)),
        block.sum(axis=1, dtype=float) if whole else np.where(there, block, 0).sum(axis=1, dtype=float),
    )


def _rise(block: np.ndarray) -> float:
    """Slope of log spread on log mean over the quarter of columns with the largest means; 0 of too few columns."""
    there = np.isfinite(block).all(axis=0)
    mean, spread = block[:, there].mean(axis=0, dtype=float), block[:, there].std(axis=0, dtype=float)
    usable = (mean > 0) & (spread > 0)
    mean, spread = mean[usable], spread[usable]
    top = mean >= np.quantile(mean, 0.75 if len(mean) >= _PANEL else 0.5) if len(mean) else np.zeros(0, dtype=bool)
    if top.sum() < 10 or np.ptp(np.log(mean[top])) < np.log(1.2) or len(block) < 5:
        return 0.0
    return float(np.polyfit(np.log(mean[top]), np.log(spread[top]), 1)[0])


def _medians(block: np.ndarray) -> np.ndarray:
    """(columns,) medians of what is there; NaN of a column without anything."""
    there = np.isfinite(block)
    ordered = np.sort(np.where(there, block, np.inf), axis=0)
    count = there.sum(axis=0)
    columns = np.arange(block.shape[1])
    middle = (
        ordered[np.maximum(count - 1, 0) // 2, columns] / 2
        + ordered[np.minimum(count // 2, len(block) - 1), columns] / 2
    )
    return np.where(count > 0, middle, np.nan)


def _of_sparse(block: sparse.csr_matrix, genes: np.ndarray) -> Profile:
    block = sparse.csr_matrix(block)
    stored = np.where(np.isfinite(block.data), block.data, 0).astype(np.float32)
    block = sparse.csr_matrix((stored, block.indices, block.indptr), block.shape)
    width = len(genes)
    few = block[np.unique(np.linspace(0, max(block.shape[0] - 1, 0), _MEDIAN_ROWS).astype(int))]
    sample = stored[:: max(1, len(stored) // _VALUES)].astype(float)
    empty = block.shape[0] * width - len(stored)
    zeros = np.zeros(int(min(_VALUES, empty * len(sample) / max(len(stored), 1))))
    return Profile(
        genes,
        block.min(axis=0).toarray().ravel().astype(float),
        block.max(axis=0).toarray().ravel().astype(float),
        # a column of which more than half is stored is rare enough to be looked at by itself
        np.median(few.toarray().astype(float), axis=0) if few.nnz * 2 > few.shape[0] * width else np.zeros(width),
        np.bincount(block.indices[stored != np.round(stored)], minlength=width),
        np.bincount(block.indices[stored < 0], minlength=width),
        _rise(few.toarray()),
        np.sort(np.concatenate([sample, zeros])),
        block @ np.ones(width),
    )
