"""A panel on trial: batch markers and ages are named, what only acts is not."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.panels import planted, told
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.split import make_splits
from mtlbio.config import Probe, Splits
from mtlbio.kinds.vocabulary import DONORS
from mtlbio.probing.panel import try_panel
from mtlbio.tables import PANEL_FOLLOWS

OPTIONS = Probe(permutations=199, bootstrap=100)


@pytest.fixture(scope="module")
def tried():
    """Verdicts and covariates of two features that act, a batch marker and noise, with a held-out score of disease."""
    from dataclasses import replace

    cohort, causal = planted(0, donors=200, features=100, causal=4, markers=1)
    rng = np.random.default_rng(0)
    age = 50 + 10 * rng.normal(size=200)
    obs = cohort.obs.assign(age=age)
    info = cohort.covariates | {"age": CovariateInfo("age", "confounder", "continuous")}
    cohort = replace(cohort, obs=obs, covariates=info)
    place = [cohort.genes.index(name) for name in causal[:2]]
    values = {name: cohort.expression[:, j].astype(float) for name, j in zip(causal[:2], place, strict=True)}
    values |= {"marker": cohort.expression[:, 0].astype(float), "noise": rng.normal(size=200)}
    values["clock"] = age + 5 * rng.normal(size=200)
    scores = {("disease", ""): values[causal[0]] + values["marker"]}
    fold = make_splits(cohort, Splits())["fold"].to_numpy()
    return causal, try_panel(cohort, fold, scores, values, OPTIONS, DONORS)


def test_the_batch_and_an_age_are_named_where_they_sit(tried):
    causal, (verdicts, follows) = tried
    assert list(follows.columns) == PANEL_FOLLOWS and follows["share"].is_monotonic_decreasing
    found = follows[follows["call"] == "follows"].groupby("covariate")["dim"].agg(set).to_dict()
    assert found["age"] == {"clock"} and {"marker"} <= found["batch"] <= {"marker", "score of disease"}
    by_dim = verdicts.set_index("dim")["verdict"]
    assert by_dim["clock"] == "confounder" and list(by_dim.index)[0] == "score of disease"
    assert follows.set_index("dim").loc["marker", "role"] == "technical"


def test_of_the_tasks_nothing_is_claimed_of_a_feature_that_was_chosen_for_them(tried):
    causal, (verdicts, _) = tried
    assert not verdicts.set_index("dim").loc[[*causal[:2], "noise"], "verdict"].isin(["biology", "unused"]).any()


def test_where_disease_is_the_batch_the_table_says_that_they_cannot_be_told_apart():
    from dataclasses import replace

    cohort, causal = planted(0, donors=80, features=100, causal=4)
    obs = cohort.obs.assign(batch=np.where(cohort.obs["disease"] == "case", "B1", "B0"))
    cohort = replace(cohort, obs=obs, tasks={"disease": cohort.tasks["disease"]})
    values = {causal[0]: cohort.expression[:, cohort.genes.index(causal[0])].astype(float)}
    fold = make_splits(cohort, Splits())["fold"].to_numpy()
    follows = try_panel(cohort, fold, {}, values, OPTIONS, DONORS)[1]
    apart = follows[follows["call"] == "inseparable"]
    assert apart[["dim", "covariate"]].to_numpy().tolist() == [["disease", "batch"]]


def test_without_complete_samples_nothing_is_tried():
    cohort, causal = planted(0, donors=80, features=100, causal=4)
    obs = cohort.obs.assign(batch=pd.Series([None] * 80, dtype=object).to_numpy())
    from dataclasses import replace

    values = {causal[0]: cohort.expression[:, 0].astype(float)}
    verdicts, follows = try_panel(replace(cohort, obs=obs), np.arange(80) % 5, {}, values, OPTIONS, DONORS)
    assert verdicts.empty and follows.empty and list(follows.columns) == PANEL_FOLLOWS


def test_a_batch_marker_is_named_in_planted_cohorts():
    """The small form of the benchmark; 20 cohorts of 300 donors there."""
    found = pd.DataFrame([told(seed, 3, size=12, donors=160, features=200) for seed in range(2)])
    assert found["batch named"].all()
    assert not told(0, 0, size=12, donors=160, features=200)["batch named"]
