from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.designs import plant_design
from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import plant
from mtlbio.cohort.family import FAMILY, ORDER
from mtlbio.probing.audit import audit, audited, inseparable
from mtlbio.probing.recruitment import recruitment
from mtlbio.probing.uneven import uneven, uneven_columns


def rows_of(trial):
    return pd.DataFrame(recruitment(trial)).set_index(["task", "covariate"])


def test_more_visits_of_cases_are_said():
    """In 30 to 57 % of such cohorts an axis that follows the visits was biology, and nobody had said why."""
    trial = trial_of(plant_design("cases have more visits", 120, 0)[0])
    row = rows_of(trial).loc[("disease", "samples per donor")]
    assert row["call"] == "weak" and row["value"] < 1e-10
    assert "healthy 1." in row["why"] and "case 3.0" in row["why"] and "keep one sample of each donor" in row["why"]
    table = audit(trial)
    assert not any("samples per donor" in pair for pair in inseparable(table))
    assert uneven(table) == {"disease": ("samples per donor",)}
    trial = replace(trial, uneven=uneven(table))
    count = trial.obs.groupby("donor")["donor"].transform("size").to_numpy()
    np.testing.assert_allclose(uneven_columns(trial, "disease"), np.column_stack([count, np.log(count)]))
    assert uneven_columns(trial, "response").shape == (len(count), 0)


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


def sampled(planted, days: np.ndarray):
    """The trial of a planted cohort whose samples were taken on these days."""
    trial = trial_of(planted)
    return replace(trial, obs=trial.obs.assign(**{ORDER: days}))


def test_cases_who_were_sampled_later_are_said_with_their_p():
    planted = plant(120, 0)
    case = (planted.obs["disease"] == "case").to_numpy()
    days = np.random.default_rng(0).permutation(120) + 60.0 * case
    days[:3] = np.nan
    row = rows_of(sampled(planted, days)).loc[("disease", "order of sampling")]
    known = ~np.isnan(days)
    expected = stats.kruskal(days[known & ~case], days[known & case]).pvalue
    np.testing.assert_allclose(row["value"], expected)
    assert row["call"] == "weak" and row["n_donors"] == 117
    assert "case was sampled later than healthy: whatever drifts with time passes for disease" in row["why"]
    assert ("disease", "order of sampling") not in rows_of(trial_of(planted)).index


def test_the_order_of_a_donor_is_that_of_its_visits_and_a_number_has_a_correlation():
    planted = plant(60, 1, visits=2)
    days = np.random.default_rng(1).permutation(120).astype(float)
    trial = sampled(planted, days)
    trial = replace(trial, covariates={})  # age is then an outcome
    row = rows_of(trial).loc[("age", "order of sampling")]
    by_donor = trial.obs.groupby("donor").agg({ORDER: "mean", "age": "mean"})
    # a mean of ranks is the mean of days that are a permutation of 0 .. 119
    np.testing.assert_allclose(row["value"], stats.spearmanr(by_donor["age"], by_donor[ORDER]).pvalue)
    assert "correlation" in row["why"] and "order of sampling (0 % first, 100 % last) by age" in row["why"]


def test_families_who_came_together_are_no_donors_who_came_one_by_one():
    """200 cohorts in which families of four come on one day and share a disease: strangers say it of half of them."""
    rng, said = np.random.default_rng(2), {"donors": 0, "families": 0}
    planted = plant(80, 3)
    trial, family = replace(trial_of(planted), covariates={}), np.arange(80) // 4
    trial = replace(trial, tasks={"disease": trial.tasks["disease"]})
    for _ in range(200):
        sick = np.where((rng.random(20) < 0.5)[family], "case", "healthy")
        disease = pd.Categorical(sick, categories=list(trial.tasks["disease"].classes))
        obs = trial.obs.assign(disease=disease, **{ORDER: rng.permutation(20)[family].astype(float)})
        related = obs.assign(**{FAMILY: [f"F{f:02d}" for f in family]})
        for name, table in (("donors", obs), ("families", related)):
            row = rows_of(replace(trial, obs=table)).loc[("disease", "order of sampling")]
            said[name] += row["value"] <= 0.05
    assert said["families"] <= stats.binom.isf(0.001, 200, 0.05)
    assert said["donors"] > 40


INSIDE = "order of sampling within a donor"


def twice(days_of_second, seed=4, donors=60):
    """Donors who are seen healthy and ill, ``days_of_second`` (donors,) after the healthy visit, on days 0 to 100."""
    planted, rng = plant(donors, seed, visits=2, labelled=1.1), np.random.default_rng(seed)
    trial = trial_of(planted)
    state = np.tile([0, 1], donors)
    disease = np.array(trial.tasks["disease"].classes)[state]
    start = rng.permutation(donors) * 100 / donors
    days = np.where(state == 1, np.repeat(start + days_of_second, 2), np.repeat(start, 2))
    tasks = {"disease": trial.tasks["disease"]}
    return replace(trial, tasks=tasks, obs=trial.obs.assign(disease=disease, **{ORDER: days}))


def test_an_order_that_is_the_same_in_all_donors_is_said_and_not_held_fixed():
    trial = twice(np.full(60, 30.5))
    table = audit(trial)
    row = table[table["covariate"] == INSIDE].squeeze()
    assert (row["association"], row["value"], row["call"]) == ("same order", 1.0, "weak")
    assert "60 of 60 donors were seen in one order, healthy, then case. What time does" in row["why"]
    known = audited(trial)[0]
    assert known.uneven == {} and known.one_order == {"disease"} and uneven_columns(known, "disease").shape[1] == 0


def test_an_order_within_donors_that_varies_is_held_fixed_by_sample():
    rng = np.random.default_rng(0)
    trial = twice(rng.normal(30, 30, 60))
    table = audit(trial)
    row = table[table["covariate"] == INSIDE].squeeze()
    assert row["association"] == "p" and row["call"] == "weak" and "case was sampled later than healthy" in row["why"]
    ranks = trial.obs[ORDER].rank().to_numpy()
    alike = stats.kruskal(ranks[::2], ranks[1::2]).pvalue
    np.testing.assert_allclose(row["value"], max(alike, stats.wilcoxon(ranks[1::2] - ranks[::2]).pvalue))
    assert uneven(table) == {"disease": (INSIDE,)}
    columns = uneven_columns(replace(trial, uneven=uneven(table)), "disease")
    np.testing.assert_allclose(columns, np.column_stack([ranks, np.log(ranks)]))


def test_states_in_any_order_or_at_once_are_even():
    """At most one cohort in a hundred is told so; a case and its control of one day have no order."""
    weak = 0
    for seed in range(60):
        days = np.random.default_rng(seed).normal(0, 30, 40)
        weak += rows_of(twice(days, seed, 40)).loc[("disease", INSIDE), "call"] == "weak"
    assert weak <= stats.binom.ppf(0.999, 60, 0.01)
    assert recruitment(twice(np.zeros(40), 1, 40)) == []


def test_a_day_between_a_case_and_its_control_is_nothing():
    """Pairs who always differ by one place of 120: p was 0 and the audit warned."""
    planted = plant(120, 3)
    trial, pair = trial_of(planted), np.arange(120) // 2
    disease = np.array(trial.tasks["disease"].classes)[np.arange(120) % 2]
    names = [f"F{k:02d}" for k in pair]
    obs = trial.obs.assign(disease=disease, **{ORDER: np.arange(120.0), FAMILY: names})
    row = rows_of(replace(trial, obs=obs)).loc[("disease", "order of sampling")]
    np.testing.assert_allclose(row["value"], stats.kruskal(np.arange(0, 120, 2), np.arange(1, 120, 2)).pvalue)
    assert row["call"] == "ok" and "p 0)" not in row["why"]
    later = obs.assign(**{ORDER: np.arange(120.0) + 80 * (np.arange(120) % 2)})
    row = rows_of(replace(trial, obs=later)).loc[("disease", "order of sampling")]
    assert row["call"] == "weak" and 0 < row["value"] < 1e-3
