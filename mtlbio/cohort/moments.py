"""Sums and products of the columns of a cohort: those of all samples minus those of a fold are those of its training
samples, so every fold costs no more than the samples that it holds out."""

from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features

_BLOCK = 4096  # rows that are held in double precision at once
FEW = 4000  # samples below which rows are always as good
_LARGE = 1e7  # numbers of the matrix, from which on moments are worth it
_MOST_COLUMNS = 8000  # whose products are held: half a gigabyte


@dataclass(frozen=True)
class Moments:
    """Of n samples and p columns, about a fixed point, so that large means cost no digits.

    Attributes
    ----------
    n : number of samples
    about : (p,) what was subtracted from every column
    sums : (p,) of the columns
    products : (p, p) summed products of the columns
    """

    n: int
    about: np.ndarray
    sums: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, rows: np.ndarray | None = None, about: np.ndarray | None = None) -> "Moments":
        """Of the rows ``rows`` (m,) of values (n, p), all where left out; ``about`` (p,), the mean of the first rows
        where left out.

        Examples
        --------
        >>> values = np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]])
        >>> everybody = Moments.of(values)
        >>> everybody.without(Moments.of(values, np.array([2]), everybody.about)).covariance
        array([[1., 2.],
               [2., 4.]])
        """
        rows = np.arange(len(values)) if rows is None else rows
        about = values[rows[:_BLOCK]].mean(axis=0, dtype=float) if about is None else about
        sums, products = np.zeros(len(about)), np.zeros((len(about), len(about)))
        for start in range(0, len(rows), _BLOCK):
            block = values[rows[start : start + _BLOCK]].astype(float)
            block -= about
            sums += block.sum(axis=0)
            products += block.T @ block
        return cls(len(rows), about, sums, products)

    def without(self, some: "Moments") -> "Moments":
        """Of the other samples, where ``some`` are of a part of them, about the same point."""
        return Moments(self.n - some.n, self.about, self.sums - some.sums, self.products - some.products)

    @property
    def covariance(self) -> np.ndarray:
        """(p, p) mean products of the centred columns."""
        mean = self.sums / self.n
        covariance = self.products / self.n
        covariance -= np.outer(mean, mean)
        return covariance

    def standardised(self, features: Features) -> np.ndarray:
        """(q, q) mean products of the standardised features of the samples."""
        genes = features.genes_idx
        chosen = self.covariance[np.ix_(genes, genes)] if len(genes) < len(self.about) else self.covariance
        # a mean that counts donors is not that of the samples
        off = (self.about + self.sums / self.n)[genes] - features.mean
        chosen += np.outer(off, off)
        chosen /= features.scale[:, None]
        chosen /= features.scale
        return chosen


def moments_of(cohort: Cohort, fit_from: str = "moments") -> Moments | None:
    """Of all samples of a cohort; None where folds are better made from rows: gaps, no fewer columns than samples, or
    more than products of theirs fit into memory, and where ``fit_from`` says rows, or auto and the cohort is not large.
    """
    n, p = cohort.expression.shape
    small = fit_from == "rows" or (fit_from == "auto" and (n < FEW or n * p < _LARGE))
    if small or p > min(n - 1, _MOST_COLUMNS):
        return None
    moments = Moments.of(cohort.expression)
    return moments if np.isfinite(moments.sums).all() else None


def standardised_blocks(expression: np.ndarray, rows: np.ndarray, features: Features, block: int = _BLOCK):
    """Places among ``rows`` and standardised samples (m, q) float32 of every block of rows."""
    for start in range(0, len(rows), block):
        place = slice(start, min(start + block, len(rows)))
        yield place, features.transform(expression[rows[place]])
