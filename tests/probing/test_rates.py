"""The error rate that a verdict carries is that of the nearest design, of runs of its own kind."""

import numpy as np
import pandas as pd

from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.score import scored
from benchmarks.calibration.shipping import error_rates, found_rates
from mtlbio.probing.rates import (
    ANY_FALSE,
    COLUMNS,
    FOUND,
    LEAST,
    PARTS,
    design_of,
    findable,
    nearest_cell,
    nearest_rate,
    no_rate_at,
    prospects,
    rate_of,
    separation_of,
    shipped_found,
    shipped_rates,
    speaking_for,
    wilson,
)

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


def test_the_nearest_cell_with_enough_verdicts_wins():
    table = rates()
    assert nearest_rate("technical", 220, 0.5, table)["donors"] == 200
    assert nearest_rate("technical", 60, 0.5, table)["part"] == "axes"  # ten verdicts of the pipeline say nothing
    assert nearest_rate("confounder", 80, 0.5, table)["separation"] == 1.0
    assert nearest_rate("mixed", 80, 0.5, table) is None


def test_what_withholds_an_answer_has_no_error_rate():
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
    technical, none = (
        rate_of(v, "disease", audit, "measurements", rates=rates()) for v in ("technical", "underpowered")
    )
    assert technical.error == 0.025 and np.isnan(none.error) and none.counted is None
    assert technical.counted == "whole pipeline, 200 donors, batch independent of disease: 1 of 40 wrong"
    assert technical.low < 0.025 < technical.high


def test_separation_runs_from_balanced_to_nested():
    assert [separation_of(v) for v in (0.0, 0.4, 1.0)] == [0.5, 0.7, 1.0]


def test_prospects_name_the_cell_and_both_rates():
    causal, null = Cell("x", 200, dict(BASE)), Cell("y", 200, {**BASE, "interferon": 0.0, "response": "nothing"})
    parts = [scored(causal, run, ["z1", "z2"], ["interferon", "noise"], ["biology", "unused"]) for run in range(19)]
    parts += [scored(causal, 19, ["z1"], ["interferon"], ["underpowered"])]
    parts += [scored(null, run, ["z1"], ["noise"], ["biology" if run == 0 else "unused"]) for run in range(20)]
    found = found_rates({"pipeline": pd.concat(parts)})
    audit = pd.DataFrame([("task", "sle", "technical", "cramers_v", 0.02, 180)], columns=AUDIT)
    words = prospects(audit, "sle", "measurements", found)
    assert "200 donors, batch independent of disease" in words
    assert "called biology in 95.0 % (76.4-99.1)" in words
    assert "2.5 % (0.4-12.9) of the runs held any false biology" in words
    assert prospects(audit, "unknown", "measurements", found) is None
    tighter = prospects(audit, "sle", "measurements", found, alpha=0.01)
    assert tighter == f"{words} Counted at probe.alpha 0.05; this run has 0.01."


def test_both_rates_of_prospects_are_of_one_cell():
    """The nearest cell that counted false biology may be another than the nearest that planted the programme."""
    rows = [("axes", 80, 0.5, "interferon", 40, 32, 0.8, 0.7, 0.9), ("axes", 80, 0.5, ANY_FALSE, 90, 3, 0.03, 0, 0.1)]
    rows += [("axes", 160, 0.5, ANY_FALSE, 40, 0, 0.0, 0.0, 0.1)]
    cells = pd.DataFrame(rows, columns=FOUND)
    cell = nearest_cell(cells, "interferon", 150, 0.5)
    assert cell["donors"].unique().tolist() == [80] and sorted(cell.index) == ["interferon", ANY_FALSE]
    audit = pd.DataFrame([("task", "sle", "technical", "cramers_v", 0.02, 150)], columns=AUDIT)
    words = prospects(audit, "sle", "measurements", cells)
    assert "(80 donors" in words and "3.0 % (0.0-10.0) of the runs held any false biology" in words


def test_what_can_be_found_is_told_by_size_of_the_nearest_separation():
    rows = [
        ("axes", n, s, "interferon", 40, 40 * r, r, 0, 1)
        for n, s, r in ((80, 0.5, 0.8), (40, 0.5, 0.3), (40, 1.0, 0.1))
    ]
    rows += [("pipeline", 200, 0.5, "interferon", 20, 20, 1.0, 0.8, 1.0), ("axes", 60, 0.5, "noise", 40, 40, 1.0, 0, 1)]
    cells = pd.DataFrame(rows, columns=FOUND)
    audit = pd.DataFrame([("task", "sle", "technical", "cramers_v", 0.02, 180)], columns=AUDIT)
    assert findable(audit, "sle", "measurements", cells) == (
        "sle: of planted cohorts (given axes), a programme that drives the disease was found in 30 % with 40 and 80 % "
        "with 80 donors."
    )
    tighter = findable(audit, "sle", "measurements", cells, 0.1)
    assert tighter is not None and tighter.endswith(" with 80 donors. Counted at probe.alpha 0.05; this run has 0.1.")
    assert findable(audit, "unknown", "measurements", cells) is None and findable(audit, "sle", "chains", cells) is None


def test_rates_speak_for_their_own_kind():
    rows = [
        ("pipeline", 0.05, 200, 0.5, "biology", 100, 4, 0.04, 0.02, 0.1),
        ("doses", 0.05, 300, 0.5, "biology", 60, 0, 0, 0, 0.06),
    ]
    rates = pd.DataFrame(rows, columns=COLUMNS)
    assert nearest_rate("biology", 250, 0.5, speaking_for(rates, "table"))["part"] == "doses"
    audit = pd.DataFrame(
        [("task", "dose", "technical", "eta2", 0.01, 290)],
        columns=["kind", "task", "role", "association", "value", "n_donors"],
    )
    of_table = rate_of("biology", "dose", audit, "table", rates=rates)
    assert of_table.error == 0 and of_table.counted == "planted doses, 300 patients a drug: 0 of 60 wrong"
    assert rate_of("biology", "dose", audit, "measurements", rates=rates).error == 0.04


def test_a_rate_belongs_to_a_level():
    rows = [
        ("pipeline", 0.05, 200, 0.5, "biology", 100, 4, 0.04, 0.02, 0.1),
        ("axes", 0.05, 200, 0.5, "biology", 100, 3, 0.03, 0.01, 0.1),
        ("axes", 0.2, 200, 0.5, "biology", 100, 9, 0.09, 0.05, 0.16),
    ]
    rates = pd.DataFrame(rows, columns=COLUMNS)
    audit = pd.DataFrame([("task", "disease", "technical", "cramers_v", 0.01, 200)], columns=AUDIT)
    usual, tighter, looser = (
        rate_of("biology", "disease", audit, "measurements", alpha, rates) for alpha in (0.05, 0.01, 0.1)
    )
    assert (tighter.error, tighter.low, tighter.high) == (usual.error, usual.low, usual.high) == (0.04, 0.02, 0.1)
    # nothing was counted at .01: the next looser level speaks, and is named
    where = "whole pipeline, 200 donors, batch independent of disease"
    assert tighter.counted == f"{where}, counted at probe.alpha 0.05: 4 of 100 wrong"
    assert usual.counted == "whole pipeline, 200 donors, batch independent of disease: 4 of 100 wrong"
    assert looser.error == 0.09
    assert looser.counted.endswith(
        "given axes, 200 donors, batch independent of disease, counted at probe.alpha 0.2: 9 of 100 wrong"
    )
    exact = rate_of("biology", "disease", audit, "measurements", 0.2, rates)
    assert exact.error == 0.09 and exact.counted.endswith("of disease, probe.alpha 0.2: 9 of 100 wrong")
    assert [no_rate_at(alpha, "measurements", rates) for alpha in (0.01, 0.2, 0.3)] == [False, False, True]
    assert no_rate_at(0.05, "chains", rates)
    assert np.isnan(rate_of("biology", "disease", audit, "measurements", 0.3, rates).error)


def test_shipped_rates_of_tables():
    rates, found = speaking_for(shipped_rates(), "table"), speaking_for(shipped_found(), "table")
    assert set(found["what"]) >= {"enzyme", "inhibitor", "variant"} and set(rates["donors"]) == {100, 300, 1000}
    audit = pd.DataFrame(
        [("task", "dose", "technical", "eta2", 0.01, 290)],
        columns=["kind", "task", "role", "association", "value", "n_donors"],
    )
    assert "a feature that drives the doses as the planted enzyme does was called biology in" in prospects(
        audit, "dose", "table"
    )


def test_rates_of_chains_are_theirs_alone():
    rows = [
        ("pipeline", 0.05, 200, 0.5, "biology", 100, 4, 0.04, 0.02, 0.1),
        ("chains", 0.05, 50, 0.5, "biology", 60, 0, 0, 0, 0.06),
    ]
    rates = pd.DataFrame(rows, columns=COLUMNS)
    audit = pd.DataFrame(
        [("task", "structure", "technical", "cramers_v", 0.1, 101)],
        columns=["kind", "task", "role", "association", "value", "n_donors"],
    )
    rate = rate_of("biology", "structure", audit, "chains", rates=rates)
    assert rate.error == 0 and rate.counted == "planted chains, 50 held-out chains: 0 of 60 wrong"
    assert rate_of("biology", "structure", audit, "measurements", rates=rates).error == 0.04


def test_shipped_rates_of_chains():
    rates = speaking_for(shipped_rates(), "chains")
    biology = rates[rates["verdict"] == "biology"].set_index("donors")
    assert set(biology.index) == {20, 50, 100} and (biology["n"] >= LEAST).all()
    assert biology["wrong"].sum() / biology["n"].sum() < 0.05


def test_what_is_refused_has_no_rate_and_no_prospects():
    """No planted model saw a label; `not_identifiable` may then be said of the refused task."""
    rows = [("latents", 0.05, 200, 0.5, v, 100, 4, 0.04, 0.02, 0.1) for v in ("biology", "not_identifiable")]
    cells = [("latents", 200, 0.5, what, 40, 20, 0.5, 0.4, 0.6) for what in ("interferon", ANY_FALSE)]
    rates, found = pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(cells, columns=FOUND)
    tasks = [("task", task, "technical", "cramers_v", 0.01, 200) for task in ("disease", "response")]
    audit = pd.DataFrame([("latents", "disease", None, None, np.nan, np.nan), *tasks], columns=AUDIT)
    asked = [("biology", "disease"), ("biology", "response"), ("not_identifiable", "response")]
    errors = [rate_of(verdict, task, audit, "latents", rates=rates).error for verdict, task in asked]
    np.testing.assert_array_equal(errors, [np.nan, 0.04, np.nan])
    for said in (prospects, findable):
        assert said(audit, "disease", "latents", found) is None and said(audit, "response", "latents", found)
    assert rate_of("not_identifiable", "disease", audit[1:], "latents", rates=rates).error == 0.04


def test_of_a_time_events_count_in_place_of_donors():
    rows = [("times", 0.05, events, 0.5, "biology", 40, events // 10, 0.1, 0.0, 0.2) for events in (30, 100)]
    table = pd.DataFrame([*rows, ("axes", 0.05, 400, 0.5, "biology", 99, 50, 0.5, 0.4, 0.6)], columns=COLUMNS)
    audit = pd.DataFrame([("task", "os", "technical", "cramers_v", 0.0, 400)], columns=AUDIT)
    few, many = (rate_of("biology", "os", audit, "times", rates=table, events=n) for n in (40, 90))
    assert few.counted == "planted times, 30 events: 3 of 40 wrong"
    assert many.counted == "planted times, 100 events: 10 of 40 wrong"
    assert np.isnan(rate_of("technical", "os", audit, "times", rates=table, events=40).error)  # none was counted
    assert rate_of("biology", "os", audit, "measurements", rates=table).counted.startswith("given axes, 400 donors")


def test_shipped_rates_are_of_the_whole_grid():
    found, rates = shipped_found(), shipped_rates()
    assert set(found["part"]) == set(PARTS) == set(rates["part"])
    assert (rates["wrong"] <= rates["n"]).all() and (rates["low"] <= rates["rate"]).all()
    nested = found[(found["separation"] == 1) & (found["what"] == "interferon") & (found["donors"] >= 200)]
    assert len(nested) and (nested["rate"] > 0.9).all()


def test_wilson_is_that_of_the_textbook():
    p, n, z = 0.1, 100, 1.959964
    centre, half = (p + z**2 / 200) / (1 + z**2 / n), z * np.sqrt(p * 0.9 / n + z**2 / 4e4) / (1 + z**2 / n)
    np.testing.assert_allclose(wilson(10, 100), (0.1, centre - half, centre + half), rtol=1e-5)
    assert np.isnan(wilson(0, 0)).all()
