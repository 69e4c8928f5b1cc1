"""Design matrices of the trial: from covariates of samples to columns over the units of a test.

Everything is linear in its columns, so a covariate is first coded per sample (spline, indicators) and the columns are
then averaged over the samples of a unit. If ``z_ij = a_i + g(x_ij) + e_ij`` for sample j of donor i, the donor's mean
latent obeys exactly the model with averaged columns; a donor hybridised on two chips gets half of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.cohort import CovariateInfo

MISSING = 0.2  # a covariate missing for more samples than this gets an indicator instead of dropping the samples
MAIN_SHARE, INTERACTION_SHARE = 1 / 3, 1 / 5  # columns per unit that main effects / interactions may take
INSIDE = 0.5  # share of a covariate's variation inside donors from which its spline follows samples
_POOL = (5, 10, 20, 40)  # levels with fewer donors are pooled; the next step where the columns would be too many


@dataclass(frozen=True)
class Units:
    """What a test counts: donors, donor x label, or samples with the donor as cluster.

    Attributes
    ----------
    average : sparse (units, samples), rows sum to 1: turns values of samples into values of units
    cluster : (units,) donor codes 0 .. G-1; equal to ``arange`` where every unit is its own donor
    y : (units,) label of the unit, NaN where it has none (and for questions that have no label)
    within : compare within donors only (every column is centred per donor)
    kind : ``donor``, ``donor x label`` or ``sample``
    """

    average: sparse.csr_matrix
    cluster: np.ndarray
    y: np.ndarray
    within: bool
    kind: str

    def __len__(self) -> int:
        return self.average.shape[0]

    @cached_property
    def donors(self) -> int:
        """Number of donors."""
        return int(self.cluster.max()) + 1 if len(self.cluster) else 0

    @property
    def clustered(self) -> bool:
        """Whether a donor holds several units."""
        return self.donors < len(self)

    @cached_property
    def mask(self) -> np.ndarray:
        """(samples,) whether a sample belongs to a unit."""
        return np.asarray(self.average.sum(axis=0)).ravel() > 0

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Values of samples (samples, ...) averaged per unit (units, ...)."""
        return self.average @ np.where(self.mask.reshape(-1, *[1] * (values.ndim - 1)), values, 0.0)

    def centre(self, values: np.ndarray) -> np.ndarray:
        """Remove the donor's mean from values of units (units, k) where the comparison is within donors."""
        if not self.within:
            return values
        sizes = np.bincount(self.cluster)
        sums = np.zeros((self.donors, values.shape[1]))
        np.add.at(sums, self.cluster, values)
        return values - (sums / sizes[:, None])[self.cluster]


@dataclass(frozen=True)
class Nuisance:
    """What a test is adjusted for.

    Attributes
    ----------
    basis : (units, r) orthonormal columns (with the intercept, unless within donors); aliased columns are gone
    strata : (units,) codes within which units may be exchanged
    terms : what went in, in words
    absorbed : donors whose means were removed (within donors), else 0
    """

    basis: np.ndarray
    strata: np.ndarray
    terms: tuple[str, ...]
    absorbed: int = 0

    @property
    def rank(self) -> int:
        """Degrees of freedom spent."""
        return self.basis.shape[1] + self.absorbed


def donor_units(donors: np.ndarray, mask: np.ndarray) -> Units:
    """One unit per donor: the mean over the donor's samples in ``mask`` (samples,)."""
    return _grouped(np.asarray(donors), np.asarray(mask), np.zeros(len(donors)), False, "donor", keep_label=False)


def sample_units(donors: np.ndarray, mask: np.ndarray, within: bool = True) -> Units:
    """Every sample is a unit and its donor the cluster."""
    rows = np.flatnonzero(mask)
    order = rows[np.argsort(np.asarray(donors)[rows], kind="stable")]
    average = sparse.csr_matrix((np.ones(len(order)), (np.arange(len(order)), order)), shape=(len(order), len(mask)))
    cluster = np.unique(np.asarray(donors)[order], return_inverse=True)[1]
    return Units(average, cluster, np.full(len(order), np.nan), within, "sample")


def label_units(donors: np.ndarray, y: np.ndarray, averaged: bool, mask: np.ndarray) -> Units:
    """Units on which a label can be tested.

    A label that is constant within every donor, and every number (averaged over the labelled samples), belongs to the
    donor: one unit per donor. A class that changes within donors makes one unit per donor x label (mean latent of
    those samples) with the donor as cluster: repeated visits in one state add no units. Where at least four fifths of
    the donors were seen in more than one state (paired designs), donors are compared with themselves only.

    Parameters
    ----------
    averaged : whether samples of a donor are averaged to one label (:class:`mtlbio.labels.Label`)
    """
    donors, y = np.asarray(donors), np.asarray(y, dtype=float)
    labelled = np.asarray(mask) & ~np.isnan(y)
    if averaged:
        return _grouped(donors, labelled, y, False, "donor", keep_label=True, by_label=False)
    states = pd.Series(y[labelled]).groupby(donors[labelled]).nunique()
    if not (states > 1).any():
        return _grouped(donors, labelled, y, False, "donor", keep_label=True)
    return _grouped(donors, labelled, y, bool((states > 1).mean() >= 0.8), "donor x label", keep_label=True)


def complete_cases(obs: pd.DataFrame, covariates: list[CovariateInfo]) -> np.ndarray:
    """(samples,) samples with every covariate that is rarely missing; frequent gaps become an indicator instead."""
    mask = np.ones(len(obs), dtype=bool)
    for info in covariates:
        missing = obs[info.name].isna().to_numpy()
        if missing.mean() <= MISSING:
            mask &= ~missing
    return mask


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


def code(
    values: pd.Series,
    info: CovariateInfo,
    donors: np.ndarray,
    mask: np.ndarray,
    df: int,
    least: int = 5,
    df_inside: int | None = None,
):
    """Columns of one covariate over all samples (zero outside ``mask``).

    Continuous: spline, a gap is the mean plus an indicator column. Its knots are quantiles over donors, or over samples
    (with ``df_inside`` degrees of freedom) where it varies within donors: the mean place in a chain is the same for
    every chain, and knots at one place would leave a straight line. Categorical: one indicator per level; levels of
    fewer than ``least`` donors are pooled, and the pool joins the largest level when it is itself too small.

    Returns
    -------
    columns : (samples, k)
    level : (samples,) pooled level codes, 0 for continuous covariates
    pooled : number of levels that were pooled
    """
    out_level = np.zeros(len(values), dtype=int)
    if info.kind == "continuous":
        x = pd.to_numeric(values).to_numpy(dtype=float)[mask]
        gap = np.isnan(x)
        filled = np.where(gap, x[~gap].mean() if (~gap).any() else 0.0, x)
        owner = np.unique(donors[mask][~gap], return_inverse=True)[1]
        per_donor = np.bincount(owner, filled[~gap]) / np.maximum(np.bincount(owner), 1)
        if np.square(filled[~gap] - per_donor[owner]).sum() > INSIDE * np.square(filled - filled.mean()).sum():
            basis = spline(filled, df if df_inside is None else df_inside)
        else:
            basis = spline(filled, df, per_donor if len(per_donor) > 1 else None)
        if gap.any():
            basis = np.column_stack([basis, gap - gap.mean()])
        columns = np.zeros((len(values), basis.shape[1]))
        columns[mask] = basis
        return columns, out_level, 0
    text = values.to_numpy(dtype=object)[mask]
    text = np.where(pd.isna(text), "missing", text).astype(str)
    names, place = np.unique(text, return_inverse=True)
    owner = np.unique(donors[mask], return_inverse=True)[1]
    # donors per level: distinct pairs of level and donor
    pairs = np.unique(place * len(text) + owner)
    counts = np.bincount(pairs // max(len(text), 1), minlength=len(names))
    few, levels, codes = counts < least, names, place
    if few.any():
        into = "other levels (pooled)"
        if len(np.unique(owner[few[place]])) < least:
            into = names[counts.argmax()]
        levels, codes = np.unique(np.where(few[place], into, text), return_inverse=True)
    out_level[mask] = codes
    columns = np.zeros((len(values), len(levels)))
    columns[np.flatnonzero(mask), codes] = 1.0
    return columns, out_level, int(few.sum())


def nuisance(
    obs: pd.DataFrame,
    covariates: list[CovariateInfo],
    units: Units,
    spline_df: int = 4,
    interactions: bool = True,
    extra: np.ndarray | None = None,
    strata_from: tuple[str, ...] = ("technical",),
) -> Nuisance:
    """What a question is adjusted for: intercept, s(continuous), factors, and s(continuous confounder) x technical.

    Levels are pooled more and more strictly until the main effects take at most a third of the units. An interaction
    enters with the whole spline if all columns then take at most a fifth of the units, else as a straight line, else
    not at all.

    Parameters
    ----------
    obs : (samples, ...) with ``donor`` and the covariates
    extra : (units, k) further columns (tasks, other dimensions)
    strata_from : roles whose factors define the strata of exchange
    """
    donors, mask, n = obs["donor"].to_numpy().astype(str), units.mask, len(units)
    room = n - (units.donors if units.within else 0)
    df, df_inside = (min(spline_df, max(1, count // 10)) for count in (units.donors, room))
    start = [] if units.within else [np.ones((n, 1))]
    fixed = start + ([extra] if extra is not None else [])
    for least in _POOL:
        coded = {c.name: code(obs[c.name], c, donors, mask, df, least, df_inside) for c in covariates}
        main = {name: units.mean(columns) for name, (columns, _, _) in coded.items()}
        columns = np.column_stack([np.zeros((n, 0)), *fixed, *main.values()])
        basis = orthonormal(units.centre(columns))
        if basis.shape[1] <= max(2, MAIN_SHARE * room):
            break
    terms = [f"{name} ({pooled} levels pooled)" if pooled else name for name, (_, _, pooled) in coded.items()]
    for smooth in [c for c in covariates if interactions and c.kind == "continuous" and c.role == "confounder"]:
        for factor in [c for c in covariates if c.kind == "categorical" and c.role == "technical"]:
            for width in (coded[smooth.name][0].shape[1], 1):
                columns = products(coded[smooth.name][0][:, :width], coded[factor.name][0], units)
                wider = orthonormal(np.column_stack([basis, columns]))
                if basis.shape[1] < wider.shape[1] <= INTERACTION_SHARE * room:
                    terms.append(f"{smooth.name} x {factor.name}" + ("" if width > 1 else " (straight line)"))
                    basis = wider
                    break
    strata = _strata([coded[c.name][0] for c in covariates if c.kind == "categorical" and c.role in strata_from], units)
    return Nuisance(basis, strata, tuple(terms), units.donors if units.within else 0)


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


def _grouped(donors, mask, y, within, kind, keep_label, by_label=True) -> Units:
    rows = np.flatnonzero(mask)
    # by hashing: a million names are sorted in seconds
    owner = pd.factorize(donors[rows].astype(str).astype(object), sort=True)[0]
    labels, label = np.unique(y[rows] if keep_label and by_label else np.zeros(len(rows)), return_inverse=True)
    keys, unit = np.unique(owner * len(labels) + label, return_inverse=True)
    n = len(keys)
    sizes = np.bincount(unit, minlength=n)
    average = sparse.csr_matrix((1 / sizes[unit], (unit, rows)), shape=(n, len(donors)))
    cluster = keys // max(len(labels), 1)
    label = average @ np.where(np.isnan(y), 0.0, y) if keep_label else np.full(n, np.nan)
    if keep_label and by_label:
        label = np.round(label)  # class codes, which averaging leaves a rounding error away from themselves
    return Units(average, cluster, label, within, kind)
