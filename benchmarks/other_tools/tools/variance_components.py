"""The model of variancePartition on components: age fixed, batch, disease and sex random, by maximum likelihood.

variancePartition (Hoffman & Schadt 2016, BMC Bioinformatics 17:483) fits ``~ age + (1|batch) + (1|disease) + (1|sex)``
with lme4 by maximum likelihood, not REML, so that fixed and random terms are on one scale, and divides every variance
by their sum. Here it is fitted to components instead of genes. The profiled likelihood is that of lme4 (Bates et al.
2015, J. Stat. Softw. 67:1, section 3); tests compare it with statsmodels' ``MixedLM``.

The package sets no threshold at which a share names a gene's driver, so several are read. It does ask its users to
look at ``canCorPairs`` first and calls terms redundant above .99: where disease and batch are, a component that either
dominates is ``not_identifiable``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from benchmarks.other_tools.tools.associations import components
from benchmarks.other_tools.tools.labels import CATEGORICAL, Read, known, read_shares

REDUNDANT = 0.99
_STARTS = (1.0, 0.2)  # two, because the profile can have a second optimum on the border


def variance_shares(z: np.ndarray, fixed: pd.DataFrame, random: pd.DataFrame) -> pd.Series:
    """Shares of variance of one component, terms and ``residual``; they add up to 1.

    Parameters
    ----------
    z : (n,)
    fixed : (n, terms) numbers
    random : (n, terms) categories, one random intercept per level
    """
    n = len(z)
    x = np.column_stack([np.ones(n), fixed.to_numpy(dtype=float)])
    centre, spread = x[:, 1:].mean(axis=0), x[:, 1:].std(axis=0)
    x[:, 1:] = (x[:, 1:] - centre) / spread
    blocks = [pd.get_dummies(random[c]).to_numpy(dtype=float) for c in random]
    levels = np.concatenate(blocks, axis=1)
    term = np.repeat(np.arange(len(blocks)), [b.shape[1] for b in blocks])
    cross, right = levels.T @ levels, np.column_stack([levels.T @ x, levels.T @ z])
    products = np.column_stack([x, z]).T @ np.column_stack([x, z])
    k = x.shape[1]

    def fit(theta: np.ndarray) -> tuple[float, np.ndarray, float]:
        """(deviance, coefficients, residual variance) at relative standard deviations ``theta``."""
        scale = theta[term]
        inner = scale[:, None] * cross * scale + np.eye(len(scale))
        lower = np.linalg.cholesky(inner)
        half = np.linalg.solve(lower, scale[:, None] * right)
        reduced = products - half.T @ half  # [x z]' V^-1 [x z], V in units of the residual variance
        beta = np.linalg.solve(reduced[:k, :k], reduced[:k, k])
        residual = max(reduced[k, k] - beta @ reduced[:k, k], 1e-300) / n
        return 2 * np.log(np.diag(lower)).sum() + n * (1 + np.log(2 * np.pi * residual)), beta, residual

    found = [
        minimize(lambda t: fit(t)[0], np.full(len(blocks), start), bounds=[(0, 1e3)] * len(blocks), method="L-BFGS-B")
        for start in _STARTS
    ]
    theta = min(found, key=lambda f: f.fun).x
    _, beta, residual = fit(theta)
    variance = dict(zip(random, theta**2 * residual, strict=True))
    effects = x[:, 1:] * beta[1:]
    alone, together = effects.var(axis=0), effects.sum(axis=1).var()
    variance |= dict(zip(fixed, alone * together / max(alone.sum(), 1e-300), strict=True))
    variance["residual"] = residual
    shares = pd.Series(variance)
    return shares / shares.sum()


def canonical_correlation(a: pd.Series, b: pd.Series) -> float:
    """Canonical correlation of two categorical columns, 0-1 (``canCorPairs``; 1: one is known from the other)."""
    table = pd.crosstab(a, b).to_numpy(dtype=float)
    scaled = table / np.sqrt(np.outer(table.sum(axis=1), table.sum(axis=0)))
    return float(np.linalg.svd(scaled, compute_uv=False)[1])


def variance_partition(x: np.ndarray, obs: pd.DataFrame, seed: int) -> Read:
    """Principal components, each by the largest share of its variance; the response, known for some cases only, is not
    a term, as the model takes complete rows."""
    z = components(x, seed)
    columns = [c for c in known(obs) if c != "response"]
    random = obs[[c for c in columns if c in CATEGORICAL]]
    fixed = obs[[c for c in columns if c not in CATEGORICAL]]
    shares = pd.DataFrame([variance_shares(own, fixed, random) for own in z.T])
    redundant = canonical_correlation(obs["disease"], obs["batch"]) > REDUNDANT
    return Read(z, read_shares(shares[columns], redundant))
