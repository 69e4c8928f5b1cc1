"""How much of a dimension's variance belongs to a covariate: 0-1, corrected for the number of its levels.

The share is the variance of the covariate's fitted part over the variance of the dimension, with the coefficients
estimated given the nuisance. In an orthogonal design it is exactly epsilon squared, (SS - df s2) / SStotal (Kelley
1935); unlike the partial R2 it does not grow when *other* things explain the dimension well, and unlike the increment
in R2 it does not shrink when the covariate is correlated with the nuisance.
"""

from __future__ import annotations

import numpy as np

from mtlbio.probing.design import Nuisance, Units, orthonormal


def share(z: np.ndarray, columns: np.ndarray, categorical: bool, nuisance: Nuisance, units: Units) -> np.ndarray:
    """Bias-corrected share of the variance of every dimension.

    Parameters
    ----------
    z : (units, D)
    columns : (units, k) the covariate; all indicators of a factor, or the spline of a continuous covariate
    categorical : factors are treated as a variance component estimated by fitting constants (Henderson 1953, method
        III), which needs no inverse and so survives 100 levels nested in donors; splines by their coefficients
    nuisance : what the coefficients are given; with ``units.within`` they come from comparisons within donors, and the
        variance is still that of all samples

    Returns
    -------
    (D,) in 0-1; NaN where next to nothing of the covariate is left given the nuisance
    """
    centred = columns - columns.mean(axis=0)
    tested = units.centre(columns)
    a = tested - nuisance.basis @ (nuisance.basis.T @ tested)
    spread = np.square(centred).sum()
    u = orthonormal(a) if np.square(a).sum() > 0.02 * spread else np.zeros((len(units), 0))
    freedom = len(units) - nuisance.rank - u.shape[1]
    if u.shape[1] == 0 or freedom < 4:
        return np.full(z.shape[1], np.nan)
    within = units.centre(z)
    residual = within - nuisance.basis @ (nuisance.basis.T @ within)
    explained = np.square(u.T @ residual).sum(axis=0)
    noise = (np.square(residual).sum(axis=0) - explained) / freedom
    total = np.square(z - z.mean(axis=0)).sum(axis=0)
    if categorical or not _well_conditioned(a, centred):
        part = (explained - u.shape[1] * noise) * spread / np.square(a).sum()
    else:
        inverse = np.linalg.inv(a.T @ a)
        fitted = centred @ (inverse @ (a.T @ residual))
        part = np.square(fitted).sum(axis=0) - noise * np.trace(inverse @ (centred.T @ centred))
    return np.clip(part / np.where(total > 0, total, np.inf), 0.0, 1.0)


def _well_conditioned(a: np.ndarray, centred: np.ndarray) -> bool:
    """Whether every direction of the covariate keeps a twentieth of its variance given the nuisance."""
    s_total, basis = np.linalg.eigh(centred.T @ centred)
    if s_total[0] < 1e-8 * s_total[-1]:
        return False
    half = basis / np.sqrt(s_total)
    return bool(np.linalg.eigvalsh(half.T @ (a.T @ a) @ half)[0] > 0.05)
