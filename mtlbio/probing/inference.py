"""The statistics of the trial, for all dimensions at once: robust Wald test and randomisation test.

Notation: Z (n, D) latents of the units, T (n, k) columns under test, Q (n, r) orthonormal nuisance columns. By Frisch,
Waugh and Lovell the coefficients of T are those of the residual A = (I - QQ')T, so no fit is ever repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.units import Units

ROBUST_COLUMNS = 5  # HC3 with more tested columns than this is unreliable at donor scale: classical F instead
_CHUNK = 2_000_000  # numbers per block of the permutation loop: what fits the cache
LEAST_CLUSTERS = 5  # donors, or families, below which nothing is tested
_LEAST_FREEDOM = 4
# Families beyond the columns that are tested, with more than ``ROBUST_COLUMNS``: with one family more than columns 12 %
# of the null tests of a factor that runs in families were below .05, with three hardly any.
_BESIDE_COLUMNS = 3


@dataclass(frozen=True)
class Wald:
    """Test of T in every dimension.

    Attributes
    ----------
    coefficients : (k, D) in the units of Z per column of T; NaN where T is aliased with the nuisance
    se : (k, D) robust standard errors
    f : (D,) statistic; with k = 1 the squared t
    df : tested columns that are not aliased, (D,) where dimensions were tested in different ways
    df_error : degrees of freedom of the denominator
    p : (D,)
    """

    coefficients: np.ndarray
    se: np.ndarray
    f: np.ndarray
    df: int | np.ndarray
    df_error: float
    p: np.ndarray

    @property
    def t(self) -> np.ndarray:
        """(D,) signed t of a single column."""
        return self.coefficients[0] / self.se[0]


class Contrast:
    """T given the nuisance: everything that does not depend on Z, computed once.

    The covariance is HC3 (MacKinnon & White 1985): residuals divided by 1 - leverage. Where a donor holds several
    units it is its cluster form, the jackknife over donors CV3 (Bell & McCaffrey 2002, with the factor (G-1)/G), and
    the denominator has G - 1 degrees of freedom. Families are clusters likewise; as they may be few and of very
    different size, the denominator has Satterthwaite's degrees of freedom for units that are alike
    (:func:`satterthwaite`), G - 1 at most. For more than five columns: the classical F. With families its denominator
    is what they say of the variance of the columns together, the trace of that jackknife covariance, with
    Satterthwaite's degrees of freedom.
    """

    def __init__(self, columns: np.ndarray, nuisance: Nuisance, units: Units, robust: bool | None = None):
        tested = units.centre(columns)
        residual = nuisance.residual(tested)
        # a column that the nuisance explains but for rounding cannot be tested
        keep = np.linalg.norm(residual, axis=0) > 1e-5 * np.maximum(np.linalg.norm(tested, axis=0), 1e-300)
        self.nuisance, self.units = nuisance, units
        self.u = orthonormal(residual[:, keep])
        self.df = self.u.shape[1]
        self.k = columns.shape[1]
        self.full_rank = self.df == self.k
        self.a = residual if self.full_rank else self.u
        self.df_residual = len(units) - nuisance.rank - self.df
        self.estimable = self.df > 0 and self.df_residual >= _LEAST_FREEDOM and units.clusters >= LEAST_CLUSTERS
        self.robust = (self.df <= ROBUST_COLUMNS) if robust is None else robust
        # Of the classical F of a factor that runs in few families half of all null tests are below .05, of its flips up
        # to a third: the residuals that ten families leave beside nine columns are not alike.
        self.traced = robust is None and not self.robust and units.families
        if self.traced and units.clusters - self.df < _BESIDE_COLUMNS:
            self.estimable = False
        self.df_error = float(units.clusters - 1 if units.clustered and self.robust else self.df_residual)
        if not self.estimable:
            return
        self.full = np.column_stack([nuisance.basis, self.u])
        self.inverse = np.linalg.inv(self.a.T @ self.a)
        if self.traced:
            self.a, self.inverse = self.u, np.eye(self.df)
        if self.robust or self.traced:
            self._weights()

    def _weights(self) -> None:
        if not self.units.clustered:
            free = 1 - np.square(self.full).sum(axis=1)
            self.w = np.where(free[:, None] > 1e-8, self.a / np.maximum(free, 1e-8)[:, None], 0.0)
            self.starts, self.factor = None, 1.0
            # the covariance is linear in the squared residuals: one product serves all columns
            first, second = np.triu_indices(self.df)
            pull = self.w @ self.inverse
            self.pairs = pull[:, first] * pull[:, second]
            self.place = np.zeros((self.df, self.df), dtype=int)
            self.place[first, second] = self.place[second, first] = np.arange(len(first))
            return
        # rows are sorted by cluster: score of cluster g = a_g' (I - H_gg)^-1 u_g = w_g' u_g
        self.starts = np.flatnonzero(np.diff(self.units.cluster, prepend=-1))
        self.w = np.empty_like(self.a)
        for rows in np.split(np.arange(len(self.units)), self.starts[1:]):
            block = np.eye(len(rows)) - self.full[rows] @ self.full[rows].T
            self.w[rows] = np.linalg.pinv(block, rcond=1e-8, hermitian=True) @ self.a[rows]
        self.factor = 1 - 1 / self.units.clusters
        if self.traced:
            self.df_error = min(self.df_error, satterthwaite(self.w, self.full, self.units))
        elif self.units.families:
            each = (satterthwaite(column[:, None], self.full, self.units) for column in self.w.T)
            self.df_error = min(self.df_error, *each)

    def residual_of_nuisance(self, z: np.ndarray) -> np.ndarray:
        """(n, D) what the nuisance leaves of the latents."""
        return self.nuisance.residual(self.units.centre(z))

    def _meat(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (k, m) and their robust covariance (m, k, k) for columns v (n, m)."""
        beta = self.inverse @ (self.a.T @ v)
        error = v - self.full @ (self.full.T @ v)
        if self.starts is None:
            covariance = self.pairs.T @ np.square(error, out=error)
            return beta, np.moveaxis(covariance[self.place], 2, 0)
        scores = np.add.reduceat(self.w.T[:, :, None] * error[None], self.starts, axis=1)
        meat = np.einsum("agm,bgm->mab", scores, scores, optimize=True) * self.factor
        return beta, self.inverse @ meat @ self.inverse

    def statistic(self, v: np.ndarray) -> np.ndarray:
        """F of every column of v (n, m), nuisance already removed or not: it makes no difference."""
        if self.traced and self.starts is not None:
            error = v - self.full @ (self.full.T @ v)
            spread = [np.square(np.add.reduceat(w[:, None] * error, self.starts)).sum(axis=0) for w in self.w.T]
            return np.square(self.u.T @ v).sum(axis=0) / np.maximum(self.factor * sum(spread), 1e-300)
        if not self.robust:
            explained = np.square(self.u.T @ v).sum(axis=0)
            left = np.square(v).sum(axis=0) - np.square(self.full.T @ v).sum(axis=0)
            return (explained / self.df) / np.maximum(left / self.df_residual, 1e-300)
        return self._quadratic(*self._meat(v))

    def wald(self, z: np.ndarray) -> Wald:
        """The test in every dimension; z (n, D)."""
        gap = np.full((self.k, z.shape[1]), np.nan)
        if not self.estimable:
            return Wald(gap, gap, gap[0], self.df, np.nan, gap[0])
        v = self.residual_of_nuisance(z)
        f, coefficients, se = self.statistic(v), gap, gap
        if self.full_rank and self.robust:
            coefficients, covariance = self._meat(v)
            se = np.sqrt(np.einsum("mkk->km", covariance))
        return Wald(coefficients, se, f, self.df, self.df_error, stats.f.sf(f, self.df, self.df_error))

    def randomisation(self, z: np.ndarray, permutations: int, seed: int) -> np.ndarray:
        """p (D,) by exchange of the residuals that the nuisance leaves (Freedman & Lane 1983), statistic as above.

        Units that are donors are permuted within the nuisance's strata. Where a donor holds several units, the signs
        of whole donors are flipped: under the null the donor's residuals are as likely as their mirror image, whatever
        their dependence (the restricted wild cluster bootstrap of Cameron, Gelbach & Miller 2008; with two states per
        donor it swaps the states). So are those of whole families. For the classical F within donors, samples are
        permuted within the donor. The same exchanges serve all dimensions.
        """
        if not self.estimable:
            return np.full(z.shape[1], np.nan)
        residual = self.residual_of_nuisance(z)
        rng = np.random.default_rng([seed, permutations, len(self.units)])

        def statistic(v: np.ndarray) -> np.ndarray:
            return self.statistic(v.reshape(len(v), -1)).reshape(v.shape[1:])

        null = self.exchanged(residual, statistic, permutations, rng, residual.size)
        return tail_probability(self.statistic(residual), null, self.df, self.df_error)

    def exchanged(
        self, residual: np.ndarray, statistic: Callable, permutations: int, rng: np.random.Generator, size: int
    ) -> np.ndarray:
        """(permutations, ...) a statistic of residuals (n, D) that are exchanged as :meth:`randomisation` says.

        ``statistic`` maps (n, draws, D) to (draws, ...); ``size``: the numbers per draw that it works on.
        """
        flip = self.units.clustered and (self.robust or self.units.families)
        strata = self.units.cluster if self.units.clustered else self.nuisance.strata
        step, values = max(1, _CHUNK // size), []
        for start in range(0, permutations, step):
            draws = min(step, permutations - start)
            if flip:
                signs = rng.choice([-1.0, 1.0], size=(self.units.clusters, draws))[self.units.cluster]
                values.append(statistic(signs[:, :, None] * residual[:, None, :]))
            else:
                values.append(statistic(residual[exchanges(strata, draws, rng).T]))
        return np.concatenate(values)

    def flipped(self, residual: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """F (draws,) of one dimension whose donors' (families') residuals change their signs; statistic as above.

        Everything that the statistic needs is linear in the signs, so units are summed per cluster once.

        Parameters
        ----------
        residual : (n,) what the nuisance leaves of the latents
        signs : (clusters, draws) 1 or -1, in the order of the units' clusters
        """
        summed = self.units.summed
        fitted = summed(self.full * residual[:, None]).T @ signs
        out = np.empty(signs.shape[1])
        if not self.robust and not self.traced:
            explained = np.square(summed(self.u * residual[:, None]).T @ signs).sum(axis=0)
            left = np.square(residual).sum() - np.square(fitted).sum(axis=0)
            return (explained / self.df) / np.maximum(left / self.df_residual, 1e-300)
        beta = self.inverse @ (summed(self.a * residual[:, None]).T @ signs)
        score = summed(self.w * residual[:, None])
        pull = summed(self.w[:, :, None] * self.full[:, None, :])
        step = max(1, _CHUNK // score.size)
        for start in range(0, len(out), step):
            part = slice(start, start + step)
            # (donors, k, draws)
            scores = score[:, :, None] * signs[:, None, part] - pull @ fitted[:, part]
            if self.traced:
                spread = self.factor * np.square(scores).sum(axis=(0, 1))
                out[part] = np.square(beta[:, part]).sum(axis=0) / np.maximum(spread, 1e-300)
                continue
            meat = np.einsum("gam,gbm->mab", scores, scores, optimize=True) * self.factor
            covariance = self.inverse @ meat @ self.inverse
            out[part] = self._quadratic(beta[:, part], covariance)
        return out

    def _quadratic(self, beta: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """F (m,) of coefficients (k, m) with covariance (m, k, k)."""
        if self.df == 1:
            return np.square(beta[0]) / np.maximum(covariance[:, 0, 0], 1e-300)
        solved = np.linalg.solve(covariance + 1e-300 * np.eye(self.df), beta.T[:, :, None])[:, :, 0]
        return np.einsum("mk,km->m", solved, beta) / self.df


def satterthwaite(w: np.ndarray, full: np.ndarray, units: Units) -> float:
    """Satterthwaite's degrees of freedom of the jackknife variance of coefficients together (the trace).

    The variance is a sum over clusters and columns of (w_g' M e)^2, with M = I - FF' for the whole design F. For
    independent errors of one variance its mean and variance follow from S = W'MW, W holding the w_g of all clusters:
    (tr S)^2 / tr S^2 (Bell & McCaffrey 2002, Survey Methodology 28:169; Imbens & Kolesar 2016, Rev. Econ. Stat.
    98:701).

    ``w``: (units, k); ``full``: (units, r) orthonormal.
    """
    own = units.summed(w[:, :, None] * w[:, None, :])  # (G, k, k)
    common = units.summed(w[:, :, None] * full[:, None, :])  # (G, k, r)
    shared = np.einsum("gkr,glr->gkl", common, common)
    trace = np.einsum("gkk->", own) - np.square(common).sum()
    flat = common.reshape(-1, full.shape[1])
    crossed = np.square(own).sum() - 2 * (own * shared).sum() + np.square(flat.T @ flat).sum()
    return float(trace**2 / max(crossed, 1e-300))


def exchanges(strata: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Permutations (draws, n) that only move units within their stratum."""
    places = np.argsort(strata, kind="stable")
    order = np.argsort(strata[None, :] + rng.random((draws, len(strata))), axis=1)
    out = np.empty_like(order)
    out[:, places] = order
    return out


def tail_probability(observed: np.ndarray, null: np.ndarray, df: int, df_error: float) -> np.ndarray:
    """p of F statistics (D,) under their randomisation values (draws, D).

    (1 + exceedances) / (1 + draws); with fewer than ten exceedances the tail beyond the drawn values is that of the F
    distribution stretched to the drawn 95 % point, never above the counted bound (after Knijnenburg et al. 2009, with
    F for the generalised Pareto tail). Otherwise 999 draws could not pass BH over 60 dimensions, nor eight paired
    donors, whose 256 arrangements contain the observed one twice: such ties do not count as exceedances.
    """
    draws = len(null)
    counted = (1 + (null >= observed[None, :] * (1 - 1e-10)).sum(axis=0)) / (1 + draws)
    count = (null > observed[None, :] * (1 + 1e-10)).sum(axis=0)
    stretch = np.quantile(null, 0.95, axis=0) / stats.f.isf(0.05, df, df_error)
    extended = stats.f.sf(observed / np.maximum(stretch, 1e-300), df, df_error)
    return np.where(count < 10, np.clip(extended, 1e-300, np.maximum(counted, 11 / (1 + draws))), counted)


def variance_inflation(columns: np.ndarray, basis: np.ndarray) -> float:
    """1 / (1 - R2) of the worst of ``columns`` (n, k) on the nuisance ``basis`` (with intercept); inf if aliased."""
    centred = columns - columns.mean(axis=0)
    total = np.square(centred).sum(axis=0)
    left = np.square(centred - basis @ (basis.T @ centred)).sum(axis=0)
    if not (total > 0).any():
        return float("inf")
    tolerance = (left / np.where(total > 0, total, 1.0))[total > 0]
    return float("inf") if tolerance.min() < 1e-9 else float(1 / tolerance.min())
