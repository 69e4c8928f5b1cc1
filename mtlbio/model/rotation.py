"""Where the axes start: principal components, rotated towards simple gene loadings.

A hard-shared encoder is identified only up to an invertible map. Rotating whitened scores so that the gene
loadings become simple picks one member of the family, and where loadings are leptokurtic (few genes matter, most
do not) it picks the true one (Rohe & Zeng 2023, JRSS-B 85:1037).
"""

import numpy as np

# Eigenvalues below this share of the largest are rounding.
_RANK_TOLERANCE = 1e-9


def principal_components(x: np.ndarray, n_axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Whitened scores and loadings of the leading components.

    Parameters
    ----------
    x : (n, p) standardised data
    n_axes : k; fewer come back where the rank of ``x`` is smaller

    Returns
    -------
    scores : (n, k), mean square 1 and uncorrelated
    loadings : (p, k), ``scores @ loadings.T`` is the best rank-k approximation of ``x``
    """
    n = len(x)
    if n <= x.shape[1]:
        _, vectors = np.linalg.eigh(x @ x.T)
        scores = vectors[:, ::-1][:, :n_axes] * np.sqrt(n)
    else:  # more samples than columns: the smaller product has the same components, as many as its rank
        values, vectors = np.linalg.eigh(x.T @ x)
        values, vectors = values[::-1][:n_axes], vectors[:, ::-1][:, :n_axes]
        spanned = values > _RANK_TOLERANCE * max(values[0], np.finfo(float).tiny)
        scores = x @ (vectors[:, spanned] / np.sqrt(values[spanned])) * np.sqrt(n)
    # the sign of an eigenvector is arbitrary and differs between BLAS builds
    loadings = x.T @ scores / n
    sign = np.sign((loadings**3).sum(axis=0))
    sign[sign == 0] = 1.0
    return scores * sign, loadings * sign


def principal_of_moments(values: np.ndarray, vectors: np.ndarray, n_axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Encoder (p, k) of the scores and loadings (p, k) of :func:`principal_components`, where nobody holds the rows.

    ``values`` (p,) and ``vectors`` (p, p): eigenvalues, ascending, of the mean products of the columns, as
    :func:`numpy.linalg.eigh` gives them.
    """
    values, vectors = values[::-1][:n_axes], vectors[:, ::-1][:, :n_axes]
    spanned = values > _RANK_TOLERANCE * max(values[0], np.finfo(float).tiny)
    values, vectors = values[spanned], vectors[:, spanned]
    sign = np.sign((vectors**3).sum(axis=0))
    vectors = vectors * np.where(sign == 0, 1.0, sign)
    return vectors / np.sqrt(values), vectors * np.sqrt(values)


def varimax(loadings: np.ndarray, iterations: int = 500, tolerance: float = 1e-7) -> np.ndarray:
    """Orthogonal rotation (k, k) that maximises the variance of the squared loadings (Kaiser 1958).

    ``loadings @ rotation`` are the rotated loadings, ``scores @ rotation`` the rotated scores.
    """
    rotation = np.eye(loadings.shape[1])
    before = 0.0
    for _ in range(iterations):
        rotated = loadings @ rotation
        left, singular, right = np.linalg.svd(loadings.T @ (rotated**3 - rotated * (rotated**2).mean(axis=0)))
        rotation = left @ right
        if singular.sum() < before * (1 + tolerance):
            break
        before = singular.sum()
    return rotation


def promax(loadings: np.ndarray, power: int = 3) -> np.ndarray:
    """Oblique rotation (k, k) towards the powered varimax loadings (Hendrickson & White 1964).

    ``loadings @ map`` is the pattern, ``scores @ inv(map).T`` the scores; the axes may correlate, which programmes
    that rise with age need.
    """
    rotation = varimax(loadings)
    simple = loadings @ rotation
    target = simple * np.abs(simple) ** (power - 1)
    oblique = np.linalg.lstsq(simple, target, rcond=None)[0]
    # scaled so that the rotated scores keep variance 1
    oblique = oblique * np.sqrt(np.diag(np.linalg.inv(oblique.T @ oblique)))
    return rotation @ oblique


def rotated_start(x: np.ndarray, n_axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, k) and loadings (p, k) of PCA + varimax + promax, scores of mean square 1."""
    scores, loadings = principal_components(x, n_axes)
    oblique = promax(loadings)
    scores, loadings = scores @ np.linalg.inv(oblique).T, loadings @ oblique
    size = np.sqrt((scores**2).mean(axis=0))
    return scores / size, loadings * size


def rotated_start_of_moments(
    second: np.ndarray, values: np.ndarray, vectors: np.ndarray, n_axes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Encoder (p, k) of the scores and loadings (p, k) of :func:`rotated_start`, from the mean products ``second``
    (p, p) of the columns and their eigenvalues and eigenvectors, as of :func:`principal_of_moments`."""
    encoder, loadings = principal_of_moments(values, vectors, n_axes)
    oblique = promax(loadings)
    encoder, loadings = encoder @ np.linalg.inv(oblique).T, loadings @ oblique
    size = np.sqrt(np.einsum("pk,pk->k", encoder, second @ encoder))
    return encoder / size, loadings * size
