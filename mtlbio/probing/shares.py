"""How much of a dimension's variance belongs to a covariate: 0-1, corrected for the number of its levels.

The share is the variance of the covariate's fitted part over the variance of the dimension, with the coefficients
estimated given the nuisance. In an orthogonal design it is exactly epsilon squared, (SS - df s2) / SStotal (Kelley
1935); unlike the partial R2 it does not grow when *other* things explain the dimension well, and unlike the increment
in R2 it does not shrink when the covariate is correlated with the nuisance.
"""

import numpy as np

from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.units import Units

# variance of its worst direction that the nuisance must leave of a spline (False) and of a factor (True)
_LEFT = {False: 0.05, True: 0.15}


def share(
    z: np.ndarray, columns: np.ndarray, categorical: bool, nuisance: Nuisance, units: Units, clip: bool = True
) -> np.ndarray:
    """Bias-corrected share of the variance of every dimension.

    Parameters
    ----------
    z : (units, D)
    columns : (units, k) the covariate; all indicators of a factor, or the spline of a continuous covariate
    categorical : whether the covariate is a factor. Where the nuisance leaves too little of some of its directions
        (100 chips nested in donors) the levels are treated as a variance component, estimated by fitting constants
        (Henderson 1953, method III), which needs no inverse but takes the levels for exchangeable: with four batches
        of which two hold the cases it put the share of a pure batch dimension at .55
    nuisance : what the coefficients are given; with ``units.within`` they come from comparisons within donors, and the
        variance is still that of all samples
    clip : to 0-1; unclipped the estimate is a ratio of quadratic forms, which :func:`block_share` needs

    Returns
    -------
    (D,); NaN where next to nothing of the covariate is left given the nuisance
    """
    # orthonormal directions of the covariate: of k indicators, k - 1
    directions = orthonormal(columns - columns.mean(axis=0))
    a = nuisance.residual(units.centre(directions))
    left, spread = np.square(a).sum(), max(directions.shape[1], 1)
    u = orthonormal(a) if left > 0.02 * spread else np.zeros((len(units), 0))
    freedom = len(units) - nuisance.rank - u.shape[1]
    if u.shape[1] == 0 or freedom < 4:
        return np.full(z.shape[1], np.nan)
    residual = nuisance.residual(units.centre(z))
    explained = np.square(u.T @ residual).sum(axis=0)
    noise = (np.square(residual).sum(axis=0) - explained) / freedom
    total = np.square(z - z.mean(axis=0)).sum(axis=0)
    gram = a.T @ a
    if np.linalg.eigvalsh(gram)[0] < _LEFT[categorical]:
        chance = _chance(u, u, residual, units, freedom) if units.families else u.shape[1] * noise
        part = (explained - chance) * spread / left
    else:
        inverse = np.linalg.inv(gram)
        chance = _chance(a @ inverse, u, residual, units, freedom) if units.families else noise * np.trace(inverse)
        part = np.square(inverse @ (a.T @ residual)).sum(axis=0) - chance
    ratio = part / np.where(total > 0, total, np.inf)
    return np.clip(ratio, 0.0, 1.0) if clip else ratio


def _chance(weights: np.ndarray, u: np.ndarray, residual: np.ndarray, units: Units, freedom: int) -> np.ndarray:
    """(D,) what ``sum of (weights'z)^2`` is by chance where errors go together in families: its sandwich estimate.

    ``weights``: (units, k); ``residual``: (units, D) of the nuisance, from which the fit on ``u`` (units, r) is still
    to be taken; ``freedom``: of what is left then.
    """
    error = residual - u @ (u.T @ residual)
    squares = [np.square(units.summed(column[:, None] * error)).sum(axis=0) for column in weights.T]
    return np.sum(squares, axis=0) * len(units) / freedom


def block_share(
    z: np.ndarray, columns: np.ndarray, categorical: bool, nuisance: Nuisance, units: Units
) -> tuple[float, float]:
    """Share of the variance of a block of dimensions (units, k), the same for every invertible map of them.

    Returns
    -------
    mean : over the directions of the block, each with variance 1: the share of the block as a whole
    peak : of the direction that the covariate explains best. A factor of two levels can fill one direction of a plane,
        so ``mean`` stops at a half where ``peak`` reaches 1
    """
    k = z.shape[1]
    roots, vectors = np.linalg.eigh(np.atleast_2d(np.cov(z, rowvar=False)))
    if roots[0] <= 1e-9 * roots[-1]:
        return float("nan"), float("nan")
    white = z @ (vectors / np.sqrt(roots))
    # with variance 1 in all directions the share of direction w is w'Mw; M follows from its values on e_i and e_i + e_j
    first, second = np.triu_indices(k, 1)
    each = share(white, columns, categorical, nuisance, units, clip=False)
    pairs = share(white[:, first] + white[:, second], columns, categorical, nuisance, units, clip=False)
    form = np.diag(each)
    form[first, second] = form[second, first] = pairs - (each[first] + each[second]) / 2
    if np.isnan(form).any():
        return float("nan"), float("nan")
    peak = np.linalg.eigvalsh(form)[-1]
    return float(np.clip(each.mean(), 0.0, 1.0)), float(np.clip(peak, 0.0, 1.0))
