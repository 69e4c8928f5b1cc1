"""Scales of doses: there and back, and where they end."""

from __future__ import annotations

import numpy as np
import pytest

from mtlbio.labels import Regression
from mtlbio.labels.transforms import TRANSFORMS


@pytest.mark.parametrize("name", TRANSFORMS)
def test_there_and_back(name):
    y = np.array([0.25, 1.0, 35.0, 175.0])
    transform = TRANSFORMS[name]
    assert transform.inverse(transform.forward(y)) == pytest.approx(y)


def test_domains():
    y = np.array([-1.0, 0.0, 1.0])
    assert {name: t.valid(y).tolist() for name, t in TRANSFORMS.items()} == {
        "none": [True, True, True],
        "sqrt": [False, True, True],
        **dict.fromkeys(("log", "log2", "log10"), [False, False, True]),
    }


def test_a_prediction_stays_finite_and_never_turns_round():
    assert np.isfinite(TRANSFORMS["log"].inverse(np.array([1e6]))).all()
    # a square root below 0 is no dose; its square would rise again
    assert TRANSFORMS["sqrt"].inverse(np.array([-3.0])).tolist() == [0.0]


def test_predictions_are_in_the_units_of_the_user():
    task = Regression("dose", scale="sqrt")
    assert task.to_prediction(np.array([[0.5], [-0.5]]), mean=6.0, scale=2.0).tolist() == [49.0, 25.0]
