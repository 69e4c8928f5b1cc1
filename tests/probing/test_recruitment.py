from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.probing.audit import audit, inseparable
from mtlbio.probing.recruitment import recruitment


def rows_of(trial):
    return pd.DataFrame(recruitment(trial)).set_index(["task", "covariate"])


def test_more_visits_of_cases_are_said():
    """In 30 to 57 % of such cohorts an axis that follows the visits was biology, and nobody had said why."""
    trial = trial_of(plant_design("cases have more visits", 120, 0)[0])
    row = rows_of(trial).loc[("disease", "samples per donor")]
    assert row["call"] == "weak" and row["value"] < 1e-10
    assert "healthy 1." in row["why"] and "case 3.0" in row["why"] and "keep one sample of each donor" in row["why"]
    assert not any("samples per donor" in pair for pair in inseparable(audit(trial)))


def test_a_gap_that_goes_with_the_outcome_is_said_with_its_p():
    trial = trial_of(plant(200, 0))
    case = (trial.obs["disease"] == "case").to_numpy()
    gap = np.random.default_rng(0).random(200) < np.where(case, 0.5, 0.1)
    trial = replace(trial, obs=trial.obs.assign(age=trial.obs["age"].where(~gap)))
    row = rows_of(trial).loc[("disease", "age unknown")]
    table = [[(gap & case).sum(), (~gap & case).sum()], [(gap & ~case).sum(), (~gap & ~case).sum()]]
    np.testing.assert_allclose(row["value"], stats.chi2_contingency(table, correction=False).pvalue)
    assert row["call"] == "weak" and "a link with it may be one with the gap" in row["why"]


def test_what_is_even_is_not_said():
    """Labels and gaps at random: at most one cohort in a hundred is told so."""
    weak = 0
    for seed in range(60):
        trial = trial_of(plant(80, seed), permutations=99)
        gap = np.random.default_rng(seed).random(80) < 0.3
        table = rows_of(replace(trial, obs=trial.obs.assign(age=trial.obs["age"].where(~gap))))
        assert set(table.index) >= {("disease", "age unknown"), ("disease", "response unknown")}
        weak += (table["call"] == "weak").any()
    assert weak <= stats.binom.ppf(0.999, 60, 0.01)


def test_cohorts_with_everything_known_and_one_sample_each_have_no_rows():
    trial = trial_of(plant(40, 0, labelled=1.1))
    assert recruitment(trial) == []


def test_a_response_that_only_cases_are_asked_for_is_no_gap():
    trial = trial_of(plant(80, 0))
    cases = trial.obs["disease"] == "case"
    trial = replace(trial, obs=trial.obs.assign(response=trial.obs["response"].where(cases)))
    assert [row for row in recruitment(trial) if row["task"] == "disease"] == []
