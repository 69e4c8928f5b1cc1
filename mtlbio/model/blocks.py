"""Planes that come back although their axes do not.

Where several axes fit the data equally well in any rotation, the folds find other axes of the same space: each axis is
unstable, what they span is not. Axes form a block if each explains, in the folds, what the others have lost of the
reference. All measures are taken on donors that the fold did not train on: a map from a fold's block to the reference's
is fitted on the fold's training donors and judged on the others.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mtlbio.model.matching import effective_rank
from mtlbio.model.similarity import canonical_correlations, linear_cka

# Two axes that turn by 45 degrees still correlate by .71 with their partners, and by .92 at random angles. UNSTABLE: a
# third of the axis is others; PARTNER: what those others may have
UNSTABLE = 0.8
PARTNER = 0.9
STABLE = 0.7  # smallest canonical correlation from which a block was found again
LARGEST = 6  # axes of a block: with enough axes any axis is explained
LEAST_GAIN = 0.05  # share of variance that both sides of a merger have to gain
CLEAR_GAIN = 0.15  # that the axes of a block gain in the mean over standing alone: what a turn by 23 degrees costs
_SMALL = 1e-6  # of a unit variance: keeps an axis that repeats another one from being divided by zero


@dataclass(frozen=True)
class Replicas:
    """Axes of the folds and of the reference, which is the final model, over all samples.

    Attributes
    ----------
    reference : (n, k)
    numbers : (f,) of the folds
    folds : (f, n, k), mean over seeds
    train : (f, n) samples of the donors that a fold was trained on; ``test``: the samples it holds out
    """

    reference: np.ndarray
    numbers: np.ndarray
    folds: np.ndarray
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Block:
    """A set of axes that mix between folds.

    Attributes
    ----------
    dims : their places
    latents : (n, k) held-out latents, every fold rotated to the reference; uncorrelated, with variance 1 on the donors
        that a fold was trained on
    whitening : (k, k) from the reference's centred axes to the same coordinates
    stability : smallest canonical correlation of ``latents`` with the reference: its worst direction
    cca : mean squared canonical correlation; ``cka``: linear CKA
    effective_rank : median over the folds, at most the number of axes
    """

    dims: tuple[int, ...]
    latents: np.ndarray
    whitening: np.ndarray
    stability: float
    cca: float
    cka: float
    effective_rank: float

    @property
    def stable(self) -> bool:
        """Whether every direction of the block was found again."""
        return self.stability >= STABLE


def find_blocks(replicas: Replicas, stability: np.ndarray) -> list[Block]:
    """Groups of axes that explain each other, at least one of them unstable, merged bottom-up.

    In each step the two groups are merged of which *both* gain most; a merger of which one side gains nothing, such as
    noise with a good axis, does not happen. Explained variance is that of held-out donors; ``stability`` (k,) that of
    the axes. Blocks of two axes or more come back that explain clearly more together than alone, stable or not, in the
    order of their first axis.
    """
    explained = _Explained(replicas)
    groups: list[tuple[int, ...]] = [(int(d),) for d in np.flatnonzero(stability < PARTNER)]
    while True:
        best, pair = LEAST_GAIN, None
        for g, h in combinations(groups, 2):
            if len(g) + len(h) <= LARGEST:
                together = explained(g + h)
                gain = min((together[: len(g)] - explained(g)).mean(), (together[len(g) :] - explained(h)).mean())
                if gain >= best:
                    best, pair = gain, (g, h)
        if pair is None:
            break
        groups = [g for g in groups if g not in pair] + [pair[0] + pair[1]]
    groups = [g for g in sorted(groups, key=min) if len(g) > 1 and stability[list(g)].min() < UNSTABLE]
    gains = [(explained(g) - np.concatenate([explained((d,)) for d in g])).mean() for g in groups]
    return [block_of(replicas, tuple(sorted(g))) for g, gain in zip(groups, gains, strict=True) if gain >= CLEAR_GAIN]


def block_of(replicas: Replicas, dims: tuple[int, ...]) -> Block:
    """Align the axes ``dims`` of every fold to the reference and measure how well they agree.

    A fold's block is whitened and rotated to the whitened reference on its training donors (orthogonal Procrustes,
    Schonemann 1966), so the rotation knows nothing of the donors it serves.
    """
    whitening, mean = _whitening(replicas.reference[:, dims])
    reference = (replicas.reference[:, dims] - mean) @ whitening
    latents, ranks = np.full(reference.shape, np.nan), []
    for fold, train, test in zip(replicas.folds[:, :, dims], replicas.train, replicas.test, strict=True):
        to_white, mean = _whitening(fold[train])
        white = (fold - mean) @ to_white
        left, _, right = np.linalg.svd(white[train].T @ reference[train])
        latents[test] = white[test] @ (left @ right)
        ranks.append(effective_rank(fold))
    cosines = canonical_correlations(latents, reference)
    stability, mean_square = float(cosines[-1]), float(np.square(cosines).mean())
    cka = linear_cka(latents, reference)
    return Block(dims, latents, whitening, stability, mean_square, cka, float(np.median(ranks)))


class _Explained:
    """Share of each reference axis of a group that the same axes of the folds explain on held-out donors."""

    def __init__(self, replicas: Replicas):
        self.moments = []
        for fold, train, test in zip(replicas.folds, replicas.train, replicas.test, strict=True):
            x, y = standardised(fold, train), standardised(replicas.reference, train)
            fitted = x[train].T @ x[train], x[train].T @ y[train], train.sum()
            self.moments.append((*fitted, x[test].T @ x[test], x[test].T @ y[test], np.square(y[test]).sum(axis=0)))
        self.total = np.maximum(sum(m[-1] for m in self.moments), 1e-12)
        self.cache: dict[tuple[int, ...], np.ndarray] = {}

    def __call__(self, group: tuple[int, ...]) -> np.ndarray:
        """(len(group),) 1 - residual over total sum of squares; below 0 where the map misleads."""
        if group not in self.cache:
            g, left = list(group), np.zeros(len(group))
            for xx, xy, n, test_xx, test_xy, test_yy in self.moments:
                b = np.linalg.solve(xx[np.ix_(g, g)] / n + _SMALL * np.eye(len(g)), xy[np.ix_(g, g)] / n)
                fit = (b * (test_xx[np.ix_(g, g)] @ b)).sum(axis=0)
                left += test_yy[g] - 2 * (b * test_xy[np.ix_(g, g)]).sum(axis=0) + fit
            self.cache[group] = 1 - left / self.total[g]
        return self.cache[group]


def standardised(values: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Columns (n, k) with mean 0 and variance 1 on ``rows``; one that does not vary there is only centred.

    Examples
    --------
    >>> standardised(np.array([[1.0, 5.0], [3.0, 5.0], [9.0, 6.0]]), np.array([0, 1])).tolist()
    [[-1.0, 0.0], [1.0, 0.0], [7.0, 1.0]]
    """
    spread = values[rows].std(axis=0)
    return (values - values[rows].mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)


def _whitening(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric map (k, k) after which ``values`` are uncorrelated with variance 1, and their mean; directions
    without variance become 0."""
    mean = values.mean(axis=0)
    roots, vectors = np.linalg.eigh(np.atleast_2d(np.cov(values, rowvar=False)))
    weights = np.where(roots > 1e-9 * roots[-1], 1 / np.sqrt(np.maximum(roots, 1e-300)), 0.0)
    return (vectors * weights) @ vectors.T, mean
