"""Planted cohorts whose axes are given: the trial is judged apart from the model that finds the axes.

A cohort takes a millisecond, so hundreds per cell of the calibration grid are affordable. Cohorts with genes, on which
the whole pipeline is judged, come from :mod:`mtlbio.cohort.simulate`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from mtlbio.calibration.cells import Cell
from mtlbio.calibration.roles import role_of
from mtlbio.calibration.score import firm_p, scored
from mtlbio.cohort.cohort import Cohort, CovariateInfo, TaskInfo
from mtlbio.config import Probe
from mtlbio.probing.audit import audit, inseparable
from mtlbio.probing.trial import Trial

TASKS = {
    "disease": TaskInfo("disease", "binary", ("healthy", "case")),
    "response": TaskInfo("response", "binary", ("no", "yes")),
    "age": TaskInfo("age", "regression"),
}
COVARIATES = {
    "age": CovariateInfo("age", "confounder", "continuous"),
    "sex": CovariateInfo("sex", "confounder", "categorical"),
    "batch": CovariateInfo("batch", "technical", "categorical"),
}
ROLES = ("age", "interferon", "batch", "composition", "sex")


@dataclass(frozen=True)
class Planted:
    """A cohort of which every axis is known.

    Attributes
    ----------
    z : (samples, D) axes
    shares : (D, programmes) share of each axis' variance that is planted as each programme, columns ``ROLES``
    roles : (D,) the programme of the axis, ``a+b`` for a merged one, ``noise``
    obs, cohort : labels and covariates; expression of twenty genes per axis
    sets : gene sets: the interferon genes, and random ones
    """

    z: np.ndarray
    shares: pd.DataFrame
    roles: tuple[str, ...]
    obs: pd.DataFrame
    cohort: Cohort
    sets: dict[str, list[str]]


def plant(
    donors: int = 120,
    seed: int = 0,
    interferon: float = 1.5,
    age_effect: float = 0.8,
    shape: str = "linear",
    interferon_age: float = 0.0,
    batch_disease: float = 0.5,
    batches: int = 2,
    noise_dims: int = 5,
    leak: float = 0.1,
    unexplained: float = 0.1,
    visits: int = 1,
    response: str = "interferon",
    labelled: float = 0.6,
    shaped_axis: bool = False,
    merged: str | None = None,
    overlap: float = 0.0,
) -> Planted:
    """Donors, labels and axes.

    Parameters
    ----------
    interferon, age_effect : log odds of disease per standard deviation of interferon / of the shaped age
    shape : ``linear``, ``u``, ``step`` or ``age_x_batch``
    interferon_age : correlation of interferon with age
    batch_disease : P(batch = disease): .5 balanced, 1 nested
    noise_dims : axes of nothing: the latent is larger than the truth
    leak : loading of interferon on the batch, age and composition axes (.1 = 1 % of the variance)
    unexplained : share of an axis' variance that is not its programme
    response : what drives the response: ``interferon``, ``age``, ``batch`` or ``nothing``
    labelled : share of donors whose response is known
    shaped_axis : the age axis follows the shape through which age acts on disease (the hardest null)
    merged : ``a+b``: the latent is smaller than the truth, two programmes share one axis
    overlap : loading of every axis on its successor: programmes with common genes
    """
    rng = np.random.default_rng([seed, 77])
    age = rng.uniform(20, 80, donors)
    age_z = (age - 50) / 17.3
    shaped = {"linear": age_z, "u": (age_z**2 - 1) / 0.9, "step": np.where(age_z > 0.5, 1.5, -0.75)}.get(shape)
    sex = rng.integers(0, 2, donors)
    ifn = interferon_age * age_z + np.sqrt(1 - interferon_age**2) * rng.normal(size=donors)
    half = rng.integers(0, 2, donors) if shape == "age_x_batch" else None
    if half is not None:
        shaped = age_z * np.where(half == 1, 1.0, -1.0)
    disease = (rng.random(donors) < 1 / (1 + np.exp(-(interferon * ifn + age_effect * shaped)))).astype(int)
    if half is None:
        half = np.where(rng.random(donors) < batch_disease, disease, 1 - disease)
    batch = half * (batches // 2) + rng.integers(0, batches // 2, donors)
    centre = np.linspace(-1, 1, batches) if batches > 2 else np.array([-1.0, 1.0])
    composition = rng.normal(size=donors)
    cause = {"interferon": ifn, "age": age_z, "batch": _unit(centre[batch]), "nothing": np.zeros(donors)}[response]
    answer = (rng.random(donors) < 1 / (1 + np.exp(-1.5 * cause))).astype(int)
    answered = rng.random(donors) < labelled

    repeat = np.repeat(np.arange(donors), visits)
    follows = shaped if shaped_axis else age_z
    parts = {"age": _unit(follows), "interferon": ifn, "batch": _unit(centre[batch]), "composition": composition}
    parts["sex"] = _unit(sex.astype(float))
    roles = list(ROLES)
    if merged:
        roles = [merged, *(r for r in ROLES if r not in merged.split("+"))]
    roles += ["noise"] * noise_dims
    weights = np.zeros((len(roles), len(ROLES)))
    for d, role in enumerate(roles):
        own = [ROLES.index(r) for r in role.split("+") if r in ROLES]
        weights[d, own] = np.sqrt((1 - unexplained) / max(len(own), 1))
        if role in ("age", "batch", "composition"):
            weights[d, ROLES.index("interferon")] += leak
        if overlap and own:
            weights[d, (own[-1] + 1) % len(ROLES)] += overlap
    noise = np.where(weights.any(axis=1), unexplained, 1.0)
    z = (np.column_stack([parts[r] for r in ROLES]) @ weights.T)[repeat]
    # half of what is unexplained belongs to the donor, half to the visit
    own = rng.normal(size=(donors, len(roles)))[repeat] + rng.normal(size=z.shape)
    z += np.sqrt(noise / 2) * own
    shares = pd.DataFrame(np.square(weights), columns=list(ROLES))
    shares = shares.div(np.square(weights).sum(axis=1) + noise, axis=0)
    names = [f"d{i:04d}" for i in range(donors)]
    known = pd.Series(np.where(answered, np.array(TASKS["response"].classes)[answer], None))
    obs = pd.DataFrame(
        {
            "donor": np.array(names)[repeat],
            "disease": np.array(TASKS["disease"].classes)[disease][repeat],
            "response": known[repeat].to_numpy(),
            "age": age[repeat],
            "sex": np.array(["f", "m"])[sex][repeat],
            "batch": np.array([f"B{b}" for b in batch])[repeat],
        },
        index=[f"s{i:05d}" for i in range(len(repeat))],
    )
    genes, sets, expression = _genes(z, tuple(roles), rng)
    cohort = Cohort(expression, genes, obs, dict(TASKS), dict(COVARIATES))
    return Planted(z, shares, tuple(roles), obs, cohort, sets)


def trial_of(planted: Planted, **options) -> Trial:
    """The trial of a planted cohort, its design audited."""
    probe = Probe(**{"permutations": 199, "bootstrap": 200, **options})
    pairs = inseparable(audit(planted.obs, TASKS, COVARIATES, probe))
    dims = tuple(f"z{i + 1:02d}" for i in range(planted.z.shape[1]))
    block = np.array(["axis"] * len(dims))
    return Trial(planted.z, dims, block, planted.obs, dict(TASKS), dict(COVARIATES), probe, frozenset(pairs))


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(values.std(), 1e-9)


def _genes(z: np.ndarray, roles: tuple[str, ...], rng: np.random.Generator):
    """Twenty genes per axis, measured with noise; the interferon genes make a gene set, and so do random ones."""
    genes = tuple(f"{role.upper()}{d}_{g}" for d, role in enumerate(roles) for g in range(20))
    expression = np.repeat(z, 20, axis=1) + 0.7 * rng.normal(size=(len(z), len(genes)))
    sets = {"INTERFERON_SET": [g for g in genes if g.startswith("INTERFERON")]}
    sets |= {f"RANDOM_{k}": list(rng.choice(genes, 20, replace=False)) for k in range(10)}
    return genes, sets, expression.astype(np.float32)


class GivenAxes:
    """The interface of :class:`mtlbio.model.ensemble.Ensemble`: axes are the mean of their twenty genes, heads are
    ridge regressions (on 0/1 for binary tasks) fitted on the training donors; two seeds that differ a little."""

    def __init__(self, planted: Planted, fold: np.ndarray, seeds: int = 2):
        self.tasks, self.dims = planted.cohort.tasks, tuple(f"z{i + 1:02d}" for i in range(planted.z.shape[1]))
        self.seeds = seeds
        cohort = planted.cohort
        self.heads = {}
        for f in np.unique(fold):
            train = ~np.isin(cohort.donors, cohort.donors[fold == f])
            latents = self.latents(cohort.expression, f)
            for name in self.tasks:
                y = cohort.y(name)
                rows = train & ~np.isnan(y)
                for s in range(seeds):
                    x = np.column_stack([np.ones(rows.sum()), latents[s, rows]])
                    ridge = np.diag([0.0, *[5.0] * (x.shape[1] - 1)])
                    self.heads[name, f, s] = np.linalg.solve(x.T @ x + ridge, x.T @ y[rows])

    def latents(self, expression: np.ndarray, fold: int) -> np.ndarray:
        z = expression.reshape(len(expression), -1, 20).mean(axis=2).astype(float)
        rng = np.random.default_rng([1, int(fold) + 1])
        return np.stack([z * (1 + 0.02 * rng.normal(size=z.shape[1])) for _ in range(self.seeds)])

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        heads = [self.heads[task, fold, s] for s in range(self.seeds)]
        score = np.stack([h[0] + z @ h[1:] for h, z in zip(heads, latents, strict=True)])
        return score if self.tasks[task].kind == "regression" else 1 / (1 + np.exp(-4 * (score - 0.5)))


def results_of(planted: Planted, folds: int = 5):
    """(latents as ``latents.h5ad``, ensemble) of a planted cohort."""
    import anndata as ad

    cohort = planted.cohort
    fold = np.unique(cohort.donors, return_inverse=True)[1] % folds
    ensemble = GivenAxes(planted, fold)
    z = cohort.expression.reshape(len(fold), -1, 20).mean(axis=2)
    obs = planted.obs.assign(fold=fold)
    var = pd.DataFrame({"block": "axis", "stability": 0.95, "variance": 0.1}, index=list(ensemble.dims))
    latents = ad.AnnData(X=((z - z.mean(0)) / z.std(0)).astype(np.float32), obs=obs, var=var)
    loadings = np.kron(np.eye(len(ensemble.dims)), np.ones(20))
    latents.varm["loadings"] = loadings + 0.05 * np.random.default_rng(3).normal(size=loadings.shape)
    latents.uns["genes"] = np.array(cohort.genes)
    return latents, ensemble


def judge_axes(cell: Cell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell; ``covered``: whether the interval of the adjusted disease effect
    holds the true one (NaN where the design has none)."""
    from mtlbio.probing.examine import examine

    planted = plant(cell.donors, run, **cell.changes)
    latents, ensemble = results_of(planted)
    options = Probe(permutations=199, bootstrap=200)
    tables = examine(planted.cohort, latents, ensemble, options, {})
    verdicts = tables["verdicts"]
    roles = [role_of(row) for row in planted.shares.to_dict("records")]
    rows = scored(cell, run, list(verdicts["dim"]), roles, list(verdicts["verdict"]))
    truth = _true_effects(tuple(sorted(cell.changes.items())))
    low, high = (verdicts[f"ci_{end}_disease"].to_numpy(dtype=float) for end in ("low", "high"))
    inside = (low <= truth) & (truth <= high)
    rows["firm_p"] = firm_p(tables["association"], list(verdicts["dim"]))
    return rows.assign(covered=np.where(np.isnan(low) | np.isnan(truth), np.nan, inside))


@cache
def _true_effects(changes: tuple) -> np.ndarray:
    """Adjusted standardised disease effect of every axis in 20,000 donors, as the trial would see it."""
    from mtlbio.probing.association import effects, task_design
    from mtlbio.probing.inference import Contrast

    changes = dict(changes)
    planted = plant(20_000, 99_991, **{**changes, "visits": 1})
    # what is measured on twenty noisy genes is what the intervals are about
    z = planted.cohort.expression.reshape(len(planted.z), -1, 20).mean(axis=2).astype(float)
    trial = replace(trial_of(planted), z=z)
    units, given, columns = task_design(trial, "disease")
    z = units.mean(trial.z)  # in the order of the units, which is that of the donors' names
    return effects(Contrast(columns, given, units).wald(z), z)[0]
