"""The donor bootstrap: whole donors are drawn again, so that repeated samples never pose as new people.

A draw is a row of sample weights (how often the sample's donor was drawn). The metrics take all rows at once, which
is some hundred times faster than writing the resamples out.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from mtlbio.labels import Label


class Estimate(NamedTuple):
    """A value with its percentile interval."""

    value: float
    ci_low: float
    ci_high: float


def bootstrap_weights(
    donors: np.ndarray, draws: int, seed: int, strata: np.ndarray | None = None, dtype: type = float
) -> np.ndarray:
    """(draws, n) weights of samples, how often each one's donor was drawn with replacement.

    Parameters
    ----------
    donors : (n,) donor of each sample, or its family: what is drawn as a whole
    draws : number of resamples
    seed : the same donors, draws, strata and seed give the same weights
    strata : (n,) optional label of each sample (class codes, NaN allowed). Donors are then drawn within the groups of
        donors that carry the same set of labels, so that no draw loses a class
    dtype : of the weights, which are whole numbers

    Examples
    --------
    >>> import numpy as np
    >>> w = bootstrap_weights(np.array(["a", "a", "b", "c"]), draws=5, seed=0)
    >>> bool((w[:, 0] == w[:, 1]).all()), w[:, 1:].sum(axis=1)
    (True, array([3., 3., 3., 3., 3.]))
    """
    names, donor = np.unique(np.asarray(donors), return_inverse=True)
    groups = np.zeros(len(names), dtype=int)
    if strata is not None:
        labels, code = np.unique(np.asarray(strata), return_inverse=True)
        carries = np.zeros((len(names), len(labels)), dtype=bool)
        carries[donor, code] = True
        groups = np.unique(carries, axis=0, return_inverse=True)[1].ravel()
    return _counts(groups, draws, np.random.default_rng([seed, draws]), dtype)[:, donor]


def cluster_draws(clusters: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(draws, n) how often a chain counts when clusters (n,) of homologous chains are drawn with replacement."""
    names, cluster = np.unique(clusters, return_inverse=True)
    rng = np.random.default_rng([seed, draws, len(names)])
    return _counts(np.zeros(len(names), dtype=int), draws, rng)[:, cluster]


def _counts(groups: np.ndarray, draws: int, rng: np.random.Generator, dtype: type = float) -> np.ndarray:
    """(draws, units) how often a unit was drawn, each from its own group of ``groups`` (units,)."""
    counts: np.ndarray = np.empty((draws, len(groups)), dtype)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        counts[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), size=draws)
    return counts


def interval(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of bootstrap values (draws,); undefined draws (NaN) are left out."""
    defined = draws[np.isfinite(draws)]
    if len(defined) == 0:
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def fewest(task: Label, y: np.ndarray, donors: np.ndarray) -> int:
    """Donors on which a metric of the task rests: those of the rarest class that occurs; all, for a number.

    ``y`` (n,), NaN = no label, and ``donors`` (n,) are those of the samples; or their families.
    """
    labelled = ~np.isnan(y)
    y, donors = y[labelled], np.asarray(donors)[labelled]
    return min((len(np.unique(donors[group])) for group in task.groups(y)), default=0)


def expanded(level: float, donors: int) -> float:
    """Level of the percentile interval that covers ``level`` with few donors (Hesterberg 2015, Am. Stat.).

    A bootstrap of n donors is too narrow by sqrt((n - 1) / n), and its tails are normal where they should be Student's.

    Examples
    --------
    >>> round(expanded(0.95, 20), 4), round(expanded(0.95, 1000), 4)
    (0.9682, 0.9504)
    """
    if donors < 2:
        return 1.0
    return float(2 * stats.norm.cdf(_student(stats.norm.ppf((1 + level) / 2), donors)) - 1)


def _student(z: np.ndarray | float, donors: np.ndarray | int) -> np.ndarray:
    """What ``z`` standard errors have to become where the error itself comes from so many donors, 2 or more."""
    # the lower tail, for the upper one of a large z is 1 in floating point
    return -np.sqrt(donors / (donors - 1)) * stats.t.ppf(stats.norm.cdf(-z), donors - 1)


def simultaneous(
    values: np.ndarray, drawn: np.ndarray, donors: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals that hold all values at once, by the largest standardised deviation of a draw (Romano & Wolf 2005).

    Where the largest of many values is picked, its interval is therefore not flattered by the picking, and the
    correlation between the values, which a Bonferroni bound ignores, makes the intervals narrower.

    Parameters
    ----------
    values : (m,)
    drawn : (draws, m) the same on bootstrap draws of donors; NaN where undefined
    donors : (m,) donors on which each value rests (:func:`fewest`): few make wide intervals, fewer than 2 endless ones
    level : probability with which all intervals hold

    Returns
    -------
    low, high : (m,); a value that no draw moves is its own interval
    """
    deviation = np.where(np.isfinite(drawn), drawn, values) - values
    error = np.sqrt(np.square(deviation).sum(axis=0) / np.maximum(np.isfinite(drawn).sum(axis=0) - 1, 1))
    moved = error > 1e-12
    if not moved.any():
        return values.copy(), values.copy()
    largest = np.abs(deviation[:, moved] / error[moved]).max(axis=1)
    enough = donors > 1
    wide = np.where(enough, _student(np.quantile(largest, level), np.where(enough, donors, 2)), np.inf)
    half = np.where(moved, wide * error, 0.0)
    return values - half, values + half
