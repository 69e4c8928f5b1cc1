"""The error rate of a verdict: that of the same verdict in the nearest design of the planted cohorts.

``data/error_rates.tsv`` and ``data/found.tsv`` ship with the package; ``benchmarks/calibration`` counts them. A rate is
the share of verdicts of one kind that were wrong on the planted dimensions of all designs of one size and one
separation of disease from batch. Rates of the whole pipeline come first: they include the errors of the model that
finds the axes. Where too few such verdicts fell, those with given axes stand in. Rates belong to a level of
``probe.alpha``: where yours was not counted, the next looser one that was speaks, and beyond the loosest none does.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from scipy import stats

from mtlbio.tables import read_table
from mtlbio.text import joined

NO_CLAIM = "underpowered"  # the verdict that claims nothing, so that it cannot be wrong
REFUSED = "latents"  # kind of the audit's rows on tasks of which these latents can show nothing
FOUND = ["part", "donors", "separation", "what", "n", "hits", "rate", "low", "high"]
COLUMNS = ["part", "alpha", "donors", "separation", "verdict", "n", "wrong", "rate", "low", "high"]
ALPHA = 0.05  # the level of ``probe.alpha`` that most rates were counted at
LEAST = 20  # verdicts from which a rate says something
AXES_PENALTY = 1.0  # how much further away a whole-pipeline cell may lie before one with given axes is preferred
PARTS = {
    "axes": "given axes",
    "pipeline": "whole pipeline",
    "doses": "planted doses",
    "chains": "planted chains",
    "latents": "principal components of all donors",
    "times": "planted times",
}
# what a run (of times: a task of a run of measurements) is about -> the parts that speak for such, and for no others
SPEAK_FOR = {
    "measurements": ("axes", "pipeline"),
    "table": ("doses",),
    "chains": ("chains",),
    "latents": ("latents",),
    "times": ("times",),
    "blocks": (),  # none were counted
}
ANY_FALSE = "runs with any false biology"
SHIPPED = resources.files("mtlbio.probing") / "data"
# whose rates speak -> the planted dimension that was looked for, and what it is
_DRIVERS = {
    "blocks": ("interferon", "a programme that drives the disease"),
    "measurements": ("interferon", "a programme that drives the disease"),
    "latents": ("interferon", "a programme that drives the disease"),
    "table": ("enzyme", "a feature that drives the doses as the planted enzyme does"),
}
# what is right to say of it where the batch is the disease, of kinds where more than not_identifiable is: components of
# all donors are uncorrelated, so that what the batch does not carry still tells one case from another
_NESTED = {"latents": "not_identifiable, or biology for an outcome of the cases alone,"}
_UNITS = {"doses": "patients a drug", "chains": "held-out chains", "times": "events"}


@dataclass(frozen=True)
class Rate:
    """Share of such verdicts that were wrong on planted cohorts, its 95 % Wilson interval, and where it was counted."""

    error: float = np.nan
    low: float = np.nan
    high: float = np.nan
    counted: str | None = None


def wilson(hits: int, n: int) -> tuple[float, float, float]:
    """Rate and its 95 % Wilson interval (Wilson 1927); NaN where nothing was counted.

    Examples
    --------
    >>> [round(x, 3) for x in wilson(1, 20)]
    [0.05, 0.009, 0.236]
    """
    if n == 0:
        return np.nan, np.nan, np.nan
    interval = stats.binomtest(int(hits), int(n)).proportion_ci(method="wilson")
    return hits / n, float(interval.low), float(interval.high)


@cache
def shipped_rates() -> pd.DataFrame:
    """The error rates that ship with the package, columns ``COLUMNS``."""
    with resources.as_file(SHIPPED / "error_rates.tsv") as path:
        return read_table(path, COLUMNS)


@cache
def shipped_found() -> pd.DataFrame:
    """What was found on planted cohorts, columns ``FOUND``."""
    with resources.as_file(SHIPPED / "found.tsv") as path:
        return read_table(path, FOUND)


def separation_of(association: float) -> float:
    """P(batch = disease) of a balanced design with this Cramer's V (or correlation) of task and technical covariate."""
    return 0.5 + 0.5 * float(np.clip(association, 0.0, 1.0))


def speaking_for(rates: pd.DataFrame, about: str) -> pd.DataFrame:
    """The rows that were counted on runs of this kind, a key of ``SPEAK_FOR``."""
    return rates[rates["part"].isin(SPEAK_FOR[about])]


def nearest_rate(verdict: str, donors: float, separation: float, rates: pd.DataFrame) -> pd.Series | None:
    """The row of the rates that comes nearest, or None where the grid never gave this verdict often enough.

    Distance: ratio of donors on the log2 scale plus five times the difference in separation.
    """
    return _nearest(rates[(rates["verdict"] == verdict) & (rates["n"] >= LEAST)], donors, separation)


def at_level(rates: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """The rows of every part that were counted at this level of ``probe.alpha``, or at the next looser one."""
    looser = rates[rates["alpha"] >= alpha * (1 - 1e-9)]
    return looser[looser["alpha"] == looser.groupby("part")["alpha"].transform("min")]


def nearest_cell(found: pd.DataFrame, what: str, donors: float, separation: float) -> pd.DataFrame | None:
    """All rows of the cell nearest to a design among those in which ``what`` was counted, by ``what``."""
    row = _nearest(found[found["what"] == what], donors, separation)
    if row is None:
        return None
    place = ["part", "donors", "separation"]
    return found[(found[place] == row[place]).all(axis=1)].set_index("what")


def _nearest(cells: pd.DataFrame, donors: float, separation: float) -> pd.Series | None:
    if cells.empty or not np.isfinite(donors) or donors <= 0:
        return None
    distance = (np.log2(cells["donors"] / donors)).abs() + 5 * (cells["separation"] - separation).abs()
    return cells.loc[(distance + AXES_PENALTY * (cells["part"] == "axes")).idxmin()]


def rate_of(
    verdict: str,
    about: str,
    audit: pd.DataFrame,
    kind: str,
    alpha: float = ALPHA,
    rates: pd.DataFrame | None = None,
    events: float | None = None,
) -> Rate:
    """How often such a verdict was wrong; NaN where it claims nothing, was never given on such a design or at such a
    level, or where it is about a task that is refused: no planted model saw a label. Where any is refused
    ``not_identifiable`` has none either, for that may be said of the refused one.

    ``about``: the task that the verdict is about; ``audit``: the design audit, which knows that task's donors and how
    closely it goes with the technical covariates; ``kind``: of the run, a key of ``SPEAK_FOR``; ``alpha``:
    ``probe.alpha``; ``rates``: other than the shipped ones; ``events``: of a time, which count in place of donors.
    """
    cells = at_level(speaking_for(shipped_rates() if rates is None else rates, kind), alpha)
    refused = refused_in(audit)
    silent = verdict == NO_CLAIM or about in refused or (bool(refused) and verdict == "not_identifiable")
    donors, separation = design_of(audit, about)
    row = None if silent else nearest_rate(verdict, donors if events is None else events, separation, cells)
    if row is None:
        return Rate()
    level = ""
    if not np.isclose(row["alpha"], alpha):
        level = f", counted at probe.alpha {row['alpha']:g}"
    elif row["alpha"] != ALPHA:
        level = f", probe.alpha {row['alpha']:g}"
    where = f"{PARTS[row['part']]}, {_design(row)}{level}: {row['wrong']:.0f} of {row['n']:.0f} wrong"
    return Rate(row["rate"], row["low"], row["high"], where)


def design_of(audit: pd.DataFrame, task: str) -> tuple[float, float]:
    """Donors with the task's label, and the separation of task and batch: that of the closest technical covariate.

    NaN donors where the audit has no row of the task, which has no covariates then. Of relatives as many as would be
    unrelated donors, for those were planted.
    """
    rows = audit[(audit["kind"] == "task") & (audit["task"] == task)]
    if rows.empty:
        return np.nan, 0.5
    technical = rows[(rows["role"] == "technical") & rows["value"].notna()]
    value = cramers_v(technical)
    cost = audit.loc[(audit["kind"] == "family") & (audit["task"] == task), "value"].max()
    donors = float(rows["n_donors"].max()) / (1.0 if np.isnan(cost) else float(cost))
    return donors, separation_of(value.max() if len(value) else 0.0)


def cramers_v(pairs: pd.DataFrame) -> pd.Series:
    """How closely the pairs of some rows of the audit go together, on the scale of Cramer's V: that of shares of
    variance and of squared correlations is their root. NaN where nothing was measured.

    Examples
    --------
    >>> pairs = pd.DataFrame({"association": ["cramers_v", "eta2", "eta2"], "value": [0.3, 0.09, -0.01]})
    >>> [round(value, 6) for value in cramers_v(pairs)]
    [0.3, 0.3, 0.0]
    """
    return pairs["value"].where(pairs["association"] == "cramers_v", np.sqrt(pairs["value"].clip(lower=0)))


def refused_in(audit: pd.DataFrame) -> list[str]:
    """Tasks of which nothing can be claimed of these latents, in an audit that has them
    (:func:`mtlbio.probing.claims.with_refusals`)."""
    return audit.loc[audit["kind"] == REFUSED, "task"].tolist()


def _design(row: pd.Series) -> str:
    """The planted design of a row: cohorts without a batch of their own come nearest to those where it is harmless."""
    if row["part"] in _UNITS:
        return f"{row['donors']:.0f} {_UNITS[row['part']]}"
    apart, shared = "batch independent of disease", f"P(batch = disease) {row['separation']:g}"
    return f"{row['donors']:.0f} donors, {shared if row['separation'] > 0.5 else apart}"


def no_rate_at(alpha: float, kind: str, rates: pd.DataFrame | None = None) -> bool:
    """Whether no rate of this kind of run was counted at this level of ``probe.alpha`` or at a looser one."""
    return at_level(speaking_for(shipped_rates() if rates is None else rates, kind), alpha).empty


def prospects(
    audit: pd.DataFrame, task: str, kind: str, cells: pd.DataFrame | None = None, alpha: float = ALPHA
) -> str | None:
    """One sentence before any training: what such a design gave on planted cohorts. None where nothing comes near, and
    of a task that is refused.

    ``kind``: whose rates speak, a key of ``_DRIVERS``; ``alpha``: ``probe.alpha`` of the run, which is said where the
    cohorts were tried at another.
    """
    cells = speaking_for(shipped_found() if cells is None else cells, kind)
    donors, separation = design_of(audit, task)
    driver, drives = _DRIVERS[kind]
    cell = nearest_cell(cells, driver, donors, separation)
    if cell is None or ANY_FALSE not in cell.index or task in refused_in(audit):
        return None
    right, false = cell.loc[driver], cell.loc[ANY_FALSE]
    named = _NESTED.get(kind, "not_identifiable") if right["separation"] >= 1 else "biology"
    return (
        f"{task}: on the planted cohorts nearest to yours ({_design(false)}) {drives} was "
        f"called {named} in {_percent(right)} of the cohorts, and {_percent(false)} of the runs held any false biology."
        f"{_tried_at(alpha)}"
    )


def findable(
    audit: pd.DataFrame, task: str, kind: str, cells: pd.DataFrame | None = None, alpha: float = ALPHA
) -> str | None:
    """One sentence on the share of planted programmes that was found, by size; None where none is known, and of a task
    that is refused.

    Of the separation nearest to that of the task, and of the part of the grid that has most sizes. ``alpha``: as of
    :func:`prospects`.
    """
    cells = speaking_for(shipped_found() if cells is None else cells, kind)
    donors, separation = design_of(audit, task)
    driver, drives = _DRIVERS.get(kind, (None, None))
    rows = cells[cells["what"] == driver]
    if rows.empty or task in refused_in(audit):
        return None
    rows = rows[rows["part"] == rows.groupby("part")["donors"].nunique().idxmax()]
    cell = nearest_cell(rows, str(driver), donors, separation)
    if cell is None:
        return None
    nearest = cell["separation"].iloc[0]
    rows = rows[rows["separation"] == nearest].sort_values("donors")
    unit = _UNITS.get(rows["part"].iloc[0], "donors")
    called = "found" if nearest < 0.9 else "found, or rightly called not_identifiable," if nearest < 1 else None
    if called is None:  # batch and outcome are the same
        return f"{task}: where the batch is the outcome, no number of {unit} finds {drives}."
    found = [f"{100 * row.rate:.0f} % with {row.donors:.0f}" for row in rows.itertuples()]
    return (
        f"{task}: of planted cohorts ({PARTS[rows['part'].iloc[0]]}), {drives} was {called} in {joined(found)} {unit}."
        f"{_tried_at(alpha)}"
    )


def _tried_at(alpha: float) -> str:
    """At which level the planted cohorts were tried, where it is another than that of the run."""
    return "" if np.isclose(alpha, ALPHA) else f" Counted at probe.alpha {ALPHA:g}; this run has {alpha:g}."


def _percent(row: pd.Series) -> str:
    return f"{100 * row['rate']:.1f} % ({100 * row['low']:.1f}-{100 * row['high']:.1f})"
