import numpy as np
import pandas as pd

from mtlbio.calibration.cells import BASE, Cell
from mtlbio.calibration.rates import (
    COLUMNS,
    design_of,
    error_rates,
    found_rates,
    nearest_rate,
    prospects,
    separation_of,
    with_rates,
)
from mtlbio.calibration.score import scored

AUDIT = ["kind", "task", "role", "association", "value", "n_donors"]


def rates():
    parts = {"axes": [], "pipeline": []}
    for part, donors, separation, wrong in (
        ("pipeline", 200, 0.5, 1),
        ("pipeline", 200, 1.0, 20),
        ("axes", 80, 0.5, 3),
        ("pipeline", 80, 0.5, 2),
    ):
        cell = Cell("x", donors, {**BASE, "batch_disease": separation})
        n = 10 if (part, donors) == ("pipeline", 80) else 40  # too few verdicts in the last cell
        roles = ["noise"] * wrong + ["batch" if separation < 1 else "age"] * (n - wrong)
        verdict = "technical" if separation < 1 else "confounder"
        parts[part].append(scored(cell, 0, [f"z{i}" for i in range(n)], roles, [verdict] * n))
    return error_rates({part: pd.concat(tables) for part, tables in parts.items()})


def test_a_rate_is_the_share_of_wrong_claims():
    table = rates()
    assert list(table.columns) == COLUMNS
    row = table[(table["part"] == "pipeline") & (table["donors"] == 200) & (table["separation"] == 0.5)].iloc[0]
    assert (row["n"], row["wrong"], row["rate"]) == (40, 1, 0.025)


def test_the_nearest_cell_with_enough_verdicts_wins():
    table = rates()
    assert nearest_rate("technical", 220, 0.5, table)["donors"] == 200
    assert nearest_rate("technical", 60, 0.5, table)["part"] == "axes"  # ten verdicts of the pipeline say nothing
    assert nearest_rate("confounder", 80, 0.5, table)["separation"] == 1.0
    assert nearest_rate("mixed", 80, 0.5, table) is None


def test_what_withholds_an_answer_has_no_error_rate():
    verdicts = pd.DataFrame({"verdict": ["technical", "underpowered"], "about": "disease"})
    audit = pd.DataFrame(
        [
            ("task", "disease", "technical", "cramers_v", 0.05, 200),
            ("task", "disease", "confounder", "eta2", 0.9, 200),
            ("task", "response", "technical", "eta2", 0.81, 80),
        ],
        columns=AUDIT,
    )
    assert design_of(audit, "disease") == (200, 0.525)
    assert design_of(audit, "response") == (80, 0.95)
    out = with_rates(verdicts, audit, rates())
    assert out["error_rate"].iloc[0] == 0.025 and np.isnan(out["error_rate"].iloc[1])
    assert out["error_rate_from"].iloc[0] == "whole pipeline, 200 donors, batch independent of disease: 1 of 40 wrong"
    assert out["error_rate_low"].iloc[0] < 0.025 < out["error_rate_high"].iloc[0]


def test_separation_runs_from_balanced_to_nested():
    assert [separation_of(v) for v in (0.0, 0.4, 1.0)] == [0.5, 0.7, 1.0]


def test_prospects_name_the_cell_and_both_rates():
    causal, null = Cell("x", 200, dict(BASE)), Cell("y", 200, {**BASE, "interferon": 0.0, "response": "nothing"})
    parts = [scored(causal, run, ["z1", "z2"], ["interferon", "noise"], ["biology", "unused"]) for run in range(19)]
    parts += [scored(causal, 19, ["z1"], ["interferon"], ["underpowered"])]
    parts += [scored(null, run, ["z1"], ["noise"], ["biology" if run == 0 else "unused"]) for run in range(20)]
    found = found_rates({"pipeline": pd.concat(parts)})
    audit = pd.DataFrame([("task", "sle", "technical", "cramers_v", 0.02, 180)], columns=AUDIT)
    words = prospects(audit, "sle", found)
    assert "200 donors, batch independent of disease" in words
    assert "called biology in 95.0 % (76.4-99.1)" in words
    assert "2.5 % (0.4-12.9) of the runs held any false biology" in words
    assert prospects(audit, "unknown", found) is None
