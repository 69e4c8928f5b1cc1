"""The first screen: what was learnt, what not, and what it would take, in numbers of the tables."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import SET, fabricate

from mtlbio.report import plain
from mtlbio.report.answers import answers, fixes
from mtlbio.report.figures import task_metric
from mtlbio.report.inputs import read_inputs

KNOWN = "(donors with disease known; 80 now)"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    read = read_inputs(fabricate(folder, donors=80), folder)
    verdicts = read.verdicts.assign(donors_needed=np.nan, needed_for=None, error_rate=np.nan, odds_biology=0.1)
    verdicts.loc["z07", ["donors_needed", "needed_for"]] = [200, f"to establish its suspected link to disease {KNOWN}"]
    verdicts.loc["z12", "needed_for"] = f"more than 10,000 donors to exclude an effect of 1 SD on disease {KNOWN}"
    for role in ("confounder", "technical", "mixed", "none"):
        verdicts[f"odds_{role}"] = 0.225
    verdicts.loc["z02", ["error_rate", "error_rate_low", "error_rate_high"]] = [0.031, 0.01, 0.08]
    return replace(read, verdicts=verdicts)


def told(inputs) -> dict:
    tables = inputs.tables
    readings = [
        plain.read_task(t, task_metric(inputs, t), tables.get("metrics"), tables.get("comparisons"), inputs.words)
        for t in inputs.tasks
    ]
    return answers(inputs, readings)


def test_learnt_are_biology_confounders_and_batch_with_names_numbers_and_rates(inputs):
    groups = {group["verdict"]: group for group in told(inputs)["learnt"]}
    assert list(groups) == ["biology", "confounder", "technical"]
    assert groups["biology"]["rate"] == "3.1 in 100 such verdicts wrong (1.0 to 8.0)"
    first = groups["biology"]["lines"][0]
    row = inputs.verdicts.loc["z02"]
    assert (first["dim"], first["name"], first["raw"]) == ("z02", "Interferon alpha response (Hallmark)", SET)
    assert first["text"] == f"disease +0.90 SD ({row['ci_low_disease']:.2f} to {row['ci_high_disease']:.2f})"
    assert first["cells"] == "monocytes 42 %"
    assert [line["text"] for line in groups["confounder"]["lines"]] == ["71 % of its variance", "63 % of its variance"]
    shortcut, harmless = groups["technical"]["lines"]  # the shortcut first
    assert shortcut["dim"] == "z04" and shortcut["text"] == "66 % of its variance; a shortcut: disease loses without it"
    assert harmless["text"] == "82 % of its variance; every prediction does without it"
    assert groups["technical"]["rate"] == groups["confounder"]["rate"] == ""
    found = told(inputs)
    assert found["predicts"] == "The model predicts disease better than the covariates alone."
    assert found["unused"] == "2 dimensions" and not found["no_biology"]


def test_not_learnt_are_open_tasks_and_dimensions_with_the_reason(inputs):
    found = told(inputs)
    assert "it predicts response no better than chance" in found["fails"]
    lines = {line["reason"]: [one["dim"] for one in line["dims"]] for line in found["not_learnt"]}
    assert lines == {
        "perhaps linked to disease, not established": ["z07"],
        "a large effect on disease is not excluded": ["z12"],
        "a task and a covariate cannot be told apart": ["z06"],
        "several things at once, none of which dominates": ["z05"],
    }
    about = inputs.verdicts.assign(about="disease")
    reasons = [line["reason"] for line in told(replace(inputs, verdicts=about))["not_learnt"]]
    assert "disease and site cannot be told apart in this design" in reasons


def test_what_it_would_take_is_counted(inputs):
    takes = told(inputs)["takes"]
    assert [(step["times"], step["settled"], step["of"]) for step in takes["steps"]] == [
        (2, 0, 2),
        (4, 1, 2),
        (10, 1, 2),
    ]
    link = '<a href="#card-z07">z07</a> (odds 10 %): 200 donors with disease known would tell; there are 80.'
    assert takes["first"] == link
    assert [one["dim"] for one in takes["never"]["dims"]] == ["z12"] and not takes["unknown"]
    assert takes["design"] == ["nearly all SLE donors are from Leeds (VIF 5.2)."]


def test_a_fix_is_what_the_audit_says_and_not_all_of_it():
    why = "disease and batch cannot be told apart: a reason, and another; to fix it, measure about 24 more donors."
    rows = [["disease", f"c{i}", "not_identifiable", why] for i in range(5)] + [["age", "sex", "ok", "fine"]]
    audit = pd.DataFrame(rows, columns=["task", "covariate", "call", "why"])
    assert fixes(audit)[0] == "disease and c0: measure about 24 more donors." and len(fixes(audit)) == 4
    assert fixes(audit)[-1] == "2 more pairs: see the design audit."
    assert fixes(audit.drop(columns="why"))[1] == "disease and c1 cannot be told apart." and fixes(None) == []


def test_missing_pieces_leave_gaps_and_no_errors(inputs):
    """No rates, no odds, no numbers of donors, no tables, no gene sets."""
    bare = inputs.verdicts[[c for c in inputs.verdicts if not c.startswith(("odds_", "error_", "donors", "needed"))]]
    found = told(replace(inputs, verdicts=bare, tables={}, members={}))
    nobody = {"count": 0, "dims": [], "more": 0}
    assert found["takes"] == {"steps": [], "first": None, "never": nobody, "unknown": True, "design": []}
    assert [group["rate"] for group in found["learnt"]] == ["", "", ""] and found["fails"] == found["predicts"] == ""
    lines = {line["reason"] for line in found["not_learnt"] if line["verdict"] == "underpowered"}
    assert lines == {"undecided for another reason, which its own sentence says"}


def test_nothing_learnt_is_said(inputs):
    none = inputs.verdicts.assign(verdict="unused", driver=None)
    found = told(replace(inputs, verdicts=none))
    assert found["no_biology"] and found["learnt"] == [] and found["unused"] == "12 dimensions"
    assert found["not_learnt"] == [] and found["takes"]["steps"] == []


def test_long_lists_are_cut(inputs):
    many = inputs.verdicts.assign(verdict="biology")
    (group,) = told(replace(inputs, verdicts=many))["learnt"]
    assert group["count"] == 12 and len(group["lines"]) == 4 and group["more"] == 8


def test_where_no_number_can_be_stated_that_is_said_and_nothing_else(inputs):
    words = f"no number can be stated to establish its suspected link to disease {KNOWN}: too close to none"
    verdicts = inputs.verdicts.assign(donors_needed=np.nan, needed_for=words)
    takes = told(replace(inputs, verdicts=verdicts))["takes"]
    assert takes["steps"] == [] and not takes["unknown"] and takes["first"] is None
    assert [one["dim"] for one in takes["never"]["dims"]] == ["z07", "z12"]
