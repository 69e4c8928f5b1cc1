"""Effects of several sites put together: pooled, how much they differ, and where the effect of a new site may lie."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95  # of every interval


@dataclass(frozen=True)
class Pooled:
    """What k sites say together.

    Attributes
    ----------
    effect, ci_low, ci_high : of the average site (random effects), in the units of the effects; NaN without an effect,
        the interval NaN with one
    weights : (k,) of the sites in it, sum 1
    q, df : Cochran's Q and its degrees of freedom k - 1
    p : of Q, corrected for standard errors that are estimated (:func:`welch`); NaN with one site
    i2 : share of the differences between sites that is not chance, 0-1
    tau2 : variance of the sites' true effects
    new_low, new_high : prediction interval of the effect in one more site; NaN with fewer than three
    """

    effect: float
    ci_low: float
    ci_high: float
    weights: np.ndarray
    q: float
    df: int
    p: float
    i2: float
    tau2: float
    new_low: float
    new_high: float


def pooled(effect: np.ndarray, se: np.ndarray, df: np.ndarray | float = np.inf, at_least_common: bool = True) -> Pooled:
    """Random-effects meta-analysis of the effects (k,) with standard errors (k,).

    The variance between sites is that of DerSimonian & Laird (1986, Control. Clin. Trials 7:177), the interval that of
    Hartung & Knapp (2001, Stat. Med. 20:3875) with k - 1 degrees of freedom, the prediction interval that of Higgins,
    Thompson & Spiegelhalter (2009, J. R. Stat. Soc. A 172:137) with k - 2.

    Parameters
    ----------
    effect, se : of independent sites, se above 0
    df : degrees of freedom of every standard error, for p alone
    at_least_common : an interval is not narrower than where the sites' variances alone make it: with two or three sites
        that agree by chance the plain one is next to nothing (Jackson et al. 2017, Stat. Med. 36:3923)

    Examples
    --------
    >>> found = pooled(np.array([0.2, 0.9, 0.4]), np.array([0.1, 0.2, 0.1]))
    >>> round(found.q, 2), round(found.i2, 2), round(found.effect, 3)
    (10.0, 0.8, 0.456)
    """
    effect, se = np.asarray(effect, dtype=float), np.asarray(se, dtype=float)
    k = len(effect)
    if not k:
        gap = np.nan
        return Pooled(gap, gap, gap, np.empty(0), gap, 0, gap, gap, gap, gap, gap)
    fixed = 1 / se**2
    common = (fixed @ effect) / fixed.sum()
    q = float(fixed @ (effect - common) ** 2)
    spread = fixed.sum() - (fixed**2).sum() / fixed.sum()
    tau2 = max(0.0, float((q - (k - 1)) / spread)) if k > 1 else 0.0
    weights = 1 / (se**2 + tau2)
    total = weights.sum()
    mean = float((weights @ effect) / total)
    if k == 1:
        return Pooled(mean, np.nan, np.nan, np.ones(1), q, 0, np.nan, 0.0, 0.0, np.nan, np.nan)
    inflation = float(weights @ (effect - mean) ** 2) / (k - 1)
    variance = (max(inflation, 1.0) if at_least_common else inflation) / total
    tail = (1 - LEVEL) / 2
    half = stats.t.isf(tail, k - 1) * np.sqrt(variance)
    new = stats.t.isf(tail, k - 2) * np.sqrt(tau2 + variance) if k > 2 else np.nan
    i2 = max(0.0, (q - (k - 1)) / q) if q > 0 else 0.0
    p = welch(effect, se, df)
    return Pooled(mean, mean - half, mean + half, weights / total, q, k - 1, p, i2, tau2, mean - new, mean + new)


def welch(effect: np.ndarray, se: np.ndarray, df: np.ndarray | float) -> float:
    """p that k effects are one, where every standard error has so many degrees of freedom.

    Cochran's Q takes the standard errors as known, and with twenty donors of a site it finds differences that are none.
    Welch (1951, Biometrika 38:330) corrects it for what they are: an F with k - 1 and as many degrees of freedom as the
    standard errors allow. With infinite ``df`` it is Q against chi square.
    """
    k = len(effect)
    if k < 2:
        return np.nan
    weights = 1 / se**2
    total = weights.sum()
    q = weights @ (effect - (weights @ effect) / total) ** 2
    lost = float(np.sum((1 - weights / total) ** 2 / np.broadcast_to(df, effect.shape)))
    if lost == 0:
        return float(stats.chi2.sf(q, k - 1))
    f = (q / (k - 1)) / (1 + 2 * (k - 2) / (k**2 - 1) * lost)
    return float(stats.f.sf(f, k - 1, (k**2 - 1) / (3 * lost)))
