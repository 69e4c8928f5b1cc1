"""Design matrices of the trial: from covariates of samples to columns over the units of a test.

Everything is linear in its columns, so a covariate is first coded per sample (spline, indicators) and the columns are
then averaged over the samples of a unit. If ``z_ij = a_i + g(x_ij) + e_ij`` for sample j of donor i, the donor's mean
latent obeys exactly the model with averaged columns; a donor hybridised on two chips gets half of each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.probing.units import Units

MAIN_SHARE, INTERACTION_SHARE = 0.6, 1 / 5  # columns per unit that main effects / interactions may take
MOST_SHARE = 0.8  # columns per unit up to which what is estimated keeps a column each
INSIDE = 0.5  # share of a covariate's variation inside donors from which its spline follows samples
# Levels with fewer donors are pooled; the next step where the columns would be too many. Not before: what is pooled is
# not adjusted for, and with 75 batches of four donors 87 % of planted cohorts held a false biology.
_POOL = (1, 2, 3, 5, 10, 20, 40)


@dataclass(frozen=True)
class Nuisance:
    """What a test is adjusted for.

    Attributes
    ----------
    basis : (units, r) orthonormal columns (with the intercept, unless within donors); aliased columns are gone
    strata : (units,) codes within which units may be exchanged
    terms : what went in, in words
    absorbed : donors whose means were removed (within donors), else 0
    pooled : factor -> how many of its levels were pooled, of those that had to be
    """

    basis: np.ndarray
    strata: np.ndarray
    terms: tuple[str, ...]
    absorbed: int = 0
    pooled: dict[str, int] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """Degrees of freedom spent."""
        return self.basis.shape[1] + self.absorbed

    def residual(self, values: np.ndarray) -> np.ndarray:
        """What the nuisance leaves of the values of units (units, k)."""
        return values - self.basis @ (self.basis.T @ values)


def complete_cases(obs: pd.DataFrame, covariates: list[CovariateInfo]) -> np.ndarray:
    """(samples,) samples with every covariate.

    A gap is not filled. The mean with an indicator in its place leaves what the covariate does in those samples
    unadjusted (Greenland & Finkle 1995, Am. J. Epidemiol. 142:1255): with a third of the ages missing 14 % of planted
    cohorts held a false biology, and what went with the gap passed for age.
    """
    return obs[[info.name for info in covariates]].notna().all(axis=1).to_numpy()


def spline(x: np.ndarray, df: int, knots_from: np.ndarray | None = None) -> np.ndarray:
    """Natural cubic spline basis without intercept, truncated-power form.

    Harrell 2015, Regression Modeling Strategies, eq. 2.25: df + 1 knots at equally spaced quantiles between 5 and
    95 %; linear beyond the outer knots. Fewer distinct values mean fewer knots, down to a straight line.

    Parameters
    ----------
    x : (n,)
    df : number of columns
    knots_from : values whose quantiles are the knots (one per donor); ``x`` where left out

    Returns
    -------
    (n, <= df), every column with mean 0 and standard deviation 1
    """
    source = x if knots_from is None else knots_from
    knots = np.unique(np.quantile(source, np.linspace(0.05, 0.95, df + 1))) if df > 1 else np.empty(0)
    columns = [x]
    if len(knots) >= 3 and len(np.unique(source)) > len(knots):
        span = (knots[-1] - knots[0]) ** 2
        last, before = knots[-1], knots[-2]

        def cube(k: float) -> np.ndarray:
            return np.clip(x - k, 0, None) ** 3

        for knot in knots[:-2]:
            tail = (cube(before) * (last - knot) - cube(last) * (before - knot)) / (last - before)
            columns.append((cube(knot) - tail) / span)
    basis = np.column_stack(columns)
    spread = basis.std(axis=0)
    return (basis - basis.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def freedom(most: int, n: int) -> int:
    """Degrees of freedom of a spline over ``n`` donors or samples: one for every ten."""
    return min(most, max(1, n // 10))


def code(
    values: pd.Series,
    info: CovariateInfo,
    donors: np.ndarray,
    mask: np.ndarray,
    df: int,
    least: int = 5,
    df_inside: int | None = None,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Columns of one covariate over all samples (zero outside ``mask``).

    Continuous: spline, of what is estimated a straight line. Its knots are quantiles over donors, or over samples
    (with ``df_inside`` degrees of freedom) where it varies within donors: the mean place in a chain is the same for
    every chain, and knots at one place would leave a straight line. Categorical: one indicator per level; levels of
    fewer than ``least`` donors are pooled, and the pool joins the largest level when it is itself too small.

    Returns
    -------
    columns : (samples, k)
    level : (samples,) pooled level codes, 0 for continuous covariates
    pooled : number of levels that were pooled
    """
    level, pooled = np.zeros(len(values), dtype=int), 0
    if info.kind == "continuous":
        x = pd.to_numeric(values).to_numpy(dtype=float)[mask]
        df, df_inside = (1, 1) if info.estimated else (df, df if df_inside is None else df_inside)
        basis = _smooth(x, donors[mask], df, df_inside)
    else:
        level[mask], levels, pooled = _pooled(values.to_numpy(dtype=object)[mask], donors[mask], least)
        basis = np.eye(levels)[level[mask]]
    columns = np.zeros((len(values), basis.shape[1]))
    columns[mask] = basis
    return columns, level, pooled


def _smooth(x: np.ndarray, donors: np.ndarray, df: int, df_inside: int) -> np.ndarray:
    """Spline of a number."""
    donor = np.unique(donors, return_inverse=True)[1]
    per_donor = np.bincount(donor, x) / np.maximum(np.bincount(donor), 1)
    if np.square(x - per_donor[donor]).sum() > INSIDE * np.square(x - x.mean()).sum():
        return spline(x, df_inside)
    return spline(x, df, per_donor if len(per_donor) > 1 else None)


def _pooled(values: np.ndarray, donors: np.ndarray, least: int) -> tuple[np.ndarray, int, int]:
    """Codes of the levels of a factor, how many levels there are, and how many were pooled."""
    text = values.astype(str)
    levels, level = np.unique(text, return_inverse=True)
    counts = pd.Series(donors).groupby(level).nunique().to_numpy()
    few = counts < least
    if few.any():
        alone = len(np.unique(donors[few[level]])) >= least
        into = "other levels (pooled)" if alone else levels[counts.argmax()]
        levels, level = np.unique(np.where(few[level], into, text), return_inverse=True)
    return level, len(levels), int(few.sum())


def nuisance(
    obs: pd.DataFrame,
    covariates: list[CovariateInfo],
    units: Units,
    spline_df: int = 4,
    interactions: bool = True,
    extra: np.ndarray | None = None,
    corrected: Callable[[dict[str, np.ndarray], int], dict[str, np.ndarray]] | None = None,
    telling: int | None = None,
) -> Nuisance:
    """What a question is adjusted for: intercept, s(continuous), factors, and s(continuous confounder) x technical.

    Every level has a column of its own, so that donors are compared within levels. Where the main effects would take
    more than ``MAIN_SHARE`` of the units, splines become straight lines; only where that is too much as well are levels
    pooled, more and more strictly. What else is held fixed (estimated covariates, ``extra``) does not count: a test
    given composition or other dimensions is adjusted for all that the test without them is. An interaction enters with
    the whole spline if all columns then take at most a fifth of the units, else as a straight line, else not at all.
    Of a time the units are those with an event (``telling``): fifty events do not bear the twelve columns that the 125
    donors do among whom they were seen, and with them one in four of the dimensions that tell of it is lost.

    ``obs``: (samples, ...) with ``donor`` and the covariates; ``extra``: (units, k) further columns (tasks, other
    dimensions); ``corrected``: from the coded columns of all covariates, and the degrees of freedom of their splines,
    to those of the covariates that are recorded with error (:mod:`mtlbio.probing.measurement_error`). The technical
    factors define the strata of exchange.
    """
    donors, mask, n = obs["donor"].to_numpy().astype(str), units.mask, len(units)
    room = n - (units.donors if units.within else 0)
    bearing = room if telling is None else min(room, telling)
    df, df_inside = freedom(spline_df, units.donors), freedom(spline_df, room)
    fixed = np.ones((n, 0 if units.within else 1))
    recorded = [c for c in covariates if not c.estimated]
    for least, curved in ((1, df), *((least, 1) for least in _POOL)):
        inside = min(curved, df_inside) if curved < df else df_inside
        coded = {c.name: code(obs[c.name], c, donors, mask, curved, least, inside) for c in recorded}
        basis = _main_effects(coded, fixed, units)
        if basis.shape[1] <= max(2, MAIN_SHARE * room):
            break
    if corrected is not None:
        better = corrected({name: columns for name, (columns, _, _) in coded.items()}, curved)
        coded |= {name: (columns, *coded[name][1:]) for name, columns in better.items()}
        basis = _main_effects(coded, fixed, units)
    terms = [f"{name} ({pooled} levels pooled)" if pooled else name for name, (_, _, pooled) in coded.items()]
    if corrected is not None:
        known = {c.name: f"{c.name} (reliability {c.reliability:g})" for c in covariates if c.reliability < 1}
        terms = [known.get(term, term) for term in terms]
    estimated = [c for c in covariates if c.estimated]
    if estimated:
        columns = units.mean(np.column_stack([code(obs[c.name], c, donors, mask, 1)[0] for c in estimated]))
        basis, kept = _with_estimated(basis, units.centre(columns), room)
        names = ", ".join(c.name for c in estimated)
        terms.append(names if kept == len(estimated) else f"{names} ({kept} components)")
    if extra is not None:
        basis = orthonormal(np.column_stack([basis, units.centre(extra)]))
    smooths = [c for c in recorded if c.kind == "continuous" and c.role == "confounder"]
    for smooth in smooths if interactions else []:
        for factor in [c for c in covariates if c.kind == "categorical" and c.role == "technical"]:
            curve, levels = coded[smooth.name][0], coded[factor.name][0]
            for width in (curve.shape[1], 1):
                wider = orthonormal(np.column_stack([basis, products(curve[:, :width], levels, units)]))
                if basis.shape[1] < wider.shape[1] <= INTERACTION_SHARE * bearing:
                    terms.append(f"{smooth.name} x {factor.name}" + ("" if width > 1 else " (straight line)"))
                    basis = wider
                    break
    strata = _strata([coded[c.name][0] for c in covariates if c.kind == "categorical" and c.role == "technical"], units)
    few = {name: pooled for name, (_, _, pooled) in coded.items() if pooled}
    return Nuisance(basis, strata, tuple(terms), units.donors if units.within else 0, few)


def _main_effects(coded: dict[str, tuple], fixed: np.ndarray, units: Units) -> np.ndarray:
    """Basis of the coded covariates beside the columns ``fixed`` (units, k)."""
    main = [units.mean(columns) for columns, *_ in coded.values()]
    return orthonormal(units.centre(np.column_stack([fixed, *main])))


def _with_estimated(basis: np.ndarray, columns: np.ndarray, room: int) -> tuple[np.ndarray, int]:
    """The basis with estimated covariates (units, k), and how many columns they have.

    Where that would leave a test next to nothing, their leading principal components stand for them.
    """
    kept = min(columns.shape[1], max(1, int(MOST_SHARE * room) - basis.shape[1]))
    if kept < columns.shape[1]:
        u, s, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
        columns = u[:, :kept] * s[:kept]
    return orthonormal(np.column_stack([basis, columns])), kept


def orthonormal(columns: np.ndarray, tolerance: float = 1e-6) -> np.ndarray:
    """Orthonormal basis of the column space; columns aliased with earlier ones vanish."""
    norms = np.linalg.norm(columns, axis=0)
    scaled = columns[:, norms > 1e-10] / norms[norms > 1e-10]
    if scaled.shape[1] == 0:
        return np.zeros((len(columns), 0))
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    return u[:, s > tolerance * s[0]]


def products(smooth: np.ndarray, factor: np.ndarray, units: Units) -> np.ndarray:
    """Interaction of two coded covariates, (samples, k) x (samples, l) -> (units, k l)."""
    product = smooth[:, :, None] * factor[:, None, :]
    return units.centre(units.mean(product.reshape(len(smooth), -1)))


def _strata(indicators: list[np.ndarray], units: Units) -> np.ndarray:
    """Modal level of every factor, crossed; strata of fewer than five units are merged."""
    key = np.zeros(len(units), dtype=int)
    for columns in indicators:
        key = np.unique(key * (columns.shape[1] + 1) + units.mean(columns).argmax(axis=1), return_inverse=True)[1]
    small = np.bincount(key)[key] < 5
    return np.unique(np.where(small, -1, key), return_inverse=True)[1]
