"""Designs that real cohorts have and the grid of :mod:`benchmarks.calibration.cells` does not: axes are given, and what
varies is how the donors came together. None of them speaks for the shipped rates; docs/designs.md lists them all.

Of ten axes the first is interferon, which drives disease and response, and the others drive nothing, whatever else of
the design they hold. So ``biology`` of any other axis is false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.given_axes import judge_planted
from benchmarks.calibration.planted import COVARIATES, TASKS, Planted, with_genes
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.composition import estimate_composition
from mtlbio.cohort.composition_covariates import columns_of
from mtlbio.cohort.family import FAMILY, ORDER
from mtlbio.config import Covariate

AXES = 10
CELL_TYPES, MARKERS = 6, 20


class People:
    """The donors of a design, to be changed by it before their labels are drawn.

    Attributes
    ----------
    age : (n,) years; ``aged`` (n,) standardised
    z : (n, AXES) axes, interferon first
    log_odds : (n,) of disease, so far
    covariates : as the run declares them
    batch : (n,) codes
    """

    def __init__(self, donors: int, rng: np.random.Generator):
        self.n, self.rng = donors, rng
        self.age = rng.uniform(20, 80, donors)
        self.aged = (self.age - 50) / 17.3
        self.sex = rng.integers(0, 2, donors)
        self.z = rng.normal(size=(donors, AXES))
        self.batch = rng.integers(0, 2, donors)
        self.log_odds = self.z[:, 0] + 0.8 * self.aged
        self.outcomes: tuple[str, ...] = ("disease", "response", "age")
        self.disease = np.zeros(0)
        self.covariates: dict[str, CovariateInfo] = {}  # beside those of every cohort

    def draw(self) -> None:
        """Draw the disease from its log odds."""
        self.disease = (self.rng.random(self.n) < 1 / (1 + np.exp(-self.log_odds))).astype(int)

    def hold(self, activity: np.ndarray, share: np.ndarray, axes: slice = slice(None)) -> None:
        """Give axes a share (k,) of an activity (n, k) in the place of their own."""
        self.z[:, axes] = np.sqrt(1 - share) * self.z[:, axes] + np.sqrt(share) * activity

    def table(self) -> pd.DataFrame:
        """Labels and covariates, a row per donor; three fifths have a response."""
        response = (self.rng.random(self.n) < 1 / (1 + np.exp(-1.5 * self.z[:, 0]))).astype(int)
        known = self.rng.random(self.n) < 0.6
        return pd.DataFrame(
            {
                "donor": [f"d{i:04d}" for i in range(self.n)],
                "disease": np.array(TASKS["disease"].classes)[self.disease],
                "response": np.where(known, np.array(TASKS["response"].classes)[response], None),
                "age": self.age,
                "sex": np.array(["f", "m"])[self.sex],
                "batch": [f"B{k}" for k in self.batch],
            }
        )


def small_batches(size: int) -> Callable[[People], pd.DataFrame]:
    """Batches of ``size`` donors."""

    def design(people: People) -> pd.DataFrame:
        """Most donors of a batch are of one state (P = .85); 10-20 % of every axis goes with the batch, most of that
        with the half of the batches that holds the cases."""
        people.draw()
        rng, disease = people.rng, people.disease
        half = np.where(rng.random(people.n) < 0.85, disease, 1 - disease)
        for side in (0, 1):
            members = np.flatnonzero(half == side)
            people.batch[members] = 1000 * side + np.arange(len(members)) % max(1, len(members) // size)
        codes = np.unique(people.batch, return_inverse=True)[1]
        common = np.where(half == 1, 1.0, -1.0)[:, None] * rng.choice([-1.0, 1.0], AXES)
        single = rng.normal(size=(codes.max() + 1, AXES))[codes]
        people.hold(0.9 * common + 0.44 * single, rng.uniform(0.1, 0.2, AXES))
        return people.table()

    return design


def matched_pairs(people: People) -> pd.DataFrame:
    """A case and a control of a pair, which is the batch; most of what an axis is, a pair has in common."""
    people.disease = np.arange(people.n) % 2
    people.batch = np.arange(people.n) // 2
    people.hold(people.rng.normal(size=(people.n // 2, AXES))[people.batch], np.full(AXES, 0.4))
    people.z[:, 0] += people.disease
    people.outcomes = ("disease", "age")
    return people.table()


def _aged(people: People, acts: np.ndarray, effect: float = 1.2) -> None:
    """4-20 % of every other axis goes with what age does (n,), and so does disease; no axis is age."""
    share = np.square(people.rng.uniform(0.2, 0.45, AXES - 1))
    people.hold(np.repeat(acts[:, None], AXES - 1, axis=1), share, slice(1, None))
    people.log_odds = people.z[:, 0] + effect * acts
    people.draw()


def _recorded_with_error(people: People) -> pd.DataFrame:
    table = people.table()
    return table.assign(age=table["age"] + people.rng.normal(0, 10, people.n))


def age_unknown(people: People) -> pd.DataFrame:
    """Age is missing at random for three of ten donors."""
    _aged(people, people.aged)
    table = people.table()
    return table.assign(age=np.where(people.rng.random(people.n) < 0.3, np.nan, table["age"]))


def age_with_error(people: People) -> pd.DataFrame:
    """Age is recorded with an error of ten years."""
    _aged(people, people.aged)
    return _recorded_with_error(people)


def _declared(people: People) -> None:
    age = COVARIATES["age"]
    people.covariates["age"] = replace(age, reliability=300 / (300 + 100))  # of 20-80 years, evenly


def age_with_declared_error(people: People) -> pd.DataFrame:
    """The same, and the run says so: a reliability of .75."""
    _declared(people)
    return age_with_error(people)


def curved_age_with_error(people: People) -> pd.DataFrame:
    """Age is recorded with an error of ten years, and acts U-shaped: the young and the old are ill, and 4-20 % of every
    other axis is what they have in common."""
    _aged(people, (np.square(people.aged) - 1) / 0.9, 1.5)
    return _recorded_with_error(people)


def curved_age_with_declared_error(people: People) -> pd.DataFrame:
    """The same, and the run says so: a reliability of .75."""
    _declared(people)
    return curved_age_with_error(people)


def variable_cases(people: People) -> pd.DataFrame:
    """Cases are a sixth of the donors and vary four times as much."""
    people.log_odds = people.log_odds - 2.0
    people.draw()
    people.z[:, 1:] *= np.where(people.disease == 1, 2.0, 1.0)[:, None]
    return people.table()


def rare_cases(people: People) -> pd.DataFrame:
    """One donor in twelve is a case."""
    people.log_odds = people.log_odds - 3.0
    people.draw()
    return people.table()


def outlying(people: People) -> pd.DataFrame:
    """One donor in forty lies eight times as far out as the others, on every axis."""
    people.draw()
    people.z[people.rng.choice(people.n, max(2, people.n // 40), replace=False)] *= 8
    return people.table()


def families(people: People) -> pd.DataFrame:
    """Four members of a family count as four donors; disease and axes run in families (intraclass correlation .6)."""
    family = np.arange(people.n) // 4
    people.hold(people.rng.normal(size=(family.max() + 1, AXES - 1))[family], np.full(AXES - 1, 0.6), slice(1, None))
    people.log_odds = people.log_odds + 1.5 * people.rng.normal(size=family.max() + 1)[family]
    people.draw()
    return people.table()


def recorded_families(people: People) -> pd.DataFrame:
    """The same families, and the run says who belongs to which (metadata.family)."""
    return families(people).assign(**{FAMILY: [f"F{k:03d}" for k in np.arange(people.n) // 4]})


def more_visits_of_cases(people: People) -> pd.DataFrame:
    """Cases come three times, controls once or twice; every visit moves the axes, and is not recorded."""
    people.draw()
    visits = np.where(people.disease == 1, 3, people.rng.integers(1, 3, people.n))
    return _visited(people, visits)


def some_more_visits_of_cases(people: People) -> pd.DataFrame:
    """Cases come one to six times (Poisson, mean 3), controls one to three times; every visit moves the axes but the
    first, and is not recorded."""
    people.draw()
    case = people.disease == 1
    visits = np.where(case, np.clip(people.rng.poisson(3, people.n), 1, 6), people.rng.integers(1, 4, people.n))
    return _visited(people, visits)


def _visited(people: People, visits: np.ndarray) -> pd.DataFrame:
    """Every visit (visits: (n,) of each donor) moves all axes but the first."""
    repeat = np.repeat(np.arange(people.n), visits)
    visit = np.concatenate([np.arange(count) for count in visits])
    drift = people.rng.uniform(0.2, 0.5, AXES) * people.rng.choice([-1.0, 1.0], AXES)
    drift[0] = 0.0
    table = people.table().iloc[repeat]
    people.z = people.z[repeat] + visit[:, None] * drift + 0.3 * people.rng.normal(size=(len(repeat), AXES))
    return table


def cases_later(people: People) -> pd.DataFrame:
    """Cases were sampled later, by two standard deviations of the time of either, and what is measured drifts: half of
    every axis is its time; the order is recorded (metadata.order)."""
    people.draw()
    time = 2.0 * people.disease + people.rng.normal(size=people.n)
    ranks = stats.rankdata(time)
    drift = (ranks - ranks.mean()) / ranks.std()
    people.z = people.z + drift[:, None] * people.rng.choice([-1.0, 1.0], AXES)
    people.outcomes = ("disease", "age")
    return people.table().assign(**{ORDER: time})


def before_and_after(people: People) -> pd.DataFrame:
    """Every donor is seen before and after; only the first axis changes."""
    people.draw()
    table = people.table().iloc[np.repeat(np.arange(people.n), 2)]
    state = np.tile([0, 1], people.n)
    people.z = people.z[np.repeat(np.arange(people.n), 2)] + 0.7 * people.rng.normal(size=(2 * people.n, AXES))
    people.z[:, 0] += 0.6 * state
    people.outcomes = ("disease", "age")
    return table.assign(disease=np.array(TASKS["disease"].classes)[state])


def composition(people: People) -> pd.DataFrame:
    """Cell-type composition drives disease (log odds 1.2 per SD) and is 30-70 % of half of the axes; not recorded."""
    _composed(people)
    return people.table()


def composition_estimated(people: People) -> pd.DataFrame:
    """The same, estimated from twenty marker genes per cell type (reliability .95, as in blood) and held fixed."""
    shares = _composed(people)
    kinds = [f"cells{k + 1}" for k in range(CELL_TYPES)]
    markers = {kind: [f"{kind}_{g}" for g in range(MARKERS)] for kind in kinds}
    genes = [gene for listed in markers.values() for gene in listed]
    measured = np.repeat(np.log2(shares), MARKERS, axis=1) + 0.7 * people.rng.normal(size=(people.n, len(genes)))
    table = people.table()
    donors = table["donor"].to_numpy()
    found = estimate_composition(measured, genes, donors, markers)
    columns, _, _ = columns_of(found, Covariate.model_validate({"estimate": True}), donors, "planted")
    columns = columns.rename(columns=lambda kind: f"composition_{kind}")
    people.covariates = {c: CovariateInfo(c, "confounder", "continuous", estimated="composition") for c in columns}
    return table.join(columns)


def _composed(people: People) -> np.ndarray:
    """Disease and axes that follow composition; (n, CELL_TYPES) shares of the cells."""
    rng = people.rng
    logs = rng.normal(size=CELL_TYPES) + 0.5 * rng.normal(size=(people.n, CELL_TYPES))
    shares = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    # most of what differs between people is one direction: neutrophils against lymphocytes
    followed = np.log(shares) @ (rng.normal(size=(CELL_TYPES, 1)) + 0.6 * rng.normal(size=(CELL_TYPES, 1 + AXES // 2)))
    followed = (followed - followed.mean(axis=0)) / followed.std(axis=0)
    people.hold(followed[:, 1:], rng.uniform(0.3, 0.7, AXES // 2), slice(1, 1 + AXES // 2))
    people.log_odds = people.log_odds + 1.2 * followed[:, 0]
    people.draw()
    return shares


def disease_only(people: People) -> pd.DataFrame:
    """One outcome, log odds 1."""
    people.draw()
    people.outcomes = ("disease", "age")
    return people.table()


def nothing(people: People) -> pd.DataFrame:
    """One outcome, which nothing but age drives."""
    people.log_odds = 0.8 * people.aged
    people.draw()
    people.outcomes = ("disease", "age")
    return people.table()


# name -> design, sizes, whether the first axis drives anything
DESIGNS: dict[str, tuple[Callable[[People], pd.DataFrame], tuple[int, ...], bool]] = {
    "one outcome, log odds 1": (disease_only, (80, 200), True),
    "one outcome, nothing drives it but age": (nothing, (80, 200), False),
    "before and after in one donor": (before_and_after, (20, 40), True),
    "batches of four, P .85": (small_batches(4), (120, 300), True),
    "batches of two, P .85": (small_batches(2), (120,), True),
    "batches of three, P .85": (small_batches(3), (60, 120), True),
    "matched pairs": (matched_pairs, (20, 40, 80), True),
    "a batch per donor": (small_batches(1), (80,), True),
    "batches of ten, P .85": (small_batches(10), (120,), True),
    "age unknown for 30 %, no age axis": (age_unknown, (80, 300), True),
    "age recorded with an error of ten years, no age axis": (age_with_error, (80, 300), True),
    "age recorded with an error of ten years, its reliability declared": (age_with_declared_error, (80, 300), True),
    "U-shaped age recorded with an error of ten years": (curved_age_with_error, (80, 300), True),
    "U-shaped age recorded with an error of ten years, its reliability declared": (
        curved_age_with_declared_error,
        (80, 300),
        True,
    ),
    "cases vary four times as much, one in six": (variable_cases, (80, 200), True),
    "one case in twelve": (rare_cases, (80, 200), True),
    "outlying donors": (outlying, (80, 200), True),
    "families of four count as donors": (families, (120,), True),
    "families of four, recorded": (recorded_families, (60, 120), True),
    "cases have more visits": (more_visits_of_cases, (120,), True),
    "cases have more visits, some as few as controls": (some_more_visits_of_cases, (80, 200), True),
    "cases were sampled later, measurements drift": (cases_later, (80, 200), True),
    "composition drives disease and half of the axes, not recorded": (composition, (80, 200), True),
    "composition drives disease and half of the axes, estimated": (composition_estimated, (40, 80, 200), True),
}


def designs_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells and how many cohorts of each."""
    changes = {True: BASE, False: {**BASE, "interferon": 0.0, "response": "nothing"}}
    return [
        (Cell(name, n, changes[drives]), 200 if full else 4)
        for name, (_, sizes, drives) in DESIGNS.items()
        for n in sizes
    ]


def plant_design(name: str, donors: int, seed: int) -> tuple[Planted, list[str]]:
    """A cohort of a design, and the role of every axis."""
    rng = np.random.default_rng([seed, 4711])
    people = People(donors, rng)
    obs = DESIGNS[name][0](people)
    obs = obs.set_axis([f"s{i:05d}" for i in range(len(obs))])
    z = np.sqrt(0.9) * people.z + np.sqrt(0.1) * rng.normal(size=people.z.shape)
    roles = ["interferon", *["noise"] * (AXES - 1)]
    tasks = {task: TASKS[task] for task in people.outcomes}
    return with_genes(z, pd.DataFrame(), tuple(roles), obs, rng, tasks, people.covariates), roles


def judge_designs(cell: Cell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell."""
    planted, roles = plant_design(cell.arm, cell.donors, run)
    return judge_planted(planted, roles, cell, run)[0]
