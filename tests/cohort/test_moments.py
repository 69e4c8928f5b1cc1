"""Moments of a fold's training samples: all minus the held-out ones, whatever weighs the donors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort import moments
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import donor_weights, fit_features, row_space, row_space_of_moments
from mtlbio.cohort.moments import Moments, moments_of, standardised_blocks

N, P = 150, 30


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Correlated columns with means of a thousand times their spread."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((N, 6)) @ rng.standard_normal((6, P)) + rng.standard_normal((N, P))
    return (x + rng.uniform(1000, 3000, P)).astype(np.float32)


def cohort_of(values: np.ndarray) -> Cohort:
    obs = pd.DataFrame({"donor": [f"d{i}" for i in range(len(values))]}, index=[f"s{i}" for i in range(len(values))])
    return Cohort(values, tuple(f"g{i}" for i in range(values.shape[1])), obs)


@pytest.mark.parametrize("block", [7, 4096])
def test_all_samples_minus_the_held_out_ones_are_the_training_samples(values, block, monkeypatch):
    monkeypatch.setattr(moments, "_BLOCK", block)
    test = np.arange(10, 60)
    train = np.setdiff1d(np.arange(N), test)
    everybody = Moments.of(values)
    rest = everybody.without(Moments.of(values, test, everybody.about))
    assert rest.n == len(train)
    np.testing.assert_allclose(rest.covariance, np.cov(values[train].T.astype(float), bias=True), atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("genes", [12, P])
def test_standardised_products_and_row_space_are_those_of_the_rows(values, weighted, genes):
    """Also where features are standardised by donors, some of whom came three times."""
    donors = np.repeat(np.arange(N), np.where(np.arange(N) % 4, 1, 3))[:N]
    features = fit_features(values, genes, donor_weights(donors) if weighted else None)
    x = features.transform(values).astype(float)
    second = Moments.of(values).standardised(features)
    np.testing.assert_allclose(second, x.T @ x / N, atol=1e-6)
    basis, scores = row_space(x)
    found = row_space_of_moments(*np.linalg.eigh(second))
    blocks = np.concatenate([part @ found for _, part in standardised_blocks(values, np.arange(N), features, 40)])
    np.testing.assert_allclose(found, basis, atol=1e-6)
    np.testing.assert_allclose(blocks, scores, atol=1e-5)  # samples are standardised in single precision


def test_rows_are_better_where_moments_cannot_serve(values, monkeypatch):
    cohort = cohort_of(values)
    assert moments_of(cohort, "moments").n == N
    assert moments_of(cohort, "rows") is None
    assert moments_of(cohort, "auto") is None, "a small cohort"
    monkeypatch.setattr(moments, "FEW", N)
    monkeypatch.setattr(moments, "_LARGE", N * P)
    assert moments_of(cohort, "auto").n == N
    with_gap = values.copy()
    with_gap[3, 5] = np.nan
    assert moments_of(cohort_of(with_gap)) is None
    assert moments_of(cohort_of(values[:P])) is None, "as many columns as samples"
