"""Genes that were not measured, filled with what the measured ones say of them.

A factor model of the standardised training samples, ``z ~ N(0, W W' + noise)`` with as many factors as fill hidden
genes of held-out samples best. The conditional mean of the missing genes given the others is the best linear guess; it
shrinks to 0, the training mean, where the measured genes tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Numbers of factors that are tried; most cohorts are served best by 10 to 80 (benchmarks/real/missing_genes.py).
RANKS = (5, 10, 20, 40, 80)
# Share of a gene's variance that no other gene tells, at least: factors of few samples promise more than they keep.
_LEAST_NOISE = 0.05
_LEAST_SAMPLES = 3  # per factor


@dataclass(frozen=True)
class Factors:
    """How p standardised genes go together.

    Attributes
    ----------
    loadings : (p, q) W
    noise : (p,) variance of each gene beyond the factors
    """

    loadings: np.ndarray
    noise: np.ndarray

    def filled(self, standardised: np.ndarray) -> np.ndarray:
        """(n, p) with every NaN replaced by its conditional mean given the rest of its sample.

        Examples
        --------
        >>> Factors(np.ones((2, 1)), np.full(2, 0.25)).filled(np.array([[2.0, np.nan]])).round(2).tolist()
        [[2.0, 1.6]]
        """
        values = np.array(standardised, dtype=float)
        weighted = self.loadings / self.noise[:, None]
        for rows, missing in patterns(np.isnan(values)):
            if missing.any():
                there, loadings = weighted[~missing], self.loadings[~missing].astype(float)
                precision = np.eye(loadings.shape[1]) + there.T @ loadings
                factors = np.linalg.solve(precision, there.T @ values[np.ix_(rows, ~missing)].T)
                values[np.ix_(rows, missing)] = (self.loadings[missing] @ factors).T
        return values


def patterns(missing: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows (places) that lack the same genes, and which these are (p,), for ``missing`` (n, p) bool."""
    _, first, group = np.unique(np.packbits(missing, axis=1), axis=0, return_index=True, return_inverse=True)
    for k, row in enumerate(first):
        yield np.flatnonzero(group.ravel() == k), missing[row]


def fit_factors(standardised: np.ndarray, *ranks: int) -> list[Factors]:
    """Factors of training samples (n, p) without gaps, for each rank; fewer where the samples have fewer directions."""
    z = _some(np.asarray(standardised, dtype=float))
    n, p = z.shape
    values, vectors = np.linalg.eigh((z @ z.T if n <= p else z.T @ z) / n)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    most = min(int((values > 1e-8 * max(values[0], 1e-300)).sum()), p - 1)
    made = []
    for rank in (min(rank, most) for rank in ranks):
        axes = z.T @ vectors[:, :rank] / np.sqrt(n * values[:rank]) if n <= p else vectors[:, :rank]
        # what is left is noise, of the same size in every direction (probabilistic PCA, Tipping & Bishop 1999, eq. 7)
        left = values[rank:].sum() / (p - rank)
        loadings = axes * np.sqrt(np.maximum(values[:rank] - left, 0.0))
        noise = np.maximum(np.square(z).mean(axis=0) - np.square(loadings).sum(axis=1), _LEAST_NOISE)
        made.append(Factors(loadings.astype(np.float32), noise.astype(np.float32)))
    return made


def best_rank(standardised: np.ndarray, group: np.ndarray) -> int:
    """Number of factors that best fills half of the genes, hidden in turn, of samples of one group (a fold) from the
    others.

    ``standardised`` (n, p), ``group`` (n,) with at least two values. The same samples give the same number.
    """
    standardised, group = _some(standardised, 1), _some(group, 1)
    hidden = np.random.default_rng(0).random(standardised.shape[1]) < 0.5
    tried = [rank for rank in RANKS if _LEAST_SAMPLES * rank <= len(standardised)] or list(RANKS[:1])
    error = np.zeros(len(tried))
    for held_out in np.unique(group):
        inside = group != held_out
        for k, factors in enumerate(fit_factors(standardised[inside], *tried)):
            for mask in (hidden, ~hidden):
                gaps = np.where(mask, np.nan, standardised[~inside])
                error[k] += np.square(factors.filled(gaps) - standardised[~inside]).sum()
    return tried[int(error.argmin())]


def _some(rows: np.ndarray, thousands: int = 2) -> np.ndarray:
    """Rows, spread evenly, of an array that has too many for an eigendecomposition in seconds."""
    most = 1000 * thousands
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]
