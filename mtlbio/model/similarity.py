"""How alike two sets of latents (n, k) and (n, m) of the same samples are, whatever axes they are written in."""

import numpy as np


def linear_cka(a: np.ndarray, b: np.ndarray) -> float:
    """Linear centred kernel alignment, 0-1 (Kornblith et al. 2019, ICML, eq. 5).

    ``|B'A|^2 / (|A'A| |B'B|)`` in Frobenius norms of the centred latents. Unchanged by a rotation, a shift and a common
    scale of either set, but not by stretching single directions: the directions of large variance count. NaN where
    either set is constant.

    Raises
    ------
    ValueError
        The sets differ in their number of samples.
    """
    a, b = _centred(a, b)
    norms = np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)
    return float(np.square(np.linalg.norm(b.T @ a)) / norms) if norms > 0 else float("nan")


def canonical_correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Canonical correlations, the largest first (Bjorck & Golub 1973, Math. Comp. 27:579).

    The cosines of the angles between the spaces that the centred columns span, hence unchanged by any invertible map of
    either set: (min(k, m),) 0-1; directions that a set does not span, because its columns depend on each other, are 0.

    Raises
    ------
    ValueError
        The sets differ in their number of samples.
    """
    a, b = _centred(a, b)
    correlations = np.zeros(min(a.shape[1], b.shape[1]))
    cosines = np.linalg.svd(_span(a).T @ _span(b), compute_uv=False)
    correlations[: len(cosines)] = np.clip(cosines, 0.0, 1.0)
    return correlations


def svcca(a: np.ndarray, b: np.ndarray, share: float = 0.99) -> float:
    """Mean canonical correlation, 0-1, of the leading principal components (SVCCA, Raghu et al. 2017, NeurIPS).

    The components keep a ``share`` of the variance of each set; 1 is plain CCA. NaN where either set is constant.
    """
    a, b = _centred(a, b)
    a, b = _leading(a, share), _leading(b, share)
    if not (a.shape[1] and b.shape[1]):
        return float("nan")
    return float(canonical_correlations(a, b).mean())


def _centred(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(a) != len(b):
        raise ValueError(f"latents of the same samples: found {len(a)} and {len(b)}; valid: equal numbers")
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a - a.mean(axis=0), b - b.mean(axis=0)


def _span(x: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the columns, whatever their scales."""
    size = np.linalg.norm(x, axis=0)
    u, s, _ = np.linalg.svd(x[:, size > 0] / size[size > 0], full_matrices=False)
    return u[:, s > 1e-10 * s.max(initial=0.0)]


def _leading(x: np.ndarray, share: float) -> np.ndarray:
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    total = np.square(s).sum()
    if total == 0:
        return u[:, :0]
    components = int(np.searchsorted(np.cumsum(np.square(s)) / total, share - 1e-12)) + 1
    return (u * s)[:, :components]
