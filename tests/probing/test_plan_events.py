"""A plan of a time to an event counts events, whoever else is followed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks.calibration.times import TASK, Hazard, follow, plant
from mtlbio.labels import Regression
from mtlbio.labels.cox import fit_cox
from mtlbio.probing.audit import audited
from mtlbio.probing.plan import OF_EVENTS, PLAN, plan_table, task_plan
from mtlbio.probing.plan_design import Design
from mtlbio.probing.plan_words import words
from mtlbio.probing.power import events_for_hazard, noncentrality_root, smallest_hazard


def design(events: int) -> Design:
    return Design("planted", *audited(plant(Hazard("straight", 0.8), events, 0)), 20, {})


def test_the_formula_is_schoenfelds():
    """Log hazard ratio log 2 per SD: 16.3 events at 5 % and 80 %: (1.96 + .84)^2 / log(2)^2."""
    assert noncentrality_root(0.05, 1, 1e6) ** 2 / np.log(2) ** 2 == pytest.approx(16.34, abs=0.01)
    assert events_for_hazard(np.log(2), 1_000, 1_000_000, 1.0, 0.05) == 17
    assert smallest_hazard(16.34, 1e6, 1.0, 0.05) == pytest.approx(np.log(2), abs=1e-3)
    assert smallest_hazard(50, 100, 1.0, 0.001) > smallest_hazard(50, 100, 1.0, 0.05)
    assert smallest_hazard(50, 100, 1.0, 0.05, spent=20) > smallest_hazard(50, 100, 1.0, 0.05)
    assert smallest_hazard(50, 100, 2.0, 0.05) == pytest.approx(np.sqrt(2) * smallest_hazard(50, 100, 1.0, 0.05))
    assert np.isnan(smallest_hazard(0, 100, 1.0, 0.05)) and events_for_hazard(0.5, 0, 100, 1.0, 0.05) == np.inf


def test_events_are_the_inverse_of_the_smallest_ratio():
    for events, donors, spent in ((40, 100, 6), (100, 1_000, 12)):
        size = smallest_hazard(events, donors, 1.2, 0.002, spent)
        assert events_for_hazard(size, events, donors, 1.2, 0.002, spent) == pytest.approx(events, abs=1)


@pytest.mark.parametrize(("events", "donors"), [(50, 75), (50, 500)])  # of 60, some lost, 50 are not seen
def test_power_at_the_smallest_ratio_is_that_of_the_score_test(events, donors):
    size, rng, hits = smallest_hazard(events, donors, 1.0, 0.05), np.random.default_rng(events), 0
    for _ in range(400):
        z = rng.normal(size=donors)
        time, event = follow(size * z, events, rng)
        assert event.sum() == events
        residual = fit_cox(np.empty((donors, 0)), time, event).martingale()
        hits += stats.pearsonr(residual, z).pvalue <= 0.05
    interval = stats.binomtest(hits, 400).proportion_ci(0.999)
    assert interval.high > 0.8 and interval.low < 0.88


def test_more_followed_donors_with_the_same_events_find_no_smaller_ratio():
    few, many = task_plan(design(40), TASK), task_plan(design(80), TASK)
    assert (few.events, few.donors, many.events, many.donors) == (40, 100, 80, 200)
    assert few.smallest / many.smallest == pytest.approx(np.sqrt(2), rel=0.12)
    needed = list(few.events_needed.values())
    assert needed == sorted(needed, reverse=True)
    assert [few.needed[e] == np.ceil(2.5 * n) for e, n in few.events_needed.items()] == [True] * 4


def test_table_and_words_say_events():
    planned = design(40)
    task = task_plan(planned, TASK)
    table = plan_table(planned, [task], {TASK: "says"})
    assert list(table) == PLAN + OF_EVENTS
    row = table.iloc[0]
    assert row["events"] == 40 and row["effect_unit"] == "log hazard ratio per SD" and row["events_for_0.5"] > 40
    text = " ".join(words(planned, [task], []).split())
    assert "survival: 40 events, 100 donors followed" in text
    assert "what counts are events, not donors" in text and "Events needed, among donors of the kind you have" in text
    assert "Donors needed" not in text and "0.5 (1.6)" in text


def test_few_events_are_a_warning_and_other_runs_have_no_columns_of_events():
    planned = design(40)
    few = replace(task_plan(planned, TASK), events=8)
    assert "survival: only 8 events." in words(planned, [few], [])
    trial = planned.trial
    number = replace(trial, tasks={TASK: Regression(TASK)})
    other = Design("planted", *audited(number), 20, {})
    assert list(plan_table(other, [task_plan(other, TASK)], {TASK: ""})) == PLAN
