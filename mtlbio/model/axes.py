"""Gene-sparse axes: a factor model whose decoder has an L1 prior, fitted by expectation maximisation.

``x = L z + e`` with ``z ~ N(0, I)``, ``e_g ~ N(0, psi_g)`` and the penalty ``lambda / sqrt(psi_g) * |L_gk|``
(penalised maximum likelihood factor analysis, Hirose & Yamamoto 2015, Stat Comput 25:863). The encoder is the
posterior mean of ``z``, hence linear and good for samples that were never seen. The penalty does three jobs: it
removes the rotation that a plain encoder leaves free, it cleans the loadings, and it takes axes that carry nothing
but noise to exactly zero, so that the number of axes only has to be large enough.

The start (PCA, varimax, promax) matters because the likelihood has many local optima. The factors are *not*
rescaled between iterations: that breaks the ascent and lets pairs of axes run away in opposite directions on real
data. ``benchmarks/axes_and_predictions/axes.py`` compares the axes with PCA + promax and with MOFA2.
"""

from dataclasses import dataclass

import numpy as np

_NOISE_FLOOR = 0.05  # of a gene's variance: a gene that the axes explain wholly would get infinite weight


@dataclass(frozen=True)
class Axes:
    """A linear encoder and its gene loadings for standardised data.

    Attributes
    ----------
    encoder : (p, k); latents are ``x @ encoder``, mean square 1 on the training samples
    loadings : (p, k); ``latents @ loadings.T`` reconstructs ``x``
    noise : (p,) residual variance of each gene
    """

    encoder: np.ndarray
    loadings: np.ndarray
    noise: np.ndarray

    @property
    def n_axes(self) -> int:
        """Number of axes that survived the penalty."""
        return self.encoder.shape[1]


def sparse_axes(
    x: np.ndarray,
    start: tuple[np.ndarray, np.ndarray],
    sparsity: float = 3.0,
    iterations: int = 200,
    tolerance: float = 1e-3,
) -> Axes:
    """Fit gene-sparse axes; the strongest come first, and those whose loadings are all zero are gone.

    Parameters
    ----------
    x : (n, p) standardised training data
    start : scores (n, k) and loadings (p, k), e.g. of :func:`mtlbio.model.rotation.rotated_start`
    sparsity : the penalty in units of a loading's standard error, ``lambda = sparsity / sqrt(n)``
    iterations, tolerance : stop when no loading moves by more than ``tolerance``
    """
    x = np.asarray(x, dtype=float)
    scores, loadings = start[0], start[1].copy()
    variance = np.maximum((x**2).mean(axis=0), 1e-12)
    noise = np.maximum(((x - scores @ loadings.T) ** 2).mean(axis=0), _NOISE_FLOOR * variance)
    return _fit(_Rows(x), len(x), loadings, variance, noise, sparsity, iterations, tolerance)


def sparse_axes_of_moments(
    second: np.ndarray,
    n: float,
    start: tuple[np.ndarray, np.ndarray],
    sparsity: float = 3.0,
    iterations: int = 200,
    tolerance: float = 1e-3,
) -> Axes:
    """The same from mean products of the columns, where nobody holds the rows.

    Parameters
    ----------
    second : (p, p) ``x.T @ x / n`` of standardised training data
    n : number of samples
    start : encoder (p, k) of the first scores, and loadings (p, k)
    """
    encoder, loadings = start[0], start[1].copy()
    variance = np.maximum(np.diag(second), 1e-12)
    cross, square = _Moments(second).products(encoder)
    residual = np.diag(second) - 2 * (loadings * cross).sum(axis=1) + ((loadings @ square) * loadings).sum(axis=1)
    noise = np.maximum(residual, _NOISE_FLOOR * variance)
    return _fit(_Moments(second), n, loadings, variance, noise, sparsity, iterations, tolerance)


@dataclass(frozen=True)
class _Rows:
    """What is asked of data (n, p)."""

    x: np.ndarray

    def products(self, encoder: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean products of columns and scores (p, k), and of the scores (k, k)."""
        scores = self.x @ encoder
        return self.x.T @ scores / len(self.x), scores.T @ scores / len(self.x)

    def size(self, encoder: np.ndarray) -> np.ndarray:
        """(k,) root mean squares of the scores."""
        return np.sqrt(((self.x @ encoder) ** 2).mean(axis=0))


@dataclass(frozen=True)
class _Moments:
    """The same of mean products (p, p)."""

    second: np.ndarray

    def products(self, encoder: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cross = self.second @ encoder
        return cross, encoder.T @ cross

    def size(self, encoder: np.ndarray) -> np.ndarray:
        return np.sqrt(np.diag(self.products(encoder)[1]))


def _fit(
    data: _Rows | _Moments,
    n: float,
    loadings: np.ndarray,
    variance: np.ndarray,
    noise: np.ndarray,
    sparsity: float,
    iterations: int,
    tolerance: float,
) -> Axes:
    penalty = sparsity / np.sqrt(n)
    for _ in range(iterations):
        encoder, spread = _posterior(loadings, noise)
        cross, square = data.products(encoder)
        second = spread + square
        before = loadings.copy()
        threshold = penalty * np.sqrt(noise)
        for _ in range(2):  # two sweeps of coordinate descent per iteration converge fastest in wall time
            for k in range(loadings.shape[1]):
                wish = cross[:, k] - loadings @ second[:, k] + loadings[:, k] * second[k, k]
                loadings[:, k] = np.sign(wish) * np.maximum(np.abs(wish) - threshold, 0.0) / second[k, k]
        alive = np.abs(loadings).max(axis=0) > 0
        residual = variance - 2 * (loadings * cross).sum(axis=1) + ((loadings @ second) * loadings).sum(axis=1)
        noise = np.maximum(residual, _NOISE_FLOOR * variance)
        moved = np.abs(loadings - before).max(initial=0.0)
        loadings = loadings[:, alive]
        if moved < tolerance:
            break
    return _canonical(data, loadings, noise)


def _posterior(loadings: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encoder (p, k) of the posterior mean and the posterior covariance (k, k) of the factors."""
    weighted = loadings / noise[:, None]
    spread = np.linalg.inv(np.eye(loadings.shape[1]) + loadings.T @ weighted)
    return weighted @ spread, spread


def _canonical(data: _Rows | _Moments, loadings: np.ndarray, noise: np.ndarray) -> Axes:
    """Unit variance, strongest axis first, and signed so that the heavier tail of the loadings is positive."""
    encoder, _ = _posterior(loadings, noise)
    size = data.size(encoder)
    sign = np.where((loadings**3).sum(axis=0) < 0, -1.0, 1.0)
    encoder, loadings = encoder / size * sign, loadings * size * sign
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    return Axes(encoder[:, order], loadings[:, order], noise)
