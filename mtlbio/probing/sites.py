"""Does a biology hold at every site? Its adjusted effect within each, how much they differ, and which sites carry it.

A site is a level of a covariate that the run names (``probe.sites``): a hospital, a centre, a chip. Within a site
everything else is held fixed that the trial holds fixed; the site itself is then no question. No verdict rests on it:
what is asked here, of few donors, is where a verdict comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.probing.association import task_design
from mtlbio.probing.design import orthonormal
from mtlbio.probing.inference import Contrast, satterthwaite
from mtlbio.probing.judgement import Judgement
from mtlbio.probing.meta_analysis import LEVEL, Pooled, pooled
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units

COLUMNS = ["dim", "task", "class", "site", "n_donors", "n_rarest", "effect", "ci_low", "ci_high", "se", "df_error"]
COLUMNS += ["weight", "call", "without", "without_ci_low", "without_ci_high", "carries"]
# of all sites together, the same in every row of a dimension, task and class
COLUMNS += ["sites", "all_donors", "all_ci_low", "all_ci_high", "pooled", "pooled_ci_low", "pooled_ci_high"]
COLUMNS += ["cochran_q", "p_heterogeneity", "i2", "tau2", "new_site_low", "new_site_high", "heterogeneity"]
LEAST_DONORS = 10  # of a site with a label that is a number
LEAST_OF_CLASS = 5  # of each class that is compared
_HALF = stats.norm.isf((1 - LEVEL) / 2)


@dataclass(frozen=True)
class Effects:
    """Effects (D,) of some donors in units of the dimension, their standard errors and degrees of freedom; or NaN."""

    effect: np.ndarray
    se: np.ndarray
    df: float = np.nan

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """(D,) ends of the interval of the robust t."""
        half = stats.t.isf((1 - LEVEL) / 2, self.df) * self.se
        return self.effect - half, self.effect + half

    def of(self, d: int) -> tuple[float, float, float, float, float]:
        """Effect, its interval, standard error and degrees of freedom of one dimension."""
        low, high = self.interval
        return self.effect[d], low[d], high[d], self.se[d], self.df


def claimed(judged: Sequence[Judgement]) -> list[tuple[str, str]]:
    """(dimension, task) of every biology, also of a task for which alone a dimension is biology."""
    pairs = []
    for item in judged:
        tasks = [task for task, verdict in item.by_task.items() if verdict == "biology"]
        # biology of a plane need not be that of the axis
        tasks = tasks or [item.about] * (item.verdict.verdict == "biology")
        pairs += [(item.evidence.dim, task) for task in tasks]
    return pairs


def sites(trial: Trial, covariate: str, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row per dimension, task, class and site, columns ``COLUMNS``.

    Parameters
    ----------
    covariate : categorical, whose levels are the sites
    pairs : (dimension, task) that are asked

    Returns
    -------
    DataFrame
        Effects are in standard deviations of the dimension, per class difference or per standard deviation of a number
        as in ``association.tsv``, of a time to an event log hazard ratios, of a label of several classes each class
        against the first (``class``). A donor with samples at several sites counts at the one with most of them, with
        these samples. ``n_rarest``: donors of the rarer class, of a time those with the event. ``call``: ``same`` or
        ``opposite`` where the interval leaves out 0, on the side of the effect in all donors or on the other; ``open``;
        ``too_few`` (fewer than 5 donors of a class, or 10 with a number or an event, or than what is held fixed needs).
        ``without``: the effect in all donors of the other sites; ``carries``: its interval
        holds 0, which that of all donors does not. ``heterogeneity``: ``differ`` where p is at most the level,
        ``not_seen``, ``one_site`` where fewer than two have donors enough.

    The standard error of a site is HC3's (or of whole donors or families), its degrees of freedom are Satterthwaite's,
    and what differs between sites is :func:`mtlbio.probing.meta_analysis.pooled`.
    """
    names, place = _site_of(trial, covariate)
    tables = []
    for task in dict.fromkeys(task for _, task in pairs):
        dims = [dim for dim, other in pairs if other == task]
        tables += _of_task(trial, covariate, task, dims, names, place)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def _site_of(trial: Trial, covariate: str) -> tuple[np.ndarray, np.ndarray]:
    """Names of the sites, and (samples,) the code of each sample's; -1 of samples that do not count."""
    level = trial.obs[covariate].astype(object)
    known = level.notna().to_numpy() & trial.mask
    names, code = np.unique(level[known].to_numpy().astype(str), return_inverse=True)
    counts = pd.crosstab(trial.donors[known], code)
    # of the first of several that have most of a donor's samples
    main = counts.columns.to_numpy()[counts.to_numpy().argmax(axis=1)]
    place = np.full(len(level), -1)
    own = pd.Series(main, index=counts.index).loc[trial.donors[known]].to_numpy()
    place[known] = np.where(own == code, code, -1)
    return names, place


def _of_task(
    trial: Trial, covariate: str, task: str, dims: list[str], names: np.ndarray, place: np.ndarray
) -> list[pd.DataFrame]:
    units, label = trial.units_of(task, place >= 0), trial.tasks[task]
    if not units.testable(6):
        return []
    z, columns = trial.z[:, [trial.dims.index(dim) for dim in dims]], label.test_columns(units.y)
    site = np.rint(units.mean(place.astype(float))).astype(int)  # a unit's samples are of one site
    everyone = np.ones(len(units), dtype=bool)
    at = [site == s for s in range(len(names))]
    number = label.indicators(units.y) is None
    donors = [len(np.unique(units.owner[rows])) for rows in at]
    codes = np.unique(units.y)
    tables = []
    for k in range(columns.shape[1]):
        pair = codes[[0, k + 1]] if columns.shape[1] > 1 else codes
        told = (
            donors if not label.counts else [len(np.unique(units.owner[rows & label.telling(units.y)])) for rows in at]
        )
        rarest = told if number else [_rarest(units, rows, pair) for rows in at]
        effects = partial(_effects, trial, task, units, columns, k, z)
        enough = np.array(rarest) >= (LEAST_DONORS if number else LEAST_OF_CLASS)
        inside = [effects(rows if able else ~everyone, (covariate,)) for rows, able in zip(at, enough, strict=True)]
        outside, everybody = [effects(~rows) for rows in at], effects(everyone)
        counts = pd.DataFrame({"site": names, "n_donors": donors, "n_rarest": rarest})
        of_class = label.classes[int(pair[1])] if columns.shape[1] > 1 else None
        for d, dim in enumerate(dims):
            table = _rows(counts, [e.of(d) for e in inside], [e.of(d) for e in outside], everybody.of(d), trial)
            tables.append(table.assign(dim=dim, task=task, **{"class": of_class})[COLUMNS])
    return tables


def _rows(counts: pd.DataFrame, inside: list, outside: list, everybody: tuple, trial: Trial) -> pd.DataFrame:
    """The rows of one dimension, task and class."""
    table = counts.copy()
    table[["effect", "ci_low", "ci_high", "se", "df_error"]] = inside
    tested = (table["se"] > 0).to_numpy()
    found: Pooled = pooled(*(table.loc[tested, name].to_numpy() for name in ("effect", "se", "df_error")))
    # one site alone has no average: what all donors say together is the effect that sites agree with or not
    sign = np.sign(everybody[0])
    table["weight"] = np.nan
    table.loc[tested, "weight"] = found.weights
    low, high = sign * table["ci_low"], sign * table["ci_high"]
    same, opposite = np.fmin(low, high) > 0, np.fmax(low, high) < 0
    table["call"] = np.select([~tested, same, opposite], ["too_few", "same", "opposite"], "open")
    table[["without", "without_ci_low", "without_ci_high"]] = [other[:3] for other in outside]
    shown = everybody[1] * everybody[2] > 0
    table["carries"] = shown & (table["without_ci_low"] * table["without_ci_high"] <= 0)
    call = "one_site" if tested.sum() < 2 else "differ" if found.p <= trial.options.alpha else "not_seen"
    return table.assign(
        sites=int(tested.sum()), all_donors=everybody[0], all_ci_low=everybody[1], all_ci_high=everybody[2],
        pooled=found.effect, pooled_ci_low=found.ci_low, pooled_ci_high=found.ci_high,
        cochran_q=found.q, p_heterogeneity=found.p, i2=found.i2, tau2=found.tau2,
        new_site_low=found.new_low, new_site_high=found.new_high, heterogeneity=call,
    )  # fmt: skip


def _effects(
    trial: Trial,
    task: str,
    units: Units,
    columns: np.ndarray,
    k: int,
    z: np.ndarray,
    rows: np.ndarray,
    without: tuple[str, ...] = (),
) -> Effects:
    """Effects of column ``k`` of a label in some units (units,), its other columns held fixed, in SD over all units."""
    some, nothing = subset(units, rows), np.full(z.shape[1], np.nan)
    spread = units.mean(z).std(axis=0, ddof=1)
    scale = np.where(spread > 0, spread, np.nan)
    if some.testable(6):
        _, nuisance, _ = task_design(trial, task, without, units=some)
        clusters = some.cluster if some.clustered else None
        own = trial.tasks[task].effects(some.y, some.mean(z), nuisance.basis, clusters)
        if own is not None:  # per SD among these units, with the interval of its own model
            wider = scale / some.mean(z).std(axis=0, ddof=1)
            return Effects(own.effect * wider, (own.high - own.low) / (2 * _HALF) * wider, np.inf)
        others = some.centre(np.delete(columns[rows], k, axis=1))
        nuisance = replace(nuisance, basis=orthonormal(np.column_stack([nuisance.basis, others])))
        contrast = Contrast(columns[rows][:, [k]], nuisance, some)
        if contrast.estimable:
            wald = contrast.wald(some.mean(z))
            df = min(contrast.df_error, satterthwaite(contrast.w, contrast.full, some))
            return Effects(wald.coefficients[0] / scale, wald.se[0] / scale, df)
    return Effects(nothing, nothing)


def subset(units: Units, rows: np.ndarray) -> Units:
    """Some of the units (units,), with codes that have no gaps."""

    def codes(values: np.ndarray) -> np.ndarray:
        return np.unique(values[rows], return_inverse=True)[1]

    donor = None if units.donor is None else codes(units.donor)
    return replace(units, average=units.average[rows], cluster=codes(units.cluster), y=units.y[rows], donor=donor)


def _rarest(units: Units, rows: np.ndarray, classes: np.ndarray) -> int:
    """Donors of the rarest of some classes among some units (units,)."""
    return min(len(np.unique(units.owner[rows & (units.y == y)])) for y in classes)
