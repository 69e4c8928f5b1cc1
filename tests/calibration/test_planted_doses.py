"""Planted drugs: what a dimension is about, and rates that speak for tables of features only."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.calibration.doses import ARMS, DoseCell, doses_grid, judge_doses, roles_of_rest
from mtlbio.calibration.rates import (
    COLUMNS,
    nearest_rate,
    prospects,
    shipped_found,
    shipped_rates,
    speaking_for,
    with_rates,
)
from mtlbio.calibration.score import scored
from mtlbio.calibration.truth import right_verdicts
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


def test_rates_speak_for_their_own_kind():
    rows = [
        ("pipeline", 200, 0.5, "biology", 100, 4, 0.04, 0.02, 0.1),
        ("doses", 300, 0.5, "biology", 60, 0, 0, 0, 0.06),
    ]
    rates = pd.DataFrame(rows, columns=COLUMNS)
    assert nearest_rate("biology", 250, 0.5, speaking_for(rates, "table"))["part"] == "doses"
    audit = pd.DataFrame(
        [("task", "dose", "technical", "eta2", 0.01, 290)],
        columns=["kind", "task", "role", "association", "value", "n_donors"],
    )
    verdicts = pd.DataFrame({"verdict": ["biology"], "about": "dose"})
    of_table = with_rates(verdicts, audit, rates, kind="table").iloc[0]
    assert (
        of_table["error_rate"] == 0
        and of_table["error_rate_from"] == "planted doses, 300 patients a drug: 0 of 60 wrong"
    )
    assert with_rates(verdicts, audit, rates).iloc[0]["error_rate"] == 0.04


def test_shipped_rates_of_tables():
    rates, found = speaking_for(shipped_rates(), "table"), speaking_for(shipped_found(), "table")
    assert set(found["what"]) >= {"enzyme", "inhibitor", "variant"} and set(rates["donors"]) == {100, 300, 1000}
    audit = pd.DataFrame(
        [("task", "dose", "technical", "eta2", 0.01, 290)],
        columns=["kind", "task", "role", "association", "value", "n_donors"],
    )
    assert "a feature that drives the doses as the planted enzyme does was called biology in" in prospects(
        audit, "dose", kind="table"
    )


@pytest.mark.slow
def test_a_planted_cohort_is_judged_as_a_user_would_see_it():
    rows = judge_doses(cell(1.0, 150), 0)
    axes = rows[rows["block"] == "axis"].set_index("role")
    assert axes.at["enzyme", "verdict"] == "biology" and axes.at["weight", "verdict"] == "confounder"
    assert not rows["false_biology"].any() and (axes.index == "variant").sum() == 8
