"""The joint test of a label or covariate in several dimensions at once: does it follow *any* direction of them?

Every statistic here is the same for all invertible maps of the dimensions, so a plane is tested without choosing axes.
With T (n, c) under test, V (n, k) dimensions, both given the nuisance as in :class:`mtlbio.probing.inference.Contrast`:

- robust: the scores ``T'V`` over their HC3 (or donor-clustered) covariance, as Hotelling's T2 with its F distribution;
  for one dimension and one column it is the Wald test of that dimension;
- classical: Pillai's trace (for one column Hotelling's T2), where the robust covariance would have too many entries.
"""

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
    columns: np.ndarray, nuisance: Nuisance, units: Units, z: np.ndarray, permutations: int, seed: int
) -> Joint:
    """Test ``columns`` in all dimensions ``z`` at once.

    Parameters
    ----------
    columns : (units, c)
    z : (units, k)
    permutations : Freedman-Lane exchanges of whole rows within the nuisance's strata; where a donor (family) holds
        several units, the signs of whole donors (families) are flipped
    """
    k = z.shape[1]
    contrast = JointContrast(columns, nuisance, units, k)
    if not contrast.estimable:
        return Joint(np.nan, k, np.nan, np.nan, np.nan, np.full(k, np.nan))
    residual = contrast.residual_of_nuisance(z)
    f, df, df_error = float(contrast.joint(residual[:, None, :])[0]), contrast.joint_df, contrast.joint_df_error
    rng = np.random.default_rng([seed, permutations, len(units), k])
    null = contrast.exchanged(residual, contrast.joint, permutations, rng, residual.size * max(1, contrast.df))
    p = float(tail_probability(np.array([f]), null[:, None], df, df_error)[0])
    return Joint(f, df, df_error, float(stats.f.sf(f, df, df_error)), p, _direction(residual, contrast.u))


def _direction(residual: np.ndarray, u: np.ndarray) -> np.ndarray:
    """First canonical variate of ``residual`` (n, k) with orthonormal ``u`` (n, c)."""
    roots, vectors = np.linalg.eigh(residual.T @ residual)
    half = vectors / np.sqrt(np.maximum(roots, 1e-12 * roots[-1]))
    return half @ np.linalg.svd(half.T @ residual.T @ u)[0][:, 0]


class JointContrast(Contrast):
    """c columns tested in k dimensions: which statistic applies, and its degrees of freedom."""

    def __init__(self, columns: np.ndarray, nuisance: Nuisance, units: Units, k: int):
        super().__init__(columns, nuisance, units, robust=columns.shape[1] * k * ROBUST_DONORS <= units.clusters)
        self.s, c, free = min(self.df, k), self.df, self.df_error
        # robust: Hotelling's T2 of c k scores; classical: Pillai's trace (Pillai 1955, Ann. Math. Stat. 26:117)
        self.joint_df = c * k if self.robust else self.s * max(c, k)
        self.joint_df_error = free - self.joint_df + 1 if self.robust else self.s * (free + self.s - k)
        self.estimable = self.estimable and self.joint_df_error >= 4

    def joint(self, v: np.ndarray) -> np.ndarray:
        """F (m,) of v (n, m, k), with or without what the nuisance explains."""
        return self._hotelling(v) if self.robust else self._pillai(v)

    def _hotelling(self, v: np.ndarray) -> np.ndarray:
        n, m, k = v.shape
        flat = v.reshape(n, m * k)
        error = (flat - self.full @ (self.full.T @ flat)).reshape(n, m, 1, k)
        scores = (self.w[:, None, :, None] * error).reshape(n, m, -1)
        if self.starts is not None:
            scores = np.add.reduceat(scores, self.starts, axis=0)
        meat = np.einsum("gma,gmb->mab", scores, scores, optimize=True) * self.factor
        total = np.einsum("nc,nmk->mck", self.a, v, optimize=True).reshape(m, -1, 1)
        solved = np.linalg.pinv(meat, rcond=1e-12, hermitian=True) @ total
        t2 = (total * solved).sum(axis=(1, 2))
        return t2 * self.joint_df_error / (self.df_error * self.joint_df)

    def _pillai(self, v: np.ndarray) -> np.ndarray:
        n, m, k = v.shape
        hypothesis, nuisance = ((b.T @ v.reshape(n, m * k)).reshape(-1, m, k) for b in (self.u, self.nuisance.basis))
        both = np.einsum("nma,nmb->mab", v, v, optimize=True) - np.einsum("nma,nmb->mab", nuisance, nuisance)
        h = np.einsum("nma,nmb->mab", hypothesis, hypothesis, optimize=True)
        trace = np.einsum("mab,mba->m", h, np.linalg.pinv(both, rcond=1e-12, hermitian=True))
        return trace / np.maximum(self.s - trace, 1e-12) * self.joint_df_error / self.joint_df
