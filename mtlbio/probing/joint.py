"""The joint test of a label or covariate in several dimensions at once: does it follow *any* direction of them?

Every statistic here is the same for all invertible maps of the dimensions, so a plane is tested without choosing axes.
With T (n, c) under test, V (n, k) dimensions, both given the nuisance as in :class:`mtlbio.probing.inference.Contrast`:

- robust: the scores ``T'V`` over their HC3 (or donor-clustered) covariance, as Hotelling's T2 with its F distribution;
  for one dimension and one column it is the Wald test of that dimension;
- classical: Pillai's trace (for one column Hotelling's T2), where the robust covariance would have too many entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mtlbio.probing.design import Nuisance
from mtlbio.probing.inference import Contrast, tail_probability
from mtlbio.probing.units import Units

ROBUST_DONORS = 20  # donors per entry of the scores: with fewer the robust covariance is too uncertain


@dataclass(frozen=True)
class Joint:
    """Result of the test.

    Attributes
    ----------
    f, df, df_error : F statistic and its degrees of freedom
    p_wald, p_permutation : by the F distribution, and by exchange of the donors' residuals
    direction : (k,) weights of the dimensions whose sum follows the label most closely, given the nuisance
    """

    f: float
    df: int
    df_error: float
    p_wald: float
    p_permutation: float
    direction: np.ndarray

    @property
    def p(self) -> float:
        """The larger of the two, NaN where either is."""
        return float(np.maximum(self.p_wald, self.p_permutation))


def joint_test(
    columns: np.ndarray, given: Nuisance, units: Units, z: np.ndarray, permutations: int, seed: int
) -> Joint:
    """Test ``columns`` in all dimensions ``z`` at once.

    Parameters
    ----------
    columns : (units, c)
    z : (units, k)
    permutations : Freedman-Lane exchanges of whole rows within the nuisance's strata; where a donor holds several
        units, the signs of whole donors are flipped
    """
    form = _Form(columns, given, units, z.shape[1])
    if not form.estimable:
        return Joint(np.nan, z.shape[1], np.nan, np.nan, np.nan, np.full(z.shape[1], np.nan))
    residual = form.contrast.residual_of_nuisance(z)
    f = form.statistic(residual[:, None, :])
    rng = np.random.default_rng([seed, permutations, len(units), z.shape[1]])
    size = residual.size * max(1, form.contrast.df)
    null = form.contrast.exchanged(residual, form.statistic, permutations, rng, size)[:, None]
    return Joint(
        float(f[0]),
        form.df,
        form.df_error,
        float(stats.f.sf(f[0], form.df, form.df_error)),
        float(tail_probability(f, null, form.df, form.df_error)[0]),
        _direction(residual, form.contrast.u),
    )


def _direction(residual: np.ndarray, u: np.ndarray) -> np.ndarray:
    """First canonical variate of ``residual`` (n, k) with orthonormal ``u`` (n, c)."""
    roots, vectors = np.linalg.eigh(residual.T @ residual)
    half = vectors / np.sqrt(np.maximum(roots, 1e-12 * roots[-1]))
    return half @ np.linalg.svd(half.T @ residual.T @ u)[0][:, 0]


class _Form:
    """Which statistic applies, and its degrees of freedom; c columns, k dimensions."""

    def __init__(self, columns: np.ndarray, given: Nuisance, units: Units, k: int):
        entries = columns.shape[1] * k
        robust = entries * ROBUST_DONORS <= units.donors
        self.contrast = contrast = Contrast(columns, given, units, robust)
        self.robust, c, free = robust, contrast.df, contrast.df_error
        s = min(c, k)
        # robust: Hotelling's T2 of c k scores; classical: Pillai's trace (Pillai 1955, Ann. Math. Stat. 26:117)
        self.df = c * k if robust else s * max(c, k)
        self.df_error = free - self.df + 1 if robust else s * (free + s - k)
        self.s, self.free = s, free
        self.estimable = contrast.estimable and self.df_error >= 4

    def statistic(self, v: np.ndarray) -> np.ndarray:
        """F (m,) of v (n, m, k), with or without what the nuisance explains."""
        return self._hotelling(v) if self.robust else self._pillai(v)

    def _hotelling(self, v: np.ndarray) -> np.ndarray:
        n, m, k = v.shape
        contrast, flat = self.contrast, v.reshape(n, m * k)
        error = (flat - contrast.full @ (contrast.full.T @ flat)).reshape(n, m, 1, k)
        scores = (contrast.w[:, None, :, None] * error).reshape(n, m, -1)
        if contrast.starts is not None:
            scores = np.add.reduceat(scores, contrast.starts, axis=0)
        meat = np.einsum("gma,gmb->mab", scores, scores, optimize=True) * contrast.factor
        total = np.einsum("nc,nmk->mck", contrast.a, v, optimize=True).reshape(m, -1, 1)
        solved = np.linalg.pinv(meat, rcond=1e-12, hermitian=True) @ total
        t2 = (total * solved).sum(axis=(1, 2))
        return t2 * self.df_error / (self.free * self.df)

    def _pillai(self, v: np.ndarray) -> np.ndarray:
        n, m, k = v.shape
        contrast, flat = self.contrast, v.reshape(n, m * k)
        hypothesis = (contrast.u.T @ flat).reshape(-1, m, k)
        nuisance = (contrast.nuisance.basis.T @ flat).reshape(-1, m, k)
        both = np.einsum("nma,nmb->mab", v, v, optimize=True) - np.einsum("nma,nmb->mab", nuisance, nuisance)
        h = np.einsum("nma,nmb->mab", hypothesis, hypothesis, optimize=True)
        trace = np.einsum("mab,mba->m", h, np.linalg.pinv(both, rcond=1e-12, hermitian=True))
        return trace / np.maximum(self.s - trace, 1e-12) * self.df_error / self.df
