"""Packing of heads side by side, and what comes out of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from mtlbio.labels import Binary, Multiclass, Ordinal, Regression
from mtlbio.model.outputs import Outputs

TASKS = {
    "disease": Binary("disease", ("healthy", "sick")),
    "stage": Ordinal("stage", ("I", "II", "III", "IV")),
    "age": Regression("age"),
    "subtype": Multiclass("subtype", ("A", "B", "C")),
}


def test_every_kind_has_its_columns_and_outputs():
    packing = Outputs.of(TASKS)
    assert (packing.n_columns, packing.n_outputs) == (6, 8)
    assert packing.columns == (slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 6))
    assert packing.outputs == (slice(0, 1), slice(1, 4), slice(4, 5), slice(5, 8))
    assert packing.task_of_column.tolist() == [0, 1, 2, 3, 3, 3]
    assert packing.task_of_output.tolist() == [0, 1, 1, 1, 2, 3, 3, 3]


def test_an_ordinal_task_is_one_direction_and_a_class_of_a_multiclass_task_its_own():
    packing = Outputs.of(TASKS)
    expected = np.zeros((6, 8))
    expected[0, 0] = expected[2, 4] = 1
    expected[1, 1:4] = 1
    expected[[3, 4, 5], [5, 6, 7]] = 1
    np.testing.assert_array_equal(packing.expand, expected)
    # every output is fed by exactly one column, and that column is of its own task
    assert (packing.expand.sum(axis=0) == 1).all()
    assert (packing.task_of_column[packing.expand.argmax(axis=0)] == packing.task_of_output).all()


@pytest.mark.parametrize("name", TASKS)
def test_one_task_alone(name):
    packing = Outputs.of({name: TASKS[name]})
    assert packing.task_of_column.tolist() == [0] * packing.n_columns
    assert packing.expand.shape == {"disease": (1, 1), "stage": (1, 3), "age": (1, 1), "subtype": (3, 3)}[name]


def test_probabilities_are_those_of_scipy():
    logits = np.random.default_rng(0).normal(0, 4, (2, 5, 3))
    np.testing.assert_allclose(TASKS["disease"].to_prediction(logits[..., :1]), expit(logits[..., 0]), atol=1e-12)
    np.testing.assert_allclose(TASKS["subtype"].to_prediction(logits), softmax(logits, axis=-1), atol=1e-12)


def test_a_regression_comes_back_in_its_own_units():
    values = np.array([[[-1.0], [0.0], [2.0]]])
    np.testing.assert_allclose(TASKS["age"].to_prediction(values, 50.0, 17.0), [[33, 50, 84]])


def test_ordered_thresholds_give_the_differences_of_sigmoids():
    logits = np.array([2.0, 0.5, -1.0])
    above = expit(logits)
    expected = [1 - above[0], above[0] - above[1], above[1] - above[2], above[2]]
    np.testing.assert_allclose(TASKS["stage"].to_prediction(logits), expected, atol=1e-12)


def test_crossing_thresholds_give_no_negative_probability():
    logits = np.random.default_rng(1).normal(0, 3, (4, 200, 3))
    probability = TASKS["stage"].to_prediction(logits)
    assert probability.shape == (4, 200, 4)
    assert probability.min() >= 0
    np.testing.assert_allclose(probability.sum(axis=-1), 1.0, atol=1e-12)


@pytest.mark.parametrize("name", ["disease", "stage", "subtype"])
def test_huge_logits_stay_finite(name):
    outputs = np.array([[-1e4, 1e4, 1e4], [1e4, -1e4, 0.0]])[:, : {"disease": 1}.get(name, 3)]
    with np.errstate(over="raise"):
        probability = TASKS[name].to_prediction(outputs)
    assert np.isfinite(probability).all() and probability.min() >= 0 and probability.max() <= 1
