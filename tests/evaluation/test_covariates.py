from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.evaluation.covariates import design, usable_covariates

CHIP = [CovariateInfo("chip", "technical", "categorical")]
AGE = [CovariateInfo("age", "confounder", "continuous")]


def test_rare_and_unseen_levels_share_one_column():
    chip = ["a"] * 4 + ["b"] * 4 + ["c"] * 2 + ["d", "a", "b", "c"]
    obs = pd.DataFrame({"donor": [f"p{i}" for i in range(14)], "chip": chip})
    train, test = design(obs, CHIP, np.arange(10), np.arange(10, 14))
    assert train.shape == (10, 3)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train.std(axis=0), 1)
    # d was never seen, c is too rare: both are `other`
    np.testing.assert_array_equal(test[0], test[3])
    assert (test[1] != test[0]).any() and (test[1] != test[2]).any()


def test_levels_are_counted_in_donors_not_in_samples():
    obs = pd.DataFrame({"donor": ["p1"] * 6 + ["p2", "p3", "p4"], "chip": ["a"] * 6 + ["b"] * 3})
    train, _ = design(obs, CHIP, np.arange(9), np.arange(9))
    assert len(np.unique(train, axis=0)) == 2
    obs = pd.DataFrame({"donor": ["p1"] * 6 + ["p2", "p3"], "chip": ["a"] * 6 + ["b"] * 2})
    train, _ = design(obs, CHIP, np.arange(8), np.arange(8))
    assert train.shape[1] == 0


def test_a_spline_bends_and_is_constant_beyond_the_ages_seen():
    rng = np.random.default_rng([1])
    age = rng.uniform(20, 60, 200)
    obs = pd.DataFrame({"donor": np.arange(205).astype(str), "age": [*age, 10, 19, 61, 90, np.nan]})
    train, test = design(obs, AGE, np.arange(200), np.arange(200, 205))
    u_shape = np.square(age - 40)
    fitted = np.column_stack([np.ones(200), train])
    residual = u_shape - fitted @ np.linalg.lstsq(fitted, u_shape, rcond=None)[0]
    assert residual.var() < 0.01 * u_shape.var()
    assert abs(np.corrcoef(age, u_shape)[0, 1]) < 0.3
    np.testing.assert_allclose(test[0], test[1], atol=0.05)
    np.testing.assert_allclose(test[2], test[3], atol=0.05)
    assert np.isfinite(test).all()


def test_missing_ages_get_an_indicator_and_few_values_no_spline():
    obs = pd.DataFrame({"donor": np.arange(60).astype(str), "age": np.tile([1.0, 2.0, 3.0, 1.0, 1.0, np.nan], 10)})
    train, _ = design(obs, AGE, np.arange(60), np.arange(60))
    assert train.shape[1] == 2
    missing = obs["age"].isna().to_numpy()
    assert len(np.unique(train[missing], axis=0)) == 1
    assert any(abs(np.corrcoef(column, missing)[0, 1]) > 0.999 for column in train.T)


def test_the_task_itself_is_no_covariate_whatever_its_name(planted):
    names = [c.name for c in usable_covariates(planted, "age")]
    assert names == ["site", "chip"]
    assert [c.name for c in usable_covariates(planted, "disease")] == ["age", "site", "chip"]
    obs = planted.obs.assign(years=planted.obs["age"])
    twin = {**planted.covariates, "years": CovariateInfo("years", "confounder", "continuous")}
    assert [c.name for c in usable_covariates(replace(planted, obs=obs, covariates=twin), "age")] == ["site", "chip"]
