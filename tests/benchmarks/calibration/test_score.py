import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.score import any_false_biology, confusion, firm_p, macro_f1, recall, rescored, scored

CELL = Cell("base", 80, BASE)


def rows(*pairs, run=0):
    roles, verdicts = zip(*pairs, strict=True)
    return scored(CELL, run, [f"z{i}" for i in range(len(pairs))], list(roles), list(verdicts))


def test_perfect_verdicts_score_one_and_a_withheld_answer_costs_recall_only():
    perfect = rows(("interferon", "biology"), ("age", "confounder"), ("batch", "technical"), ("noise", "unused"))
    assert macro_f1(perfect) == 1.0 and not perfect["wrong"].any()
    held = rows(("interferon", "underpowered"), ("interferon", "biology"), ("age", "confounder"))
    assert macro_f1(held) == pytest.approx((2 / 3 + 1) / 2) and not held["wrong"].any()


def test_one_false_dimension_makes_a_false_run():
    table = pd.concat([rows(("noise", "biology"), ("age", "confounder"), run=0), rows(("noise", "unused"), run=1)])
    found = any_false_biology(table).iloc[0]
    assert (found["runs"], found["false_runs"], found["rate"]) == (2, 1, 0.5)
    assert confusion(table).loc["noise", "biology"] == 1
    shares = recall(table).set_index("role")
    assert shares.loc["noise", "right"] == 0.5 and shares.loc["age", "right"] == 1.0


def test_withholding_an_answer_is_never_wrong_and_false_biology_is_said_of_what_cannot_be_known():
    table = rows(("interferon", "underpowered"), ("noise", "biology"), ("age+interferon", "biology"))
    assert table["wrong"].tolist() == [False, True, False] and table["right"].tolist() == [False, False, True]
    assert table["false_biology"].tolist() == [False, True, False]
    for changes in ({"interferon": 0.0, "response": "nothing"}, {"batch_disease": 1.0}):
        cell = Cell("x", 80, {**BASE, **changes})
        row = scored(cell, 0, ["z1"], ["interferon"], ["biology"]).iloc[0]
        assert row["false_biology"] and row["wrong"]
    assert scored(
        Cell("x", 80, {**BASE, "interferon": 0.0, "response": "nothing"}), 0, ["z1"], ["interferon"], ["unused"]
    )["role"].tolist() == ["idle interferon"]


def test_biology_of_a_nested_cohort_is_scored_by_the_outcome_that_it_is_about():
    cell = Cell("x", 200, {**BASE, "batch_disease": 1.0})
    dims, roles = ["z1", "z2", "z3"], ["interferon", "interferon", "noise"]
    table = scored(cell, 0, dims, roles, ["biology"] * 3, ["response", "disease", "response"])
    assert table["false_biology"].tolist() == table["wrong"].tolist() == [False, True, True]
    again = rescored(table.assign(about=["response", "disease", "response"]), {cell.name: cell})
    assert again["false_biology"].tolist() == [False, True, True]
    assert rescored(table, {cell.name: cell})["false_biology"].all()  # nobody kept what they are about
    through_age = Cell("x", 200, {**BASE, "batch_disease": 1.0, "response": "age"})
    assert scored(through_age, 0, ["z1"], ["interferon"], ["biology"], ["response"])["false_biology"].all()


def test_kept_verdicts_are_judged_by_what_is_right_today():
    kept = rows(("interferon", "biology"), ("noise", "biology")).assign(wrong=False, right=False, covered=[1.0, 0.0])
    again = rescored(kept, {CELL.name: CELL})
    assert again["right"].tolist() == [True, False] and again["wrong"].tolist() == [False, True]
    assert again["covered"].tolist() == [1.0, 0.0]
    assert rescored(kept, {}).empty


def test_firmness_is_kept_for_effects_that_stand():
    table = pd.DataFrame(
        [("z1", True, 0.002), ("z1", True, 0.002), ("z2", False, 0.001), ("z3", np.nan, np.nan)],
        columns=["dim", "own", "p_familywise"],
    )
    np.testing.assert_array_equal(firm_p(table, ["z1", "z2", "z3"]), [0.002, np.nan, np.nan])
