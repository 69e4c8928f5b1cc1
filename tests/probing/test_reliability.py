from dataclasses import replace

import numpy as np

from benchmarks.calibration.errors_in_age import as_trial, planted, with_age
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.probing.reliability import GRID, reliability_needed
from mtlbio.probing.stability import stability


def test_the_reliability_that_takes_an_effect_away():
    """What age explains falls at about the true reliability; the driver's effect stands at any."""
    trial, _ = planted(3000, "U", np.random.default_rng([4, 3000]))
    needed, of = reliability_needed(trial, "disease")
    assert np.isnan(needed[0]) and of[0] is None
    assert ((needed[1:] >= 0.65) & (needed[1:] <= 0.95)).all() and set(of[1:]) == {"age"}
    place = GRID.index(needed[1])
    below, above = (as_trial(with_age(trial, trial.obs["age"].to_numpy(), GRID[k]))[1][1] for k in (place, place - 1))
    assert below > 0.05 >= above
    declared, _ = reliability_needed(with_age(trial, trial.obs["age"].to_numpy(), 0.6), "disease")
    assert np.isnan(declared[1]) or declared[1] < 0.6


def test_the_table_has_it_of_every_dimension():
    trial, _ = planted(80, "linear", np.random.default_rng(5))
    table = stability(trial, np.ones(10))
    needed, of = reliability_needed(trial, "disease")
    np.testing.assert_array_equal(table["reliability_needed"], needed)
    assert table["reliability_of"].tolist() == of and np.isfinite(needed).any()
    assert np.isin(needed[np.isfinite(needed)], GRID).all()


def test_without_a_number_among_the_confounders_there_is_none():
    trial, _ = planted(80, "linear", np.random.default_rng(5))
    del trial.covariates["age"]
    needed, of = reliability_needed(trial, "disease")
    assert np.isnan(needed).all() and of == [None] * 10


def test_what_is_estimated_is_not_supposed_to_be_recorded_with_error():
    trial, _ = planted(80, "linear", np.random.default_rng(5))
    score = np.random.default_rng(6).normal(size=80)
    info = CovariateInfo("c_cells", "confounder", "continuous", estimated="c")
    trial = replace(trial, obs=trial.obs.assign(c_cells=score), covariates=trial.covariates | {"c_cells": info})
    needed, of = reliability_needed(trial, "disease")
    assert np.isfinite(needed).any() and set(of) == {"age", None}
