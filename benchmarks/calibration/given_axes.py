"""What stands for a model where the axes of a planted cohort are given, and the verdicts that its trial reaches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.planted import COVARIATES, Planted, plant
from benchmarks.calibration.roles import role_of
from benchmarks.calibration.score import TERM, firm_p, scored
from mtlbio.config import Probe
from mtlbio.probing.audit import audited
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.examinee import NOTHING, WithHeads
from mtlbio.probing.trial import Trial


class GivenAxes(WithHeads):
    """A planted cohort as an examinee: axes are the mean of their twenty genes, heads are ridge regressions (on 0/1 for
    binary tasks) fitted on the training donors; two seeds that differ a little."""

    saw = NOTHING

    def __init__(self, planted: Planted, fold: np.ndarray, seeds: int = 2):
        self.tasks, self.dims = planted.cohort.tasks, tuple(f"z{i + 1:02d}" for i in range(planted.z.shape[1]))
        self.seeds, self.fold, self.expression = seeds, fold, planted.cohort.expression
        cohort = planted.cohort
        self.heads = {}
        for f in np.unique(fold):
            train = ~np.isin(cohort.clusters, cohort.clusters[fold == f])
            latents = self.latents(f)
            for name in self.tasks:
                y = cohort.y(name)
                rows = train & ~np.isnan(y)
                for s in range(seeds):
                    x = np.column_stack([np.ones(rows.sum()), latents[s, rows]])
                    ridge = np.diag([0.0, *[5.0] * (x.shape[1] - 1)])
                    self.heads[name, f, s] = np.linalg.solve(x.T @ x + ridge, x.T @ y[rows])

    def latents(self, fold: int) -> np.ndarray:
        """(seeds, n, D) of the samples of the cohort."""
        return self.encoded(self.expression, fold)

    def encoded(self, expression: np.ndarray, fold: int) -> np.ndarray:
        """(seeds, m, D) of any samples."""
        z = expression.reshape(len(expression), -1, 20).mean(axis=2).astype(float)
        rng = np.random.default_rng([1, int(fold) + 1])
        return np.stack([z * (1 + 0.02 * rng.normal(size=z.shape[1])) for _ in range(self.seeds)])

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """(seeds, m) probabilities or values."""
        heads = [self.heads[task, fold, s] for s in range(self.seeds)]
        score = np.stack([h[0] + z @ h[1:] for h, z in zip(heads, latents, strict=True)])
        return score if not self.tasks[task].classes else 1 / (1 + np.exp(-4 * (score - 0.5)))


def results_of(planted: Planted, folds: int = 5):
    """(latents as ``latents.h5ad``, examinee) of a planted cohort."""
    import anndata as ad

    cohort = planted.cohort
    fold = np.unique(cohort.clusters, return_inverse=True)[1] % folds
    examinee = GivenAxes(planted, fold)
    z = cohort.expression.reshape(len(fold), -1, 20).mean(axis=2)
    obs = planted.obs.assign(fold=fold)
    var = pd.DataFrame({"block": "axis", "stability": 0.95, "variance": 0.1}, index=list(examinee.dims))
    latents = ad.AnnData(X=((z - z.mean(0)) / z.std(0)).astype(np.float32), obs=obs, var=var)
    loadings = np.kron(np.eye(len(examinee.dims)), np.ones(20))
    latents.varm["loadings"] = loadings + 0.05 * np.random.default_rng(3).normal(size=loadings.shape)
    latents.uns["genes"] = np.array(cohort.genes)
    return latents, examinee


def trial_of(planted: Planted, **options) -> Trial:
    """The trial of a planted cohort, its design audited."""
    probe = Probe(**{"permutations": 199, "bootstrap": 200, **options})
    dims = tuple(f"z{i + 1:02d}" for i in range(planted.z.shape[1]))
    block = np.array(["axis"] * len(dims))
    return audited(Trial(planted.z, dims, block, planted.obs, planted.cohort.tasks, dict(COVARIATES), probe))[0]


def judge_axes(cell: Cell, run: int) -> pd.DataFrame:
    """Scored dimensions of cohort ``run`` of a cell; ``covered``: whether the interval of the adjusted disease effect
    holds the true one (NaN where the design has none)."""
    planted = plant(cell.donors, run, **cell.changes)
    rows, verdicts = judge_planted(planted, [role_of(row) for row in planted.shares.to_dict("records")], cell, run)
    truth = _true_effects(tuple(sorted(cell.changes.items())))
    low, high = (verdicts[f"ci_{end}_disease"].to_numpy(dtype=float) for end in ("low", "high"))
    inside = (low <= truth) & (truth <= high)
    return rows.assign(covered=np.where(np.isnan(low) | np.isnan(truth), np.nan, inside))


def judge_planted(planted: Planted, roles: list[str], cell: Cell, run: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scored dimensions of a cohort, and its ``verdicts.tsv``."""
    options = Probe(permutations=199, bootstrap=200, alpha=cell.alpha)
    tables = examine_cohort(planted.cohort, *results_of(planted), options)
    verdicts = tables["verdicts"]
    rows = scored(cell, run, list(verdicts["dim"]), roles, list(verdicts["verdict"]))
    terms = tables["odds"].drop(columns="dim").add_prefix(TERM)
    return rows.assign(firm_p=firm_p(tables["association"], list(verdicts["dim"]))).join(terms), verdicts


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
