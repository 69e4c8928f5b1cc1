"""Planted drugs: what a dimension is about, and rates that speak for tables of features only."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.doses import ARMS, DoseCell, doses_grid, judge_doses, roles_of_rest
from benchmarks.calibration.score import scored
from benchmarks.calibration.truth import right_verdicts
from mtlbio.cohort.simulate_doses import simulate_doses


def cell(effect: float, donors: int = 100) -> DoseCell:
    return DoseCell("x", donors, {"batch_disease": 0.5, "effect": effect})


def test_what_is_right_of_each_feature():
    acts, idle = cell(1.0).world, cell(0.0).world
    assert right_verdicts("enzyme", acts) == right_verdicts("inhibitor", acts) == {"biology"}
    assert right_verdicts("enzyme", idle) == right_verdicts("variant", acts) == {"unused"}
    for covariate in ("weight", "age", "ancestry"):
        assert right_verdicts(covariate, idle) == {"confounder"}
    rows = scored(cell(0.0), 3, ["z1", "z2"], ["enzyme", "variant"], ["biology", "underpowered"])
    assert rows["role"].tolist() == ["idle enzyme", "variant"]
    assert rows["false_biology"].tolist() == [True, False] and rows["wrong"].tolist() == [True, False]
    assert {name for name, _ in ((c.arm, n) for c, n in doses_grid(True))} == set(ARMS)


def test_without_effect_only_the_covariates_move_the_doses():
    acts, idle = simulate_doses(seed=1, effect=1.0), simulate_doses(seed=1, effect=0.0)
    features = [c for c in acts.table if not c.startswith("drug")]
    pd.testing.assert_frame_equal(acts.table[features], idle.table[features])
    dose = idle.truth["drug_b"]
    assert abs(np.corrcoef(dose - dose.mean(), acts.truth["drug_b"] - dose)[0, 1]) < 0.2
    known = acts.truth["drug_b"] - dose  # what enzyme and inhibitor add
    yes = acts.table["inhibitor"].eq("yes").to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(yes)), acts.truth["enzyme"], yes])
    np.testing.assert_allclose(np.linalg.lstsq(x, known, rcond=None)[0], [0, 0.6, -0.5], atol=1e-9)


def test_the_rest_is_what_the_planted_activities_say():
    doses = simulate_doses(seed=0, a=200, b=200)
    patients, rng = doses.truth.index, np.random.default_rng(0)
    noise = rng.standard_normal(len(patients))
    enzyme = doses.truth["enzyme"].to_numpy() / doses.truth["enzyme"].std()
    z = np.column_stack([enzyme, -2 * doses.table["age"], noise, enzyme + 0.9 * noise])
    roles = roles_of_rest(z, doses, patients)
    assert roles == ["enzyme", "age", "noise", "enzyme+noise"]
    # the order of the patients does not matter
    turned = rng.permutation(len(patients))
    assert roles_of_rest(z[turned], doses, patients[turned]) == roles


@pytest.mark.slow
def test_a_planted_cohort_is_judged_as_a_user_would_see_it():
    rows = judge_doses(cell(1.0, 150), 0)
    axes = rows[rows["block"] == "axis"].set_index("role")
    assert axes.at["enzyme", "verdict"] == "biology" and axes.at["weight", "verdict"] == "confounder"
    assert not rows["false_biology"].any() and (axes.index == "variant").sum() == 8
