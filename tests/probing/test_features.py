"""Features name dimensions: the one that a dimension is built of and follows, unless it is a covariate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.tabular import Plan, Source
from mtlbio.config import Probe
from mtlbio.labels import Regression
from mtlbio.probing.enrichment import best_set
from mtlbio.probing.features import features_of_table
from mtlbio.probing.trial import Trial


def planted(n: int = 300) -> tuple[Trial, Cohort, np.ndarray]:
    """z01 is the enzyme (genotype, and a little expression), z02 the weight, which is a covariate, z03 noise."""
    rng = np.random.default_rng(8)
    level = rng.choice(3, n, p=[0.5, 0.35, 0.15])
    weight, expression = rng.normal(75, 10, n), rng.standard_normal(n)
    expression[:20] = np.nan
    values = np.column_stack([weight, expression, np.isnan(expression), np.eye(3)[level]]).astype(np.float32)
    levels = ("*1/*1", "*1/*2", "*2/*2")
    sources = (Source("weight", "number"), Source("expression", "number", missing=True))
    plan = Plan((*sources, Source("cyp", "category", levels)), {"enzyme": ("cyp", "expression")})
    activity = np.array([0.0, -0.5, -1.5])[level] + 0.15 * np.nan_to_num(expression)
    z = np.column_stack([activity, weight, rng.standard_normal(n)])
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    loadings = np.zeros((3, 6))
    loadings[0, 1:] = [0.3, 0.1, 0.8, -0.4, -0.8]
    loadings[1, 0] = 1.0
    loadings[2] = 0.4
    obs = pd.DataFrame({"donor": [f"p{i}" for i in range(n)], "dose": activity, "weight": weight})
    tasks = {"dose": Regression("dose")}
    covariates = {"weight": CovariateInfo("weight", "confounder", "continuous")}
    cohort = Cohort(values, plan.columns, obs, tasks, covariates, {"table": plan.saved()})
    trial = Trial(z, ("z01", "z02", "z03"), np.array(["axis"] * 3), obs, tasks, covariates, Probe())
    return trial, cohort, loadings


def test_the_genotype_names_the_enzyme_and_the_weight_is_left_to_the_covariate():
    trial, cohort, loadings = planted()
    table = features_of_table(trial, cohort, loadings)
    rows = table.set_index(["dim", "set"])
    assert best_set(table[table["dim"] == "z01"]) == "cyp"
    assert rows.loc[("z01", "cyp"), "correlation"] > 0.9 and 0.1 < rows.loc[("z01", "expression"), "correlation"] < 0.5
    assert np.isnan(rows.loc[("z02", "weight"), "correlation"]) and best_set(table[table["dim"] == "z02"]) is None
    assert not table[table["dim"] == "z03"]["names"].any()
    assert rows.loc["z01", "ulm"].sum() == 1.0 or abs(rows.loc["z01", "ulm"].sum() - 1) < 1e-9
