"""Gain, intervals, bias and variance of predictions whose truth is known."""

import numpy as np
import pytest

from mtlbio.evaluation.learning_curve import bias_and_variance, curve_row, curve_table, sizes
from mtlbio.labels import Multiclass, Regression
from mtlbio.metrics.values import r2
from mtlbio.tables import CURVE

AGE = Regression("age")


def pairs(y, count, together, alone, shift=0.0, seed=0):
    rng = np.random.default_rng([seed, 5])
    return [
        tuple(y * (1 - shift) + spread * rng.normal(size=len(y)) for spread in (together, alone)) for _ in range(count)
    ]


def test_a_planted_gain_and_its_parts_are_found():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    donors = np.arange(400).astype(str)
    drawn = pairs(y, 6, together=0.3, alone=0.6)
    row = curve_row(AGE, y, donors, 20, drawn, 300, 0)
    assert row["gain"] == pytest.approx(np.mean([r2(y, a) - r2(y, b) for a, b in drawn]))
    assert row["ci_low"] > 0 and row["ci_low"] < row["gain"] < row["ci_high"]
    assert row["variance_multitask"] == pytest.approx(0.09 / y.var(), rel=0.1)
    assert row["variance_singletask"] == pytest.approx(0.36 / y.var(), rel=0.1)
    assert abs(row["bias_multitask"]) < 0.02
    table = curve_table([row])
    assert list(table.columns[: len(CURVE)]) == CURVE and table["donors"].tolist() == [20]


def test_bias_and_variance_add_up_to_the_error():
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    draws = np.stack([a for a, _ in pairs(y, 5, 0.4, 0.4, shift=0.5)])
    bias, variance = bias_and_variance(AGE, y, draws)
    assert bias + variance == pytest.approx(np.square(draws - y).mean() / y.var())
    assert bias == pytest.approx(0.25, abs=0.06)
    assert np.isnan(bias_and_variance(AGE, y, draws[:1])).all()
    stage = Multiclass("stage", ("I", "II", "III"))
    codes = rng.integers(0, 3, 200).astype(float)
    certain = np.repeat((codes[:, None] == np.arange(3))[None].astype(float), 4, axis=0)
    assert bias_and_variance(stage, codes, certain) == (0.0, 0.0)


def test_the_interval_covers_the_draws_of_the_labels_too():
    y = np.random.default_rng(2).normal(size=300)
    donors = np.arange(300).astype(str)
    steady = curve_row(AGE, y, donors, 10, pairs(y, 1, 0.3, 0.5) * 5, 300, 0)
    spreads = [(0.2, 0.2), (0.2, 0.9), (0.2, 0.3), (0.2, 0.2), (0.2, 0.6)]
    varied = [pair for i, (a, b) in enumerate(spreads) for pair in pairs(y, 1, a, b, seed=i)]
    wide = curve_row(AGE, y, donors, 10, varied, 300, 0)
    assert wide["ci_high"] - wide["ci_low"] > 3 * (steady["ci_high"] - steady["ci_low"])


def test_visits_of_a_donor_and_missing_labels_do_not_count():
    y = np.random.default_rng(3).normal(size=60)
    drawn = pairs(y, 3, 0.3, 0.5)
    once = curve_row(AGE, y, np.arange(60).astype(str), 10, drawn, 200, 0)
    often = [tuple(np.append(np.repeat(p, 10), 0.0) for p in pair) for pair in drawn]
    donors = np.append(np.repeat(np.arange(60), 10), 99).astype(str)
    many = curve_row(AGE, np.append(np.repeat(y, 10), np.nan), donors, 10, often, 200, 0)
    for name in ("gain", "ci_low", "ci_high", "n_donors", "variance_multitask"):
        assert many[name] == pytest.approx(once[name])


@pytest.mark.parametrize("donors, found", [(12, [12]), (14, [10, 14]), (60, [10, 20, 40, 60]), (27, [10, 20, 27])])
def test_sizes(donors, found):
    assert sizes(donors) == found
