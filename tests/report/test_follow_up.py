"""Kaplan-Meier curves of thirds, with who is at risk, and hazard ratios on a card."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import fabricate
from statsmodels.duration.survfunc import SurvfuncRight

from mtlbio.labels import Survival
from mtlbio.labels.survival.records import records_of
from mtlbio.probing.association import task_table
from mtlbio.report.cards import card_figure, panels_of
from mtlbio.report.effect_words import effect_in_words
from mtlbio.report.entries import entry
from mtlbio.report.follow_up import at_risk, by_follow_up, kaplan_meier, thirds
from mtlbio.report.inputs import read_inputs
from mtlbio.report.svg import new_figure


def followed(seed: int, n: int, entry: bool):
    rng = np.random.default_rng(seed)
    time, event = np.ceil(rng.exponential(20, n)) + 5, rng.random(n) < 0.6
    return time, event, np.where(entry, np.floor(rng.uniform(0, 5, n)) - 0.5, -np.inf)


@pytest.mark.parametrize("entry", [False, True])
def test_curves_equal_statsmodels(entry):
    time, event, since = followed(0, 80, entry)
    curve = kaplan_meier(time, event, since)
    other = SurvfuncRight(time, event.astype(int), entry=np.maximum(since, 0) if entry else None)
    assert curve.times[0] == 0 and curve.left[0] == 1 and curve.last == time.max()
    np.testing.assert_allclose(curve.times[1:], other.surv_times)
    np.testing.assert_allclose(curve.left[1:], other.surv_prob)


def test_a_curve_without_events_stays_at_one():
    curve = kaplan_meier(np.array([3.0, 4]), np.zeros(2, dtype=bool), np.full(2, -np.inf))
    assert curve.times.tolist() == [0] and curve.left.tolist() == [1] and curve.last == 4


def test_who_is_at_risk():
    time, entry = np.array([5.0, 10, 10]), np.array([-np.inf, 0.0, 6.0])
    assert at_risk(time, entry, np.array([0.0, 5, 6, 7, 10, 11])).tolist() == [2, 2, 1, 2, 2, 0]


def test_thirds_are_of_one_size_and_equal_values_stay_together():
    assert np.bincount(thirds(np.random.default_rng(0).normal(size=90))).tolist() == [30, 30, 30]
    group = thirds(np.array([1.0] * 5 + [2.0, 3.0]))
    assert len(set(group[:5].tolist())) == 1


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A reported run with an overall survival that z02 drives, its numbers as the trial finds them."""
    folder = tmp_path_factory.mktemp("follow_up")
    found = read_inputs(fabricate(folder, donors=90), folder)
    rng = np.random.default_rng(0)
    donor = found.obs["donor"].astype(str)
    driven = found.latents["z02"].groupby(donor.to_numpy()).mean()
    dies, leaves = rng.exponential(30 / np.exp(driven.to_numpy())), rng.uniform(10, 90, len(driven))
    time, event = np.minimum(dies, leaves), dies <= leaves
    since, one = np.full(len(time), -np.inf), np.zeros(len(time), dtype=int)
    label = Survival("os", records_of(time, event, since, one), (20.0,), (), "months")
    codes = pd.Series(label.table.place(time, event, since, one), driven.index)
    obs = found.obs.assign(os=codes.loc[donor].to_numpy())
    cohort = replace(found.cohort, tasks={**found.cohort.tasks, "os": label}, obs=obs)
    found = replace(found, cohort=cohort, obs=obs)
    table = task_table(found.kind.part("report", "trial")(found), "os", "task", 0).set_index("dim")
    verdicts = found.verdicts.assign(
        effect_os=table["effect"], ci_low_os=table["ci_low"], ci_high_os=table["ci_high"], q_os=table["q"], about="os"
    )
    verdicts.loc["z02", "driver"] = "os"
    return replace(found, verdicts=verdicts)


def test_a_card_shows_the_curves_and_the_hazard_ratio(inputs):
    row = inputs.verdicts.loc["z02"]
    ratio = np.exp(row[["effect_os", "ci_low_os", "ci_high_os"]].astype(float))
    assert ratio["effect_os"] > 1.5
    wanted = f"hazard ratio {ratio['effect_os']:.2f} ({ratio['ci_low_os']:.2f} to {ratio['ci_high_os']:.2f}) per SD"
    assert effect_in_words(inputs, "z02", "os") == wanted
    shown = {line["task"]: line["effect"] for line in entry(inputs, "z02", {})["effects"]}
    between = f"{ratio['ci_low_os']:.2f} to {ratio['ci_high_os']:.2f}"
    assert shown["os"] == (f"HR {ratio['effect_os']:.2f}", between)
    figure, title, description = card_figure(inputs, "z02")
    assert len(panels_of(inputs, "z02")) == 1 and title == "os by thirds of z02"
    assert wanted in description and "lowest third: 30 followed" in description


def test_below_the_curves_stands_who_is_at_risk(inputs):
    axes = new_figure(4, 3).subplots()
    by_follow_up(inputs, "z02", "os", axes)
    trial = inputs.kind.part("report", "trial")(inputs)
    units = trial.task_units("os")
    time, event, since, _ = trial.tasks["os"].times(units.y)
    group, ticks = thirds(units.mean(trial.z)[:, 1]), axes.get_xticks()
    assert ticks[0] == 0 and 4 <= len(ticks) <= 6 and axes.get_xlim() == (0, time.max())
    texts = [text.get_text() for text in axes.texts]
    for third, name in enumerate(("low", "mid", "high")):
        own = [str(n) for n in at_risk(time[group == third], since[group == third], ticks)]
        place = third * (len(ticks) + 1)
        assert texts[place : place + len(ticks) + 1] == [*own, name] and own[0] == "30"
    lines = axes.get_lines()
    assert len(lines) == 3
    assert lines[0].get_ydata()[-1] > lines[2].get_ydata()[-1]  # those with the highest values die first
    for third, line in enumerate(lines):
        curve = kaplan_meier(*(values[group == third] for values in (time, event, since)))
        np.testing.assert_allclose(line.get_ydata()[:-1], curve.left)
