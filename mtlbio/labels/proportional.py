"""Whether hazards are proportional: does the effect of a column change with time?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mtlbio.labels.cox import Cox
from mtlbio.labels.risk_sets import RiskSets


@dataclass(frozen=True)
class Proportional:
    """Score tests of proportional hazards.

    Attributes
    ----------
    p : (p,) of every column alone; NaN where it cannot be told
    slope : (p,) sign and size of the change, in standard errors: above 0, the effect grows with time
    together : p of all columns at once
    """

    p: np.ndarray
    slope: np.ndarray
    together: float


def proportional_hazards(fit: Cox) -> Proportional:
    """Test every column of a Cox model for an effect that changes with time.

    The score test of the column times g(t) beside all columns, g the share of events that are over (1 - Kaplan-Meier,
    just before t): what ``cox.zph`` of R's ``survival`` does since version 3, exact where the correlation of
    scaled Schoenfeld residuals with time (Grambsch & Therneau 1994, Biometrika 81:515) takes one variance for all
    times.

    Examples
    --------
    >>> import numpy as np
    >>> from mtlbio.labels.cox import fit_cox
    >>> from mtlbio.labels.proportional import proportional_hazards
    >>> rng = np.random.default_rng(0)
    >>> x = rng.choice([-1.0, 1.0], size=(400, 1))
    >>> waits = np.exp(0.5 * rng.normal(size=400) * (1.5 + x[:, 0]))  # the hazards of the two groups cross
    >>> print(proportional_hazards(fit_cox(x, waits, np.ones(400))).p[0] < 1e-6)
    True
    """
    sets, x = fit.sets, fit.x - np.average(fit.x, axis=0, weights=fit.sets.weights)
    eta, g = x @ fit.coefficients, _over(sets)
    g = g - np.average(g[sets.place], weights=sets.counts)
    informations = []
    for power in (np.ones(len(g)), g, np.square(g)):
        sums = sets.at(x, eta, power)
        informations.append(sets.information(x, sums, power))
    information, crossed, squared = informations
    score = x[sets.rows].T @ (sets.weights[sets.rows] * g[sets.place])
    score -= sums.means.T @ (sets.counts * g[sets.place])
    left = squared - crossed @ fit.covariance @ crossed
    variance = np.diag(left)
    usable = variance > 1e-9 * np.maximum(np.diag(squared), 1e-300)
    size = np.sqrt(np.where(usable, variance, 1.0))
    slope = np.where(usable, score / size, np.nan)
    p = stats.chi2.sf(np.square(slope), 1)
    if not usable.any():
        return Proportional(p, slope, np.nan)
    values, vectors = np.linalg.eigh((left / np.outer(size, size))[np.ix_(usable, usable)])
    keep = values > 1e-9 * values.max()
    total = (np.square(vectors[:, keep].T @ slope[usable]) / values[keep]).sum()
    return Proportional(p, slope, float(stats.chi2.sf(total, int(keep.sum()))))


def _over(sets: RiskSets) -> np.ndarray:
    """(times,) 1 - Kaplan-Meier just before every time of an event, over all strata."""
    whole = RiskSets(sets.time, sets.event, sets.entry, np.zeros(len(sets.time), dtype=int), sets.weights)
    deaths, at_risk = whole.deaths_and_at_risk()
    before = np.concatenate([[1.0], np.cumprod(1 - deaths / at_risk)[:-1]])
    return 1 - before[np.searchsorted(whole.times, sets.times)]
