"""Planted cohorts whose axes are given: the trial is judged apart from the model that finds the axes.

A cohort takes a millisecond, so hundreds per cell of the calibration grid are affordable. Cohorts with genes, on which
the whole pipeline is judged, come from :mod:`mtlbio.cohort.simulate`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.labels import Binary, Regression

TASKS = {
    "disease": Binary("disease", ("healthy", "case")),
    "response": Binary("response", ("no", "yes")),
    "age": Regression("age"),
}
COVARIATES = {
    "age": CovariateInfo("age", "confounder", "continuous"),
    "sex": CovariateInfo("sex", "confounder", "categorical"),
    "batch": CovariateInfo("batch", "technical", "categorical"),
}
ROLES = ("age", "interferon", "batch", "composition", "sex")


@dataclass(frozen=True)
class Design:
    """What is planted in a cohort.

    Attributes
    ----------
    donors : how many
    interferon, age_effect : log odds of disease per standard deviation of interferon / of the shaped age
    shape : ``linear``, ``u``, ``step`` or ``age_x_batch``
    interferon_age : correlation of interferon with age
    batch_disease : P(batch = disease): .5 balanced, 1 nested
    batches : how many
    noise_dims : axes of nothing: the latent is larger than the truth
    leak : loading of interferon on the batch, age and composition axes (.1 = 1 % of the variance)
    unexplained : share of an axis' variance that is not its programme
    visits : samples per donor
    response : what drives the response: ``interferon``, ``age``, ``batch`` or ``nothing``
    labelled : share of donors whose response is known
    shaped_axis : the age axis follows the shape through which age acts on disease (the hardest null)
    merged : ``a+b``: the latent is smaller than the truth, two programmes share one axis
    overlap : loading of every axis on its successor: programmes with common genes
    scattered : so many axes that hold nothing, one programme or two, of any share, in the place of all others
    """

    donors: int = 120
    interferon: float = 1.5
    age_effect: float = 0.8
    shape: str = "linear"
    interferon_age: float = 0.0
    batch_disease: float = 0.5
    batches: int = 2
    noise_dims: int = 5
    leak: float = 0.1
    unexplained: float = 0.1
    visits: int = 1
    response: str = "interferon"
    labelled: float = 0.6
    shaped_axis: bool = False
    merged: str | None = None
    overlap: float = 0.0
    scattered: int = 0

    @property
    def roles(self) -> tuple[str, ...]:
        """(D,) the programme of every axis, ``a+b`` for a merged one, ``noise``."""
        if self.scattered:
            return ("axis",) * self.scattered
        merged = [] if self.merged is None else [self.merged]
        alone = [role for role in ROLES if not merged or role not in self.merged.split("+")]
        return (*merged, *alone, *["noise"] * self.noise_dims)


@dataclass(frozen=True)
class Planted:
    """A cohort of which every axis is known.

    Attributes
    ----------
    z : (samples, D) axes
    shares : (D, programmes) share of each axis' variance that is planted as each programme, columns ``ROLES``
    roles : (D,) the programme of the axis, ``a+b`` for a merged one, ``noise``; ``axis`` of a scattered one
    obs, cohort : labels and covariates; expression of twenty genes per axis
    sets : gene sets: the interferon genes, and random ones
    """

    z: np.ndarray
    shares: pd.DataFrame
    roles: tuple[str, ...]
    obs: pd.DataFrame
    cohort: Cohort
    sets: dict[str, list[str]]


def plant(donors: int = 120, seed: int = 0, **design) -> Planted:
    """A cohort of the given design; ``design`` are further fields of :class:`Design`."""
    design = Design(donors, **design)
    rng = np.random.default_rng([seed, 77])
    people, activity = _people(design, rng)
    repeat = np.repeat(np.arange(donors), design.visits)
    weights, noise = _scattered(design.scattered, rng) if design.scattered else _loadings(design)
    z = (np.column_stack([activity[role] for role in ROLES]) @ weights.T)[repeat]
    # half of what is unexplained belongs to the donor, half to the visit
    own = rng.normal(size=(donors, len(weights)))[repeat] + rng.normal(size=z.shape)
    z += np.sqrt(noise / 2) * own
    shares = pd.DataFrame(np.square(weights), columns=list(ROLES))
    shares = shares.div(np.square(weights).sum(axis=1) + noise, axis=0)
    obs = people.iloc[repeat].set_axis([f"s{i:05d}" for i in range(len(repeat))])
    return with_genes(z, shares, design.roles, obs, rng)


def with_genes(
    z,
    shares,
    roles: tuple[str, ...],
    obs,
    rng: np.random.Generator,
    tasks: dict | None = None,
    covariates: dict[str, CovariateInfo] | None = None,
) -> Planted:
    """The cohort whose genes measure the axes ``z``; arguments as the fields of :class:`Planted`; ``covariates``:
    beside those of every cohort."""
    genes, sets, expression = _genes(z, roles, rng)
    tasks, covariates = dict(TASKS if tasks is None else tasks), COVARIATES | (covariates or {})
    cohort = Cohort(expression, genes, obs, tasks, covariates)
    return Planted(z, shares, roles, obs, cohort, sets)


def _people(design: Design, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Labels and covariates of the donors, a row each, and what every programme of ``ROLES`` does in them (donors,)."""
    n = design.donors
    age = rng.uniform(20, 80, n)
    age_z = (age - 50) / 17.3
    sex = rng.integers(0, 2, n)
    interferon = design.interferon_age * age_z + np.sqrt(1 - design.interferon_age**2) * rng.normal(size=n)
    half = rng.integers(0, 2, n) if design.shape == "age_x_batch" else None
    shaped = _shaped(design.shape, age_z, half)
    disease = _drawn(design.interferon * interferon + design.age_effect * shaped, rng)
    if half is None:
        half = np.where(rng.random(n) < design.batch_disease, disease, 1 - disease)
    batch = half * (design.batches // 2) + rng.integers(0, design.batches // 2, n)
    level = _unit(np.linspace(-1, 1, design.batches)[batch])
    composition = rng.normal(size=n)
    causes = {"interferon": interferon, "age": age_z, "batch": level, "nothing": np.zeros(n)}
    response = _drawn(1.5 * causes[design.response], rng)
    answered = rng.random(n) < design.labelled
    people = pd.DataFrame(
        {
            "donor": [f"d{i:04d}" for i in range(n)],
            "disease": np.array(TASKS["disease"].classes)[disease],
            "response": np.where(answered, np.array(TASKS["response"].classes)[response], None),
            "age": age,
            "sex": np.array(["f", "m"])[sex],
            "batch": np.array([f"B{b}" for b in batch]),
        }
    )
    followed = _unit(shaped if design.shaped_axis else age_z)
    activity = {"age": followed, "interferon": interferon, "batch": level, "composition": composition}
    return people, activity | {"sex": _unit(sex.astype(float))}


def _shaped(shape: str, age: np.ndarray, half: np.ndarray | None) -> np.ndarray:
    """(n,) what of the standardised age acts on disease; ``half``: the half of the batches, where it acts by batch."""
    if half is not None:
        return age * np.where(half == 1, 1.0, -1.0)
    return {"linear": age, "u": (age**2 - 1) / 0.9, "step": np.where(age > 0.5, 1.5, -0.75)}[shape]


def _drawn(log_odds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) 0 or 1."""
    return (rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds))).astype(int)


def _loadings(design: Design) -> tuple[np.ndarray, np.ndarray]:
    """(D, programmes) loading of every axis on ``ROLES``, and (D,) the variance that is no programme's."""
    weights = np.zeros((len(design.roles), len(ROLES)))
    for d, role in enumerate(design.roles):
        own = [ROLES.index(part) for part in role.split("+") if part in ROLES]
        weights[d, own] = np.sqrt((1 - design.unexplained) / max(len(own), 1))
        if role in ("age", "batch", "composition"):
            weights[d, ROLES.index("interferon")] += design.leak
        if design.overlap and own:
            weights[d, (own[-1] + 1) % len(ROLES)] += design.overlap
    return weights, np.where(weights.any(axis=1), design.unexplained, 1.0)


def _scattered(axes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same of axes with no programme (40 %), one (40 %) or two, which have 5-95 % of the variance."""
    shares = np.zeros((axes, len(ROLES)))
    for share in shares:
        chosen = rng.choice(len(ROLES), rng.choice(3, p=[0.4, 0.4, 0.2]), replace=False)
        parts = rng.uniform(0.1, 1.0, len(chosen))
        share[chosen] = rng.uniform(0.05, 0.95) * parts / max(parts.sum(), 1e-9)
    return np.sqrt(shares) * rng.choice([-1.0, 1.0], shares.shape), 1 - shares.sum(axis=1)


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(values.std(), 1e-9)


def _genes(z: np.ndarray, roles: tuple[str, ...], rng: np.random.Generator):
    """Twenty genes per axis, measured with noise; the interferon genes make a gene set, and so do random ones."""
    genes = tuple(f"{role.upper()}{d}_{g}" for d, role in enumerate(roles) for g in range(20))
    expression = np.repeat(z, 20, axis=1) + 0.7 * rng.normal(size=(len(z), len(genes)))
    sets = {"INTERFERON_SET": [g for g in genes if g.startswith("INTERFERON")]}
    sets |= {f"RANDOM_{k}": list(rng.choice(genes, 20, replace=False)) for k in range(10)}
    return genes, sets, expression.astype(np.float32)
