"""What values are like, over all and by column."""

from __future__ import annotations

import numpy as np
import pytest
from kinds_of_values import counts, logs, measured
from scipy import sparse

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.values.other_kind import of_another_kind
from mtlbio.cohort.values.value_profile import profile


def test_columns_and_totals_with_gaps():
    values = np.array([[1.0, np.nan, 0.5], [3.0, np.nan, -2.0], [5.0, 4.0, 2.0]])
    seen = profile(measured(values))
    assert seen.lowest.tolist() == [1, 4, -2] and seen.highest.tolist() == [5, 4, 2]
    assert seen.typical.tolist() == [3, 4, 0.5]
    assert seen.fractional.tolist() == [0, 0, 1] and seen.negative.tolist() == [0, 0, 1]
    assert seen.totals.tolist() == [1.5, 1, 11] and seen.values.tolist() == [-2, 0.5, 1, 2, 3, 4, 5]
    assert (seen.low, seen.high, seen.whole) == (-2, 5, False)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_sparse_and_dense_are_alike(dtype):
    values = np.where(np.random.default_rng(1).random((40, 200)) < 0.6, 0, counts()).astype(dtype)
    dense = profile(measured(values))
    names = measured(values)
    stored = profile(Measurements(names.samples, names.genes, sparse.csr_matrix(values), "cells"))
    for key in ("lowest", "highest", "fractional", "negative", "totals"):
        np.testing.assert_allclose(getattr(stored, key), getattr(dense, key))
    assert stored.whole and stored.quantile(0.5) == dense.quantile(0.5) == 0
    assert stored.rise == pytest.approx(dense.rise)


def test_spread_rises_with_the_mean_before_a_logarithm_and_not_after():
    assert profile(measured(2 ** logs())).rise == pytest.approx(1, abs=0.2)
    assert abs(profile(measured(logs())).rise) < 1.5
    assert profile(measured(logs()[:, :5])).rise == 0


@pytest.mark.parametrize(
    ("values", "column", "why"),
    [
        (logs(), np.linspace(20, 80, 40) + 0.3, "median 50.3 where the others end near"),
        (logs(), np.arange(40) % 2, "whole numbers (0 to 1) where no other is"),
        (counts(), np.linspace(6, 9.2, 40), "not whole where all others are"),
        (1 / (1 + np.exp(8 - logs())), np.linspace(6, 9.2, 40), "6 to 9.2 where the others are from 0 to 1"),
        (np.random.default_rng(0).normal(0, 1, (40, 200)), np.linspace(18, 40, 40) + 0.2, "median 29.2"),
    ],
)
def test_a_column_of_another_kind_is_named(values, column, why):
    values = values.copy()
    values[:, 3] = column
    mask, odd = of_another_kind(profile(measured(values)))
    assert np.flatnonzero(mask).tolist() == [3]
    assert list(odd) == ["GENE3"] and why in odd["GENE3"]


@pytest.mark.parametrize("values", [logs(), counts(), 2 ** logs(), 2 ** (logs() - 8)])
def test_no_column_of_one_kind_is_named(values):
    assert of_another_kind(profile(measured(values)))[1] == {}


def test_constant_columns_are_not_of_another_kind():
    values = logs()
    values[:, :2] = 0
    assert of_another_kind(profile(measured(values)))[1] == {}
