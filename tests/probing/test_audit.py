import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.planted import COVARIATES, TASKS, plant
from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.config import Probe
from mtlbio.labels import Binary
from mtlbio.probing.audit import audit, cramers_v, inseparable
from mtlbio.probing.trial import Trial

DISEASE = {"disease": Binary("disease", ("no", "yes"))}
BATCH = {"batch": CovariateInfo("batch", "technical", "categorical")}


def pair(table, task, covariate):
    return table[(table["task"] == task) & (table["covariate"] == covariate)].iloc[0]


@pytest.mark.parametrize("probability, vif", [(0.85, 2.0), (0.95, 5.3)])
def test_vif_of_batch_that_follows_disease(probability, vif):
    table = audit(Trial.to_come(plant(4000, 0, batch_disease=probability).obs, TASKS, COVARIATES, Probe()))
    found = pair(table, "disease", "batch")["vif"]
    np.testing.assert_allclose(found, vif, rtol=0.12)  # 1 / (1 - (2p - 1)^2) for a balanced disease


def test_nested_batch_is_not_identifiable_and_the_sentence_says_what_would_fix_it():
    table = audit(Trial.to_come(plant(80, 0, batch_disease=1.0).obs, TASKS, COVARIATES, Probe()))
    row = pair(table, "disease", "batch")
    assert row["call"] == "not_identifiable" and row["rank_deficient"] and np.isinf(row["vif"])
    assert row["discordant"] == 0 and row["overlap"] == 0 and row["n_effective"] == 0
    assert "more donors (" in row["why"] and " with disease = " in row["why"] and "batch = B" in row["why"]
    assert inseparable(table) == {frozenset({"disease", "batch"})}


def test_balanced_design_is_ok():
    table = audit(Trial.to_come(plant(120, 0).obs, TASKS, COVARIATES, Probe()))
    assert pair(table, "disease", "batch")["call"] == "ok"
    assert pair(table, "disease", "sex")["call"] == "ok"
    assert not ((table["task"] == "age") & (table["covariate"] == "age")).any()
    assert inseparable(table) == set()


def test_too_few_discordant_donors():
    obs = pd.DataFrame({"donor": [f"d{i}" for i in range(60)]})
    obs["disease"] = ["no"] * 30 + ["yes"] * 30
    obs["batch"] = ["a"] * 28 + ["b"] * 32
    obs.loc[[30, 31], "batch"] = "a"  # two sick donors in the healthy batch, two healthy in the other
    row = audit(Trial.to_come(obs, DISEASE, BATCH, Probe())).iloc[0]
    assert row["discordant"] == 4 and row["smallest_cell"] == 2
    assert row["call"] == "not_identifiable"


def test_donors_that_bridge_batches_make_them_separable():
    obs = pd.DataFrame({"donor": np.repeat([f"d{i:02d}" for i in range(40)], 2)})
    obs["disease"] = np.repeat(["no", "yes"], 40)
    obs["batch"] = np.tile(["a", "b"], 40)  # every donor in both batches
    row = audit(Trial.to_come(obs, DISEASE, BATCH, Probe())).iloc[0]
    assert row["call"] == "ok" and row["discordant"] == 40
    np.testing.assert_allclose(row["vif"], 1.0, atol=1e-9)


def test_cramers_v_is_corrected_for_the_number_of_levels():
    rng = np.random.default_rng(0)
    counts = np.array([np.bincount(rng.integers(0, 2, 8), minlength=2) for _ in range(40)])
    assert cramers_v(counts.astype(float)) < 0.2
    np.testing.assert_allclose(cramers_v(np.diag([50.0, 50.0])), 1.0, atol=0.01)


def test_a_task_without_labels_is_reported_not_raised():
    obs = plant(40, 0).obs.assign(response=None)
    table = audit(Trial.to_come(obs, TASKS, COVARIATES, Probe()))
    assert (table.loc[table["task"] == "response", "call"] == "not_identifiable").all()


def test_effective_number_of_donors():
    table = audit(Trial.to_come(plant(300, 0, batch_disease=0.85).obs, TASKS, COVARIATES, Probe()))
    row = pair(table, "disease", "batch")
    np.testing.assert_allclose(row["n_effective"], 300 / row["vif_all"])
    assert row["vif_all"] > row["vif"]


def test_donors_that_are_compared_with_themselves_separate_a_label_from_what_does_not_change_in_them():
    """Eight donors before and after a drug: sex and age were called hard to tell from the drug, for want of donors."""
    obs = pd.DataFrame({"donor": np.repeat([f"d{i}" for i in range(8)], 2), "drug": ["no", "yes"] * 8})
    obs["sex"], obs["plate"] = np.repeat(["f", "m"], 8), ["P1", "P2"] * 8
    covariates = {
        "sex": CovariateInfo("sex", "confounder", "categorical"),
        "plate": CovariateInfo("plate", "technical", "categorical"),
    }
    table = audit(Trial.to_come(obs, {"drug": Binary("drug", ("no", "yes"))}, covariates, Probe())).set_index(
        ["task", "covariate"]
    )
    sex, plate = table.loc[("drug", "sex")], table.loc[("drug", "plate")]
    assert sex["call"] == "ok" and np.isnan(sex["discordant"])
    assert sex["why"] == "drug and sex can be told apart: every donor is compared with itself."
    assert plate["call"] == "not_identifiable" and plate["rank_deficient"]


def test_plates_of_four_donors_are_told_apart_as_they_are():
    """Levels of fewer than five donors were one level, and V of one level is nothing: 'can be told apart'."""
    obs = pd.DataFrame({"donor": [f"d{i:03d}" for i in range(80)], "plate": [f"P{i // 4}" for i in range(80)]})
    obs["disease"] = np.where(np.arange(80) // 4 % 2 == 0, "case", "healthy")
    covariates = {"plate": CovariateInfo("plate", "technical", "categorical")}
    tasks = {"disease": Binary("disease", ("healthy", "case"))}
    row = audit(Trial.to_come(obs, tasks, covariates, Probe())).iloc[0]
    assert row["value"] > 0.85 and row["call"] == "not_identifiable" and row["discordant"] == 0
    half = obs.assign(disease=np.where(np.arange(80) % 4 < 2, "case", "healthy"))
    row = audit(Trial.to_come(half, tasks, covariates, Probe())).iloc[0]
    assert row["value"] < 0.01 and row["call"] == "ok"


def test_levels_that_are_too_many_to_be_held_fixed_are_said():
    """Thirty plates of two donors and more covariates than there is room for."""
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"donor": [f"d{i:03d}" for i in range(60)], "plate": [f"P{i // 2}" for i in range(60)]})
    obs["disease"] = rng.choice(["healthy", "case"], 60)
    covariates = {"plate": CovariateInfo("plate", "technical", "categorical")}
    tasks = {"disease": Binary("disease", ("healthy", "case"))}
    numbers = {f"x{k}": CovariateInfo(f"x{k}", "confounder", "continuous") for k in range(9)}
    table = audit(Trial.to_come(obs, tasks, covariates, Probe())).set_index(["task", "covariate"])
    assert "too many levels" not in table.loc[("disease", "plate"), "why"]
    obs = obs.assign(**{name: rng.normal(size=60) for name in numbers})
    row = audit(Trial.to_come(obs, tasks, covariates | numbers, Probe())).set_index(["task", "covariate"])
    row = row.loc[("disease", "plate")]
    assert row["call"] == "weak" and "plate has too many levels (30) for 60 donors" in row["why"]


def test_donors_of_a_number_lie_where_ranges_overlap_and_not_in_levels():
    rng = np.random.default_rng(0)
    case = np.arange(80) % 2 == 0
    age = np.where(case, rng.uniform(20, 52, 80), rng.uniform(48, 80, 80))
    obs = pd.DataFrame({"donor": [f"d{i:03d}" for i in range(80)], "age": age})
    obs["disease"] = np.where(case, "case", "healthy")
    covariates = {"age": CovariateInfo("age", "confounder", "continuous")}
    row = audit(Trial.to_come(obs, {"disease": TASKS["disease"]}, covariates, Probe())).iloc[0]
    assert row["call"] != "ok" and "of 80 donors lie where the ranges of the classes overlap" in row["why"]
    assert "level" not in row["why"]
