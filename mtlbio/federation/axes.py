"""Axes from the products of columns alone: principal ones, and the gene-sparse ones of mtlbio.

Both need nothing of the samples but the second moments of the standardised columns. What needs rows is how many axes
there are (parallel analysis exchanges the values of donors), so their number is given.
"""

import numpy as np

from mtlbio.model.axes import sparse_axes_of_moments
from mtlbio.model.rotation import promax

_RANK_TOLERANCE = 1e-9  # of the largest eigenvalue


def principal_axes(second: np.ndarray, n_axes: int) -> np.ndarray:
    """(p, k) orthonormal directions of most variance, strongest first; fewer where the rank is smaller.

    ``second`` (p, p): mean products of the columns. Signed as :func:`mtlbio.model.rotation.principal_components` does.
    """
    values, vectors = np.linalg.eigh(second)
    values, vectors = values[::-1][:n_axes], vectors[:, ::-1][:, :n_axes]
    axes = vectors[:, values > _RANK_TOLERANCE * max(values[0], np.finfo(float).tiny)]
    sign = np.sign((axes**3).sum(axis=0))
    return axes * np.where(sign == 0, 1.0, sign)


def sparse_encoder(second: np.ndarray, n: float, n_axes: int, sparsity: float) -> np.ndarray:
    """(p, k) encoder of :func:`mtlbio.model.axes.sparse_axes`, started as from rows; ``n``: how many donors."""
    axes = principal_axes(second, n_axes)
    size = np.sqrt(np.einsum("pk,pq,qk->k", axes, second, axes))
    oblique = promax(axes * size)
    encoder, loadings = (axes / size) @ np.linalg.inv(oblique).T, (axes * size) @ oblique
    spread = np.sqrt(np.einsum("pk,pq,qk->k", encoder, second, encoder))
    return sparse_axes_of_moments(second, n, (encoder / spread, loadings * spread), sparsity).encoder
