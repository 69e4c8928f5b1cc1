"""Calibration and power of the test for shuffled labels, and what it must not depend on."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from mtlbio.evaluation.label_noise import LEVEL, Units, label_noise, share_of, units_of
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.evaluation.shuffled_labels import SHARES, ClassLikelihood
from mtlbio.evaluation.shuffled_values import ValueLikelihood
from mtlbio.labels import Binary, Multiclass, Regression
from mtlbio.tables import LABEL_NOISE

DISEASE = Binary("disease", ("no", "yes"))
STAGE = Multiclass("stage", ("a", "b", "c"))
AGE = Regression("age")
SLOPES = np.array([0.3, 0.6, 1.0, 1.7, 3.0])


def shuffled(y, share, rng):
    wrong = np.flatnonzero(rng.random(len(y)) < share)
    y = y.copy()
    y[wrong] = y[rng.permutation(wrong)]
    return y


def class_units(n, seed, share=0.0, steepness=4.0, noise=0.2):
    """Every fold with a slope of its own: what an earlier test took for wrong labels."""
    rng = np.random.default_rng([seed, n])
    signal, fold = rng.standard_normal(n), np.arange(n) % 5
    y = shuffled((rng.random(n) < expit(steepness * signal)).astype(float), share, rng)
    f = (signal + noise * rng.standard_normal(n)) * SLOPES[fold]
    return Units(np.arange(n).astype(str), fold, y, np.stack([-f / 2, f / 2], axis=1))


def value_units(n, seed, share=0.0, error=0.4):
    rng = np.random.default_rng([seed, n, 1])
    signal = rng.standard_normal(n)
    y = shuffled(signal + error * rng.standard_t(3, n), share, rng)
    return Units(np.arange(n).astype(str), np.arange(n) % 5, np.exp(y), signal)


def task(info, n=100, seed=0, share=0.0, visits=1):
    """Predictions of a task; every donor with so many samples."""
    rng = np.random.default_rng([seed, n, 2])
    signal = rng.standard_normal(n)
    if info.kind == "multiclass":
        centres = np.array([-1.0, 0.0, 1.0])
        pred = np.exp(-4 * np.square(signal[:, None] - centres))
        pred /= pred.sum(axis=1, keepdims=True)
        y = (pred.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).astype(float)
    elif info.kind == "binary":
        y, pred = (rng.random(n) < expit(5 * signal)).astype(float), expit(4 * signal)
    else:
        y, pred = 50 + 10 * (signal + 0.3 * rng.standard_t(4, n)), 50 + 10 * signal
    donors = np.repeat([f"d{i:03}" for i in range(n)], visits)
    samples = np.array([f"s{i:04}" for i in range(n * visits)])
    y = np.repeat(shuffled(y, share, rng), visits)
    return TaskPredictions(info, samples, donors, y, {"multitask": np.repeat(pred, visits, axis=0)})


def folds_of(*tasks):
    samples = np.unique(np.concatenate([t.samples for t in tasks]))
    return pd.Series(np.arange(len(samples)) % 5, samples)


@pytest.mark.parametrize("steepness", [1.5, 4.0])
def test_slopes_that_differ_between_folds_are_no_wrong_labels(steepness):
    alarms = sum(share_of(class_units(100, seed, steepness=steepness), True, seed)["p"] <= LEVEL for seed in range(20))
    assert alarms <= 3  # more than 3 of 20 happen once in 60 times at 5 %


def test_heavy_tails_and_any_scale_are_no_wrong_values():
    assert sum(share_of(value_units(80, seed), False, seed)["p"] <= LEVEL for seed in range(8)) <= 2


def test_half_of_the_labels_shuffled_are_noticed_where_predictions_are_sure():
    found = [share_of(class_units(300, seed, 0.5, 15.0, 0.05), True, seed) for seed in range(2)]
    assert all(f["p"] <= LEVEL for f in found)
    assert np.mean([f["share"] for f in found]) == pytest.approx(0.5, abs=0.12)
    found = share_of(value_units(150, 0, 0.5, 0.15), False, 0)
    assert found["p"] <= LEVEL and found["share"] == pytest.approx(0.5, abs=0.15)


def test_a_tenth_is_tolerated():
    found = share_of(class_units(400, 1, 0.1, 15.0, 0.05), True, 0)
    assert found["share_low"] <= 0.1 <= found["share_high"] < 0.5


def test_neither_order_of_samples_nor_scale_of_logits_matters():
    found = task(DISEASE, 60, share=0.5)
    folds = folds_of(found)
    order = np.random.default_rng(0).permutation(60)
    turned = TaskPredictions(
        DISEASE,
        found.samples[order],
        found.donors[order],
        found.y[order],
        {"multitask": found.arms["multitask"][order]},
    )
    one, other = (label_noise([t], folds, 0) for t in (found, turned))
    pd.testing.assert_frame_equal(one, other)
    units = class_units(80, 0, 0.5)
    wide = Units(units.names, units.fold, units.y, 8 * units.pred)
    assert share_of(units, True, 0) == share_of(wide, True, 0)
    values = value_units(60, 0, 0.5)
    again = Units(values.names, values.fold, np.log(values.y), 3 * values.pred + 9)
    assert share_of(values, False, 0) == share_of(again, False, 0)


def test_visits_of_a_donor_with_one_label_are_one_unit():
    once, often = task(DISEASE, 40), task(DISEASE, 40, visits=3)
    folds = pd.Series(np.arange(40) % 5, [f"s{i:04}" for i in range(40)])
    thrice = pd.Series(np.repeat(np.arange(40) % 5, 3), often.samples)
    a, b = units_of(once, folds), units_of(often, thrice)
    np.testing.assert_allclose(a.pred, b.pred)
    np.testing.assert_array_equal(a.y, b.y)
    assert b.names[0] == "s0000+s0001+s0002"
    # a swapped sample is a unit of its own; values that hardly differ are not
    y = often.y.copy()
    y[1] = 1 - y[1]
    swapped = TaskPredictions(DISEASE, often.samples, often.donors, y, often.arms)
    assert len(units_of(swapped, thrice).y) == 41
    age = task(AGE, 40, visits=2)
    visits = age.y + np.tile([0.0, 0.5], 40)
    later = TaskPredictions(AGE, age.samples, age.donors, visits, age.arms)
    assert len(units_of(later, folds_of(later)).y) == 40


def test_the_table_names_tasks_shares_and_suspects():
    tasks = [task(DISEASE), task(STAGE), task(AGE, 150, share=0.5), task(Binary("rare", ("a", "b")), 20)]
    table = label_noise(tasks, folds_of(*tasks), 0)
    assert list(table.columns) == LABEL_NOISE
    table = table.set_index("task")
    assert table["alarm"].to_dict() == {
        "disease": "no",
        "stage": "no",
        "age": "yes",
        "rare": pytest.approx(np.nan, nan_ok=True),
    }
    assert table.at["age", "why"].startswith("age: about ") and "alarm at 0.017 over 3 tasks" in table.at["age", "why"]
    suspects = table.at["age", "suspects"].split("; ")
    assert 1 <= len(suspects) <= 10
    honest = task(AGE, 150)
    moved = {s for s, a, b in zip(honest.samples, honest.y, tasks[2].y, strict=True) if a != b}
    assert sum(s.split(" ")[0] in moved for s in suspects) >= 0.8 * len(suspects)
    assert table.loc[["disease", "stage"], "suspects"].isna().all()
    assert table.at["disease", "could_show"] == "yes" and "can be ruled out" in table.at["disease", "why"]
    assert np.isnan(table.at["rare", "p"]) and "too few to test them" in table.at["rare", "why"]


def test_predictions_that_know_nothing_can_show_nothing():
    found = task(DISEASE, 80)
    rng = np.random.default_rng(3)
    found = TaskPredictions(DISEASE, found.samples, found.donors, found.y, {"multitask": rng.random(80)})
    row = label_noise([found], folds_of(found), 0).iloc[0]
    assert (row["alarm"], row["could_show"]) == ("no", "no") and "not even half-shuffled labels" in row["why"]


def test_draws_follow_the_fitted_model():
    units = class_units(300, 2)
    likelihood = ClassLikelihood(units.pred, units.fold, np.array([0.5, 0.5]))
    y = units.y.astype(int)
    drawn = likelihood.draw(y, 0, 200, np.random.default_rng(0))
    order = np.argsort(units.pred[:, 1] / SLOPES[units.fold])
    top, bottom = order[-60:], order[:60]
    assert drawn[top].mean() == pytest.approx(y[top].mean(), abs=0.05)
    assert drawn[bottom].mean() == pytest.approx(y[bottom].mean(), abs=0.05)
    values = value_units(200, 2)
    drawn = ValueLikelihood(values.pred, values.fold).draw(values.y, 0, 50, np.random.default_rng(0))
    assert np.corrcoef(drawn.mean(axis=1), values.pred)[0, 1] > 0.98
    assert SHARES[0] == 0 and (np.diff(SHARES) > 0).all()
