import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.given_axes import trial_of
from benchmarks.calibration.planted import COVARIATES, TASKS, plant
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Probe
from mtlbio.labels import Binary, Multiclass
from mtlbio.probing.association import association, effects, task_design
from mtlbio.probing.inference import Contrast
from mtlbio.probing.trial import Trial


def rows(table, question, variable):
    return table[(table["question"] == question) & (table["variable"] == variable)].reset_index(drop=True)


def rejections(runs, **changes):
    """Rejections at .05 of the disease effect in axes that follow the shaped age or nothing; .9 % are by chance."""
    p = []
    for run in range(runs):
        planted = plant(80, run, interferon=0.0, age_effect=1.5, leak=0.0, noise_dims=8, shaped_axis=True, **changes)
        p.append(rows(association(trial_of(planted, permutations=99)), "task", "disease")["p"].to_numpy())
    p = np.array(p)
    return (p[:, 0] < 0.05).sum(), (p < 0.05).sum(), p.size


@pytest.mark.parametrize("shape", ["linear", "u", "age_x_batch"])
def test_confounding_by_age_does_not_pass_for_disease(shape):
    age_axis, everything, n = rejections(8, shape=shape)
    assert age_axis <= 2  # P(more | 8 runs, .05) = .006; an unadjusted test rejects nearly always
    assert everything <= 0.05 * n + 3 * np.sqrt(0.05 * 0.95 * n)


def test_repeated_visits_do_not_inflate():
    _, everything, n = rejections(6, visits=4)
    assert everything <= 0.05 * n + 3 * np.sqrt(0.05 * 0.95 * n)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"shape": "linear"}, {"shape": "u"}, {"shape": "age_x_batch"}, {"visits": 3}])
def test_type_one_error(changes):
    age_axis, everything, n = rejections(200, **changes)
    assert age_axis <= 0.05 * 200 + 2.6 * np.sqrt(0.05 * 0.95 * 200)
    assert 0.015 * n < everything <= 0.06 * n


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"batch_disease": 0.85}, {"visits": 3}])
def test_coverage_of_the_effect(changes):
    def disease(planted):
        trial = trial_of(planted)
        units, given, columns = task_design(trial, "disease")
        z = units.mean(trial.z)
        return effects(Contrast(columns, given, units).wald(z), z)

    truth = disease(plant(20_000, 1, noise_dims=0, **changes))[0]
    inside = []
    for run in range(200):
        _, low, high = disease(plant(80, 2000 + run, noise_dims=0, **changes))
        inside.append((low <= truth) & (truth <= high))
    assert 0.93 <= np.mean(inside) <= 0.98


def test_each_planted_axis_is_found_with_its_share():
    planted = plant(200, 5)
    table = association(trial_of(planted))
    for question, variable, role in (("confounder", "age", 0), ("confounder", "sex", 4), ("technical", "batch", 2)):
        found = rows(table, question, variable)
        assert found["called"][role] and abs(found["share"][role] - 0.89) < 0.08
        assert found["share"].drop(index=role).max() < 0.15
    disease = rows(table, "task", "disease")
    assert disease["called"][1] and disease["effect"].abs().idxmax() == 1
    assert disease["ci_low"][1] < disease["effect"][1] < disease["ci_high"][1]


def test_confounder_is_tested_without_and_technical_with_the_task():
    table = association(trial_of(plant(120, 0)))
    assert "disease" not in rows(table, "confounder", "age")["adjusted_for"][0]
    assert rows(table, "task", "disease")["adjusted_for"][0].startswith("age, sex, batch")
    assert rows(table, "task", "age")["adjusted_for"][0] == "sex, batch"


def test_nested_batch_leaves_the_adjusted_effect_empty_and_asks_the_joint_question():
    table = association(trial_of(plant(80, 0, batch_disease=1.0)))
    assert rows(table, "task", "disease")["p"].isna().all()
    assert rows(table, "joint", "disease")["called"][[1, 2]].all()
    assert rows(table, "technical", "batch")["called"][[1, 2]].all()


def test_mostly_missing_task_does_not_shrink_the_cohort():
    table = association(trial_of(plant(120, 0, labelled=0.2)))
    assert rows(table, "technical", "batch")["n"][0] == 120
    assert rows(table, "task", "response")["n"][0] < 45


def paired(donors=8, shift=2.0, seed=0):
    rng = np.random.default_rng(seed)
    names = np.repeat([f"d{i}" for i in range(donors)], 2)
    obs = pd.DataFrame({"donor": names, "disease": ["ctrl", "stim"] * donors})
    z = np.repeat(3 * rng.normal(size=(donors, 6)), 2, axis=0) + rng.normal(size=(2 * donors, 6))
    z[1::2, 0] += shift
    tasks = {"disease": Binary("disease", ("ctrl", "stim"))}
    return Trial(z, tuple("abcdef"), np.array(["axis"] * 6), obs, tasks, {})


def test_paired_donors_are_compared_with_themselves():
    table = association(paired(shift=7.0))
    assert table["n_donors"].eq(8).all() and table["called"].tolist() == [True] + [False] * 5
    assert table["p"][0] < 0.01


def test_paired_design_keeps_its_level():
    p = np.concatenate([association(paired(shift=0.0, seed=s))["p"].to_numpy() for s in range(60)])
    assert (p < 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(p))


def test_chips_that_change_within_donors_are_tested_on_samples():
    rng = np.random.default_rng(0)
    n = 400
    donor = np.repeat(np.arange(100), 4)
    chip = rng.integers(0, 40, n)
    obs = pd.DataFrame({"donor": [f"d{d:03d}" for d in donor], "chip": [f"c{c}" for c in chip]})
    obs["disease"] = np.where(donor % 2 == 0, "case", "healthy")
    person = rng.normal(size=(100, 2))[donor] + 0.4 * rng.normal(size=(n, 2))
    z = np.column_stack([person, 2 * rng.normal(size=40)[chip] + 0.5 * rng.normal(size=n)])
    covariates = {"chip": CovariateInfo("chip", "technical", "categorical")}
    trial = Trial(z, ("p", "q", "chip"), np.array(["axis"] * 3), obs, {"disease": TASKS["disease"]}, covariates)
    found = rows(association(trial), "technical", "chip")
    assert found["unit"][0] == "sample" and found["n"][0] == n
    assert found["called"].tolist() == [False, False, True]
    assert found["share"][2] > 0.85 and found["share"][:2].max() < 0.1


def test_multiclass_effect_is_a_multiple_correlation_with_its_interval():
    planted = plant(150, 3)
    trial = trial_of(planted)
    three = np.digitize(planted.z[:, 1], [-0.5, 0.5])
    obs = planted.obs.assign(state=np.array(["low", "mid", "high"])[three])
    tasks = {"state": Multiclass("state", ("low", "mid", "high"))}
    table = rows(association(Trial(trial.z, trial.dims, trial.block, obs, tasks, dict(COVARIATES))), "task", "state")
    assert table["df"].eq(2).all() and table["effect"].between(0, 1).all()
    assert table["called"][1] and 0.8 < table["effect"][1] < 0.97
    assert (table["ci_low"] <= table["effect"]).all() and (table["effect"] <= table["ci_high"]).all()
    assert table["ci_low"][1] < table["effect"][1] - 0.01 and table["effect"][1] + 0.01 < table["ci_high"][1]


def test_an_age_programme_that_turns_with_the_batch_is_age():
    planted = plant(200, 3, shape="age_x_batch", age_effect=1.5, shaped_axis=True)
    table = association(trial_of(planted))
    rows = table[(table["question"] == "confounder") & (table["variable"] == "age")].set_index("dim")
    assert rows.loc["z01", "called"] and rows.loc["z01", "share"] > 0.75  # the main effect alone: below .1
    noise = [f"z{d + 1:02d}" for d, role in enumerate(planted.roles) if role == "noise"]
    assert rows.loc[noise, "share"].max() < 0.1


def test_levels_that_are_pooled_still_compare_donors_within_them():
    """Mundlak 1978: what is held fixed is the label's mean in each level, so what is left differs from its level."""
    rng = np.random.default_rng(0)
    plate = np.repeat(np.arange(30), 2)
    disease = (rng.random(60) < np.repeat(rng.choice([0.2, 0.8], 30), 2)).astype(int)
    obs = pd.DataFrame({"donor": [f"d{i:03d}" for i in range(60)], "plate": [f"P{k:02d}" for k in plate]})
    obs["disease"] = np.array(["healthy", "case"])[disease]
    numbers = {f"x{k}": CovariateInfo(f"x{k}", "confounder", "continuous") for k in range(9)}
    obs = obs.assign(**{name: rng.normal(size=60) for name in numbers})
    covariates = numbers | {"plate": CovariateInfo("plate", "technical", "categorical")}
    trial = Trial.to_come(obs, {"disease": Binary("disease", ("healthy", "case"))}, covariates, Probe())
    _, adjustment, columns = task_design(trial, "disease")
    assert "plate (30 levels pooled, the label's mean in each held fixed)" in adjustment.terms
    means = np.repeat(columns.reshape(30, 2).mean(axis=1), 2)[:, None]
    np.testing.assert_allclose(adjustment.residual(means), 0, atol=1e-10)
    assert np.abs(adjustment.residual(columns)).max() > 0.1
