"""Axes that several blocks of measurements share, found from samples that lack some of the blocks.

The factor model of :mod:`mtlbio.model.axes` with the features of all blocks side by side, where a sample's likelihood
is that of the features that it has: the expectation is taken given its blocks, the loadings of a block are fitted to
the samples that have it, and nothing stands in for what is missing. An axis may have loadings in one block or in
several, as in MOFA (Argelaguet et al. 2018, Mol Syst Biol 14:e8124), whose model this is but for the prior: the L1
penalty takes the loadings of a block that an axis is not about to exactly zero. Where no sample lacks a block the axes
are those of :func:`mtlbio.model.axes.sparse_axes`.
"""

from dataclasses import dataclass

import numpy as np

_NOISE_FLOOR = 0.05  # of a feature's variance, as for one block


@dataclass(frozen=True)
class BlockAxes:
    """Loadings of p features of b blocks on k axes.

    Attributes
    ----------
    loadings : (p, k) of axes with mean square 1 on the training samples
    noise : (p,) residual variance of each feature
    of_feature : (p,) block of each feature
    size : (k,) root mean square of the axes' posterior means before they were scaled
    """

    loadings: np.ndarray
    noise: np.ndarray
    of_feature: np.ndarray
    size: np.ndarray

    @property
    def n_axes(self) -> int:
        """Number of axes that survived the penalty."""
        return self.loadings.shape[1]

    def encode(self, x: np.ndarray, present: np.ndarray) -> np.ndarray:
        """(n, k) posterior mean of the axes given the blocks that each sample has.

        Parameters
        ----------
        x : (n, p) standardised; what stands in a block that a sample lacks is not read
        present : (n, b) bool
        """
        out = np.zeros((len(x), self.n_axes))
        for rows, columns in patterns(present, self.of_feature):
            encoder, _ = posterior(self.loadings[columns] / self.size, self.noise[columns])
            out[rows] = x[np.ix_(rows, columns)] @ encoder
        return out / self.size


def patterns(present: np.ndarray, of_feature: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places of the samples (m,) that have the same blocks, and of the features (q,) of these blocks."""
    kinds, place = np.unique(present, axis=0, return_inverse=True)
    place = place.reshape(-1)
    return [(np.flatnonzero(place == i), np.flatnonzero(kind[of_feature])) for i, kind in enumerate(kinds)]


def posterior(loadings: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encoder (p, k) of the posterior mean and the posterior covariance (k, k) of factors with variance 1."""
    weighted = loadings / noise[:, None]
    spread = np.linalg.inv(np.eye(loadings.shape[1]) + loadings.T @ weighted)
    return weighted @ spread, spread


def block_axes(
    x: np.ndarray,
    present: np.ndarray,
    of_feature: np.ndarray,
    start: tuple[np.ndarray, np.ndarray],
    sparsity: float = 3.0,
    iterations: int = 200,
    tolerance: float = 1e-3,
) -> BlockAxes:
    """Fit the axes by expectation maximisation; the strongest come first, each block counting alike.

    Parameters
    ----------
    x : (n, p) standardised training data, 0 where a sample lacks the block
    present : (n, b) bool, which blocks a sample has
    of_feature : (p,) block of each feature
    start : scores (n, k) and loadings (p, k) to start from, e.g. those of principal components
    sparsity : the penalty in units of a loading's standard error, which is that of the samples with the block
    iterations, tolerance : stop when no loading moves by more than ``tolerance``
    """
    x, there = np.asarray(x, dtype=float), present[:, of_feature].astype(float)
    count = there.sum(axis=0)
    groups, columns_of = (
        patterns(present, of_feature),
        [np.flatnonzero(of_feature == b) for b in range(present.shape[1])],
    )
    loadings = start[1].copy()
    variance = np.maximum((x**2).sum(axis=0) / count, 1e-12)
    residual = ((x - start[0] @ loadings.T) ** 2 * there).sum(axis=0) / count
    noise = np.maximum(residual, _NOISE_FLOOR * variance)
    penalty = sparsity / np.sqrt(count)
    for _ in range(iterations):
        scores, spreads = _expected(x, groups, loadings, noise)
        cross = x.T @ scores / count[:, None]
        before, residual = loadings.copy(), np.empty(len(variance))
        threshold = penalty * np.sqrt(noise)
        for block, columns in enumerate(columns_of):
            have = present[:, block]
            own = np.zeros((loadings.shape[1],) * 2)
            for (rows, _), spread in zip(groups, spreads, strict=True):
                own += spread * have[rows].sum()
            second = (own + scores[have].T @ scores[have]) / have.sum()
            part, wanted, least = loadings[columns], cross[columns], threshold[columns]
            for _ in range(2):  # sweeps of coordinate descent, as for one block
                for k in range(part.shape[1]):
                    wish = wanted[:, k] - part @ second[:, k] + part[:, k] * second[k, k]
                    part[:, k] = np.sign(wish) * np.maximum(np.abs(wish) - least, 0.0) / second[k, k]
            loadings[columns] = part
            left = variance[columns] - 2 * (part * wanted).sum(axis=1) + ((part @ second) * part).sum(axis=1)
            residual[columns] = left
        alive = np.abs(loadings).max(axis=0) > 0
        noise = np.maximum(residual, _NOISE_FLOOR * variance)
        moved = np.abs(loadings - before).max(initial=0.0)
        loadings = loadings[:, alive]
        if moved < tolerance:
            break
    return _canonical(x, present, loadings, noise, of_feature)


def _expected(x, groups, loadings: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """(n, k) posterior means of all samples, and the posterior covariance of every group of samples."""
    scores, spreads = np.zeros((len(x), loadings.shape[1])), []
    for rows, columns in groups:
        encoder, spread = posterior(loadings[columns], noise[columns])
        scores[rows] = x[np.ix_(rows, columns)] @ encoder
        spreads.append(spread)
    return scores, spreads


def _canonical(x, present, loadings: np.ndarray, noise: np.ndarray, of_feature: np.ndarray) -> BlockAxes:
    """Unit variance, strongest axis first, and signed so that the heavier tail of the loadings is positive."""
    raw = BlockAxes(loadings, noise, of_feature, np.ones(loadings.shape[1])).encode(x, present)
    size = np.sqrt((raw**2).mean(axis=0)) * np.where((loadings**3).sum(axis=0) < 0, -1.0, 1.0)
    loadings = loadings * size
    strength = sum((loadings[of_feature == b] ** 2).mean(axis=0) for b in range(present.shape[1]))
    order = np.argsort(-strength, kind="stable")
    return BlockAxes(loadings[:, order], noise, of_feature, size[order])
