"""What a fold learns about its genes before any model: which ones, their means, their scales, their row space."""

from dataclasses import dataclass

import numpy as np

from mtlbio.kinds import kind_named

# Genes are walked in blocks so that the double-precision copy stays small on large cohorts.
_BLOCK = 2048
# Singular values below this share of the largest are rounding of float32 data, not directions.
_RANK_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Features:
    """Genes chosen on training samples, with what standardises them.

    Attributes
    ----------
    genes_idx : (p,) int, ascending columns of the cohort's expression
    mean, scale : (p,) float64, on the training samples; ``scale`` is a standard deviation, never 0
    """

    genes_idx: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def transform(self, expression: np.ndarray) -> np.ndarray:
        """Standardise the chosen genes of ``expression`` (n, genes of the cohort) -> (n, p) float32.

        What is missing gets the mean of the training samples, which is 0 here.
        """
        chosen = np.asarray(expression)[:, self.genes_idx]
        standardised = ((chosen - self.mean) / self.scale).astype(np.float32)
        standardised[np.isnan(standardised)] = 0.0
        return standardised


def donor_weights(donors: np.ndarray) -> np.ndarray:
    """One over the number of samples of each sample's donor, scaled to mean 1; (n,) float64.

    With them every donor counts once, however often it was measured.
    """
    _, donor, count = np.unique(np.asarray(donors), return_inverse=True, return_counts=True)
    weights = 1.0 / count[donor]
    return weights / weights.mean()


def fit_features(
    expression_train: np.ndarray,
    n_genes: int | None = None,
    weights: np.ndarray | None = None,
    floor: np.ndarray | None = None,
) -> Features:
    """Choose the most variable genes of the training samples and measure their mean and standard deviation.

    Parameters
    ----------
    expression_train : (n, genes) training samples only; NaN where a feature of a table is missing
    n_genes : how many genes to keep, by variance; None keeps all. Constant genes are never kept, and where two
        genes tie the one that comes first in the cohort wins
    weights : (n,) weight of each sample, e.g. :func:`donor_weights`; equal where left out
    floor : (genes,) least scale of each; none where left out

    Examples
    --------
    >>> import numpy as np
    >>> fit_features(np.array([[0.0, 5.0, 1.0], [4.0, 5.0, 3.0]]), n_genes=1).genes_idx
    array([0])
    """
    expression = np.asarray(expression_train)
    n, total = expression.shape
    share = np.full(n, 1.0 / n) if weights is None else np.asarray(weights, dtype=float) / np.sum(weights)
    mean, variance = np.empty(total), np.empty(total)
    for start in range(0, total, _BLOCK):
        block = expression[:, start : start + _BLOCK].astype(float)
        place = slice(start, start + _BLOCK)
        if np.isnan(block).any():
            mean[place], variance[place] = _of_present(block, share)
        else:
            mean[place] = share @ block
            variance[place] = share @ np.square(block - mean[place])
    # A constant gene leaves a variance of rounding size; its scale would blow noise up.
    varies = np.flatnonzero(variance > 1e-12 * np.maximum(1.0, np.square(mean)))
    order = varies[np.argsort(-variance[varies], kind="stable")]
    genes = np.sort(order if n_genes is None else order[:n_genes])
    scale = np.sqrt(variance[genes])
    return Features(genes, mean[genes], scale if floor is None else np.maximum(scale, floor[genes]))


def _of_present(block: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of every column over the samples that have a value; 0 and 0 where none has."""
    present = ~np.isnan(block)
    total = np.maximum(share @ present, np.finfo(float).tiny)
    mean = share @ np.where(present, block, 0.0) / total
    return mean, share @ np.where(present, np.square(block - mean), 0.0) / total


def features_of(cohort, train: np.ndarray, n_genes: int, weights: np.ndarray | None = None) -> Features:
    """The features of a cohort on the training samples ``train`` (m,), as its kind of run chooses and scales them; else
    as of :func:`fit_features`."""
    own = kind_named(cohort.kind).part("train", "features", missing=None)(cohort, train, n_genes, weights)
    return fit_features(cohort.expression[train], n_genes, weights, floor_of(cohort)) if own is None else own


def floor_of(cohort) -> np.ndarray | None:
    """(genes,) least scale of each column of a cohort, of a kind of run that has one; else None."""
    return kind_named(cohort.kind).part("train", "scale_floor", missing=None)(cohort)


def row_space(x_train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotate training data into its own row space, without loss.

    Parameters
    ----------
    x_train : (n, p)

    Returns
    -------
    basis : (p, r) float64, orthonormal columns, strongest direction first; r = rank <= min(n, p)
    scores : (n, r) float64 with ``scores @ basis.T == x_train``; for other samples ``x @ basis``

    Notes
    -----
    A linear model with an L2 penalty on ``p`` genes is the same model on the ``r`` scores, so its cost no longer
    depends on the number of genes. Columns are signed so that their largest entry is positive: the same data give
    the same basis on every machine, up to rounding.
    """
    x = np.asarray(x_train, dtype=float)
    n, p = x.shape
    if x.size == 0:
        return np.empty((p, 0)), np.empty((n, 0))
    values, vectors = np.linalg.eigh(x @ x.T if n <= p else x.T @ x)
    values, vectors = values[::-1], vectors[:, ::-1]
    singular, keep = _spanned(values)
    basis = x.T @ (vectors[:, keep] / singular[keep]) if n <= p else np.ascontiguousarray(vectors[:, keep])
    basis = _signed(basis)
    return basis, x @ basis


def row_space_of_moments(values: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The basis (p, r) of :func:`row_space` of more samples than columns, from eigenvalues (p,), ascending, and
    eigenvectors (p, p) of the products of the columns."""
    keep = _spanned(values[::-1])[1]
    return _signed(np.ascontiguousarray(vectors[:, ::-1][:, keep]))


def _spanned(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values of eigenvalues (p,), largest first, and which of them are more than rounding."""
    singular = np.sqrt(np.maximum(values, 0.0))
    return singular, singular > _RANK_TOLERANCE * max(singular[0], np.finfo(float).tiny)


def _signed(basis: np.ndarray) -> np.ndarray:
    largest = np.abs(basis).argmax(axis=0)
    return basis * np.where(basis[largest, np.arange(basis.shape[1])] < 0, -1.0, 1.0)
