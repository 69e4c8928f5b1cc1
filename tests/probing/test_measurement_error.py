"""Covariates recorded with error, on planted cohorts in which everything but the first axis drives nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.calibration.errors_in_age import RELIABILITY, as_trial, planted, with_age
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.family import FAMILY
from mtlbio.probing.association import association, covariate_table, task_design
from mtlbio.probing.audit import audit
from mtlbio.probing.inference import Contrast
from mtlbio.probing.linked import linked_p
from mtlbio.probing.measurement_error import expected_columns
from mtlbio.probing.trial import Trial


def cohort(donors: int, shape: str, seed: int, reliability: float = RELIABILITY) -> Trial:
    trial, _ = planted(donors, shape, np.random.default_rng([seed, donors]))
    return with_age(trial, trial.obs["age"].to_numpy(), reliability)


def in_errors(trial: Trial) -> np.ndarray:
    """(9,) effects of disease on the idle axes in standard errors."""
    units, adjustment, columns = task_design(trial, "disease")
    return Contrast(columns, adjustment, units).wald(units.mean(trial.z)).t[1:]


@pytest.mark.parametrize("shape", ["linear", "U"])
def test_effects_on_idle_axes_are_zero_in_a_large_cohort(shape):
    corrected, recorded = (in_errors(cohort(3000, shape, 0, r)) for r in (RELIABILITY, 1.0))
    assert np.abs(corrected).max() < 3 and abs(corrected.mean()) < 1
    assert recorded.mean() > 1.5


def test_a_straight_line_is_corrected_as_by_moments():
    """Fuller 1987, eq. 2.2.12, with a normal covariate: (X'X - n S)^-1 X'z."""
    rng = np.random.default_rng(3)
    trial, _ = planted(4000, "linear", rng)
    age = rng.normal(50, 15, 4000)
    sick = rng.random(4000) < 1 / (1 + np.exp(-(age - 50) / 15))
    obs = trial.obs.assign(age=age + rng.normal(0, 10, 4000), disease=np.where(sick, "case", "healthy"))
    trial = replace(trial, z=0.5 * ((age - 50) / 15)[:, None] + rng.normal(size=(4000, 10)), obs=obs)
    trial = with_age(trial, obs["age"].to_numpy(), 225 / 325)
    trial = replace(trial, options=trial.options.model_copy(update={"spline_df": 1}))
    effect, _ = as_trial(trial)
    factors = pd.get_dummies(obs[["sex", "batch"]], drop_first=True).to_numpy(dtype=float)
    w = obs["age"].to_numpy()
    line = np.column_stack([sick, w, np.ones(4000), factors, w * factors[:, 1]])
    gram = line.T @ line
    # the error of age, and of its product with the batch
    variance, batch = (1 - 225 / 325) * w.var(ddof=1), factors[:, 1]
    gram[1, 1] -= 4000 * variance
    gram[5, 5] -= batch.sum() * variance
    gram[1, 5] = gram[5, 1] = gram[1, 5] - batch.sum() * variance
    np.testing.assert_allclose(effect, np.linalg.solve(gram, line.T @ trial.z)[0], atol=0.01)


@pytest.mark.parametrize(("donors", "shape"), [(80, "linear"), (300, "linear"), (80, "U"), (300, "U")])
def test_the_level_holds(donors, shape):
    hits = sum(np.sum(as_trial(cohort(donors, shape, seed))[1][1:] <= 0.05) for seed in range(40))
    assert hits <= stats.binom.isf(1e-3, 40 * 9, 0.05)
    if (donors, shape) == (300, "U"):  # where the bound is passed, if nothing is corrected
        recorded = sum(np.sum(as_trial(cohort(donors, shape, seed, 1.0))[1][1:] <= 0.05) for seed in range(40))
        assert recorded > 3 * stats.binom.isf(1e-3, 40 * 9, 0.05)


def test_no_idle_axis_is_linked_family_wise_and_the_driver_is():
    false = found = 0
    for seed in range(12):
        p = linked_p(cohort(300, "U", seed), np.zeros(10))
        false, found = false + (p[1:] <= 0.025).any(), found + (p[0] <= 0.025)
    assert false <= stats.binom.isf(1e-3, 12, 0.05) and found == 12


def test_a_reliability_of_one_is_the_covariate_as_it_is_recorded(monkeypatch):
    trial, _ = planted(80, "linear", np.random.default_rng(0))
    before = association(trial)
    monkeypatch.setattr("mtlbio.probing.trial.corrected_columns", None)  # what is not called cannot fail
    pd.testing.assert_frame_equal(association(with_age(trial, trial.obs["age"].to_numpy(), 1.0)), before)


def test_a_reliability_of_nearly_one_changes_next_to_nothing():
    nearly, exact = (as_trial(cohort(120, "linear", 0, r))[0] for r in (0.9999, 1.0))
    np.testing.assert_allclose(nearly, exact, atol=0.02)


def test_the_error_is_the_donors():
    """A sample that is there twice tells nothing new; and what is the same in both states of a donor drops out."""
    trial = cohort(80, "linear", 1)
    twice = np.repeat(np.arange(80), 2)
    double = replace(trial, z=trial.z[twice], obs=trial.obs.iloc[twice].reset_index(drop=True))
    np.testing.assert_allclose(as_trial(double)[0], as_trial(trial)[0], atol=1e-6)
    paired = replace(double, obs=double.obs.assign(disease=["case", "healthy"] * 80))
    paired.z[::2] += 0.5
    assert paired.task_units("disease").within
    exact = with_age(paired, paired.obs["age"].to_numpy(), 1.0)
    np.testing.assert_allclose(as_trial(paired)[0], as_trial(exact)[0], rtol=1e-10)


def test_the_share_of_a_covariate_is_that_of_its_true_values():
    trial, age = planted(3000, "linear", np.random.default_rng(2))
    trial.z[:, 9] = np.sqrt(0.6) * (age - age.mean()) / age.std() + np.sqrt(0.4) * trial.z[:, 0]
    recorded = trial.obs["age"].to_numpy()
    shares = [
        covariate_table(with_age(trial, recorded, r), "age", "confounder", 0)["share"].iloc[9] for r in (1, RELIABILITY)
    ]
    assert abs(shares[0] - 0.45) < 0.04 and abs(shares[1] - 0.6) < 0.05


def test_the_audit_says_what_it_costs():
    vif = [audit(cohort(300, "linear", 0, r)).query("covariate == 'age'")["vif"].iloc[0] for r in (1.0, 0.75, 0.4)]
    assert 1 < vif[0] < vif[1] < vif[2]


def test_the_terms_name_the_reliability():
    _, adjustment, _ = task_design(cohort(80, "linear", 0), "disease")
    assert adjustment.terms[:3] == ("age (reliability 0.75)", "sex", "batch")


def test_relatives_have_their_own_expected_values():
    """Families sort donors in another order than their names; whose label and age belong together must not change."""
    trial = cohort(80, "linear", 0)
    family = np.random.default_rng(0).permutation(np.repeat([f"F{i}" for i in range(40)], 2))
    related = replace(trial, obs=trial.obs.assign(**{FAMILY: family}))
    values, donors, found = trial.obs["age"].to_numpy(dtype=float), trial.obs["donor"], []
    for of in (trial, related):
        units, _, columns = task_design(of, "disease")
        found.append(expected_columns(values, donors, RELIABILITY, units, 4, columns, np.zeros((80, 0))))
    assert units.families
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6, atol=1e-8)


def test_what_is_estimated_is_held_fixed_beside_it_as_a_straight_line():
    trial = cohort(300, "linear", 1)
    score = 0.5 * trial.obs["age"].to_numpy() / 15 + np.random.default_rng(2).normal(size=300)
    options = trial.options.model_copy(update={"spline_df": 1})
    trial = replace(trial, obs=trial.obs.assign(c_cells=score), options=options)
    recorded = CovariateInfo("c_cells", "technical", "continuous")
    bases = [
        task_design(replace(trial, covariates=trial.covariates | {"c_cells": info}), "disease")[1].basis
        for info in (recorded, replace(recorded, estimated="c"))
    ]
    np.testing.assert_allclose(*(basis @ basis.T for basis in bases), atol=1e-8)
    without = task_design(trial, "disease")[1].basis
    assert bases[0].shape[1] == without.shape[1] + 1
