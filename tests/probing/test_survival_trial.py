"""A time to an event on trial: what is tested, the effect, what its power counts, and the words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from benchmarks.calibration.times import TASK, Hazard, plant
from mtlbio.labels import Binary, Multiclass, Ordinal, Regression, Survival
from mtlbio.labels.survival.given import hazard_ratios, residual_given
from mtlbio.labels.survival.records import records_of
from mtlbio.probing.association import association, task_design, task_table
from mtlbio.probing.collect_evidence import collect_evidence
from mtlbio.probing.evidence import Evidence, TaskEvidence
from mtlbio.probing.examine import Procedure, examine
from mtlbio.probing.examinee import NOTHING
from mtlbio.probing.leakage import leakage
from mtlbio.probing.linked import with_links
from mtlbio.probing.outcome_tests import outcome_tests
from mtlbio.probing.rates import shipped_rates
from mtlbio.probing.refit import refitted
from mtlbio.probing.sentences import effect, over_time
from mtlbio.probing.sites import sites, subset
from mtlbio.probing.stability import stability
from mtlbio.probing.verdict import judge

STRONG = Hazard("straight", 0.8, by_interferon=1.0)


@pytest.mark.parametrize(
    "label", [Binary("y", ("a", "b")), Multiclass("y", ("a", "b", "c")), Ordinal("y", ("a", "b", "c")), Regression("y")]
)
def test_of_other_kinds_what_is_held_fixed_changes_nothing(label):
    rng = np.random.default_rng(0)
    y, fixed = rng.integers(0, 2, 30).astype(float), rng.normal(size=(30, 3))
    np.testing.assert_array_equal(label.test_columns_given(y, fixed), label.test_columns(y))
    np.testing.assert_array_equal(label.as_value(y), y)
    assert label.effects(y, rng.normal(size=(30, 2)), fixed) is None and label.follow_up(y) is None
    assert label.telling(y).all() and not label.counts and not label.ratio


def test_the_test_is_hc3_of_the_dimension_on_the_residual_beside_the_covariates():
    trial = plant(STRONG, 50, 1)
    table = task_table(trial, TASK, "task", 0)
    units, adjustment, columns = task_design(trial, TASK)
    times, z = trial.tasks[TASK].times(units.y), units.mean(trial.z)
    residual = residual_given(times, adjustment.basis)
    np.testing.assert_allclose(columns[:, 0], (residual - residual.mean()) / residual.std())
    for d in (0, 4):
        fit = sm.OLS(z[:, d], np.column_stack([residual, adjustment.basis])).fit(cov_type="HC3")
        np.testing.assert_allclose(table["statistic"][d], fit.tvalues[0] ** 2, rtol=1e-6)
    found = hazard_ratios(times, adjustment.basis, z)
    np.testing.assert_allclose(table["effect"], found.effect)
    np.testing.assert_allclose(table["p_changes"], found.p_changes)
    np.testing.assert_allclose(table["share"], found.share)
    assert table["effect"][0] > 0.5 and table["p"][0] < 1e-4


@pytest.mark.parametrize(("events", "interactions"), [(50, []), (75, ["age x batch (straight line)"])])
def test_interactions_are_held_fixed_where_events_bear_them_however_many_donors_there_are(events, interactions):
    """Of 500 donors with 50 events none: eight main effects and twelve columns would take two events and a half each.

    With 75 a straight line in each batch makes twelve columns with the main effects, of fifteen that may be."""
    trial = plant(Hazard(by_interferon=0.6, per_event=10), events, 0)
    units, adjustment, _ = task_design(trial, TASK)
    assert len(units) == 10 * events
    assert [term for term in adjustment.terms if " x " in term] == interactions
    everyone = trial.adjustment(units, interactions=True)
    assert [term for term in everyone.terms if " x " in term] == ["age x batch"]
    for other in (Binary(TASK, ("a", "b")), Regression(TASK)):  # every donor tells of them
        y = np.random.default_rng(0).integers(0, 2, len(units)).astype(float)
        assert trial.adjustment(units, interactions=True, telling=int(other.telling(y).sum())).terms == everyone.terms


def test_beside_other_dimensions_the_residual_is_that_given_them_too():
    trial = plant(STRONG, 50, 2)
    test = outcome_tests(trial)[0]
    given = test._beside([0])
    wanted = residual_given(trial.tasks[TASK].times(test.units.y), given.basis)
    np.testing.assert_allclose(test._columns(given)[:, 0], (wanted - wanted.mean()) / wanted.std())
    alone, beside = (abs(np.corrcoef(c[:, 0], test.z[:, 0])[0, 1]) for c in (test.columns, test._columns(given)))
    assert alone > 0.4 and beside < alone / 2
    assert test._columns(test.nuisance) is test.columns


def test_a_donor_counts_once_however_many_samples_there_are():
    trial = plant(STRONG, 50, 3)
    again = pd.concat([trial.obs, trial.obs.iloc[:40].rename(index=lambda s: f"{s}b")])
    twice = replace(trial, obs=again, z=np.concatenate([trial.z, trial.z[:40]]))
    once, more = (task_table(t, TASK, "task", 0) for t in (trial, twice))
    np.testing.assert_allclose(more["effect"], once["effect"], rtol=1e-6)
    np.testing.assert_allclose(more["statistic"], once["statistic"], rtol=1e-6)
    assert (more["n"] == once["n"]).all()


def test_strata_are_never_compared():
    """Two sites whose times are on scales of their own: as strata they tell what each tells alone."""
    rng = np.random.default_rng(4)
    trial = plant(STRONG, 50, 4)
    time, event, entry, _ = trial.tasks[TASK].times(trial.labels(TASK))
    site, tables = rng.integers(0, 2, len(time)), []
    for scale in (1.0, 1000.0):
        times = np.where(site == 1, scale * time, time)
        label = Survival(TASK, records_of(times, event, entry, site), (1.0,), ("a", "b"))
        obs = trial.obs.assign(**{TASK: label.table.place(times, event, entry, site)})
        tables.append(task_table(replace(trial, obs=obs, tasks={TASK: label}), TASK, "task", 0))
    assert tables[0]["effect"][0] > 0.5
    np.testing.assert_allclose(tables[0]["statistic"], tables[1]["statistic"])


def test_within_sites_the_effect_is_a_log_hazard_ratio_too():
    trial = plant(STRONG, 90, 3)
    batch = trial.obs["batch"].astype(str)
    found = sites(trial, "batch", [(trial.dims[0], TASK)]).set_index("site")
    units, nuisance, _ = task_design(trial, TASK)
    whole = hazard_ratios(trial.tasks[TASK].times(units.y), nuisance.basis, units.mean(trial.z)[:, :1])
    np.testing.assert_allclose(found["all_donors"], whole.effect[0])
    np.testing.assert_allclose(found["all_ci_low"], whole.low[0])
    assert found["n_donors"].sum() == trial.obs["donor"].nunique() and found["n_rarest"].sum() == 90
    for site, row in found[found["call"] != "too_few"].iterrows():
        rows = (batch == site).to_numpy()
        part, own = subset(units, rows), units.mean(trial.z)[rows, :1]
        _, fixed, _ = task_design(trial, TASK, ("batch",), units=part)
        within = hazard_ratios(trial.tasks[TASK].times(part.y), fixed.basis, own)
        wider = units.mean(trial.z)[:, 0].std(ddof=1) / own.std(ddof=1)
        np.testing.assert_allclose(row["effect"], within.effect[0] * wider)
    assert (found["call"] != "too_few").sum() >= 2 and found["pooled"].iloc[0] > 0.3


def test_the_level_holds_where_age_acts_as_a_u_and_not_with_age_as_a_straight_line():
    spline, line = Hazard("u", 1.5), Hazard("u", 1.5, spline_df=1)
    p = {
        hazard: np.array([task_table(plant(hazard, 30, run), TASK, "task", 0)["p_wald"][1:] for run in range(40)])
        for hazard in (spline, line)
    }
    held, broken = ((p[hazard] <= 0.05).mean() for hazard in (spline, line))
    assert held < stats.binom.isf(1e-3, 360, 0.06) / 360 and broken > 0.2
    assert ((p[line] * 9).min(axis=1) <= 0.05).mean() > 0.6


def judged(trial):
    effects = with_links(trial, association(trial))
    nothing, steady = pd.DataFrame(), stability(trial, np.full(trial.z.shape[1], 0.95))
    found = collect_evidence(trial, effects, leakage(trial, effects), nothing, steady, nothing, nothing, {})
    return found, [judge(item, trial.options) for item in found]


def test_what_drives_the_hazard_is_biology_and_its_effect_is_a_log_hazard_ratio():
    evidence, verdicts = judged(plant(STRONG, 100, 5))
    assert verdicts[0].verdict == "biology" and "log HR per SD" in verdicts[0].why
    assert all(v.verdict != "biology" for v in verdicts[1:])
    task = evidence[0].tasks[0]
    assert task.unit == "log HR per SD" and 0.5 < task.effect < 1.5 and task.ci_low < 1 < task.ci_high


def test_hazards_that_are_not_proportional_are_said_to_be_so():
    task = TaskEvidence("os", effect=0.6, ci_low=0.3, ci_high=0.9, unit="log HR per SD", changes=-3.1, p_changes=0.002)
    assert effect(task) == "+0.60 log HR per SD, 95 % 0.30 to 0.90"
    assert over_time([task]) == (
        " Its os effect fades over follow-up (hazards are not proportional, p 0.002): the hazard ratio is an average."
    )
    assert "grows" in over_time([replace(task, changes=3.1)])
    assert over_time([replace(task, p_changes=0.2)]) == over_time([TaskEvidence("os")]) == ""
    firm = replace(task, called=True, own=True, firm=True, q=0.001)
    assert "fades over follow-up" in judge(Evidence("z1", (firm,), ()), plant(STRONG, 30, 0).options).why


class Axes:
    """Latents that are given, without heads."""

    saw = NOTHING

    def __init__(self, trial):
        self.dims, self.fold = trial.dims, np.arange(len(trial.z)) % 3
        self.z = trial.z

    def latents(self, fold: int) -> np.ndarray:
        return self.z[None]


def test_the_whole_trial_of_a_time():
    """What drives the hazard is biology in verdicts.tsv, C falls without it, the rate is of planted times."""
    trial = plant(Hazard(by_interferon=1.0), 60, 1)
    trial = replace(trial, z=trial.z[:, :4], dims=trial.dims[:4], block=trial.block[:4])
    procedure = Procedure(lambda _: pd.DataFrame(columns=["dim", "set"]), rates="measurements")
    tables = examine(trial, Axes(trial), np.full(4, 0.95), procedure)
    verdicts = tables["verdicts"].set_index("dim")
    assert verdicts["verdict"]["z01"] == "biology" and (verdicts["verdict"] == "biology").sum() == 1
    row = verdicts.loc["z01"]
    assert row[f"effect_{TASK}"] > 0.5 and row[f"delta_{TASK}"] > 0.1 and row[f"removal_{TASK}"] == "harmful"
    assert row["about"] == TASK and row["error_rate_from"].startswith("planted times, 50 events: ")
    told = shipped_rates().query("part == 'times' and donors == 50")["rate"].item()
    assert row["error_rate"] == told and 0 < told < 0.2
    others = verdicts.drop("z01")
    assert others.loc[others["about"] == TASK, "error_rate"].isna().all()  # none was counted of other verdicts
    assert set(tables["ablation"]["metric"]) == {"c_index"}
    assert (verdicts["donors_needed"].dropna() > 150).all()


def test_tables_of_other_runs_have_no_columns_of_time():
    trial = plant(STRONG, 30, 6)
    assert {"changes", "p_changes"} <= set(association(trial))
    sick = replace(trial, obs=trial.obs.assign(**{TASK: (trial.z[:, 0] > 0).astype(float)}))
    binary = replace(sick, tasks={TASK: Regression(TASK)})
    assert not {"changes", "p_changes"} & set(association(binary))


def test_a_head_that_is_refitted_learns_the_residual():
    trial = plant(Hazard(by_interferon=1.0), 100, 7)
    y, half = trial.labels(TASK), np.arange(len(trial.z)) % 2 == 0
    rest = ~half
    full, without = refitted(trial.z[half], y[half], trial.donors[half], trial.z[rest], trial.tasks[TASK], [(0,), (1,)])
    risk = [np.corrcoef(values, trial.z[rest, 0])[0, 1] for values in (full, without[0], without[1])]
    assert risk[0] > 0.8 and abs(risk[1]) < 0.4 and risk[2] > 0.8
