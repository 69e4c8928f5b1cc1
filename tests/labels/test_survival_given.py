"""What is left of follow-up given covariates, and hazard ratios beside them."""

import numpy as np
import pytest
from scipy import stats

from mtlbio.labels.cox import fit_cox
from mtlbio.labels.survival.given import covariate_model, hazard_ratios, residual_given
from mtlbio.probing.design import orthonormal, spline


def followed(seed: int, n: int = 120, by_age=lambda aged: 0 * aged, by_z: float = 0.0):
    """Times, columns of age (a spline) and of a batch, dimensions of which the first drives the hazard, and age."""
    rng = np.random.default_rng(seed)
    age, batch, z = rng.uniform(20, 80, n), rng.integers(0, 3, n), rng.normal(size=(n, 5))
    dies = rng.exponential(1 / np.exp(by_age((age - 50) / 17.3) + by_z * z[:, 0]))
    end = np.median(dies)
    times = (np.minimum(dies, end), dies <= end, np.full(n, -np.inf), np.zeros(n, dtype=int))
    return times, orthonormal(np.column_stack([np.ones(n), spline(age, 4), np.eye(3)[batch]])), z, (age - 50) / 17.3


def test_the_residual_is_that_of_the_covariates_cox_model_and_of_nobody_alike_without_any():
    times, fixed, _, aged = followed(1, 400, by_age=lambda aged: 1.5 * (aged**2 - 1))
    model, ridge = covariate_model(times, fixed)
    np.testing.assert_allclose(residual_given(times, fixed), model.martingale())
    assert ridge <= 0.1 and np.corrcoef(model.x @ model.coefficients, aged**2)[0, 1] > 0.97
    alone = fit_cox(np.empty((400, 0)), *times[:2]).martingale()
    np.testing.assert_allclose(residual_given(times, np.ones((400, 1)) / 20), alone, atol=1e-12)


def test_the_ridge_is_strong_where_columns_tell_nothing():
    freedoms = []
    for seed in range(20):
        times, _, _, _ = followed(seed)
        rng = np.random.default_rng([seed, 1])
        freedoms.append(covariate_model(times, rng.normal(size=(120, 25)))[0].freedom)
    assert np.mean(freedoms) < 8  # of 25


def test_without_an_event_nothing_is_left_and_no_ratio_is_given():
    times, fixed, z, _ = followed(2)
    nothing = (times[0], np.zeros(120, dtype=bool), *times[2:])
    assert not residual_given(nothing, fixed).any()
    assert np.isnan(hazard_ratios(nothing, fixed, z).effect).all()


def test_hazard_ratios_are_those_of_one_cox_model_where_columns_are_few():
    times, fixed, z, aged = followed(3, 3000, by_age=lambda aged: aged, by_z=0.6)
    found = hazard_ratios(times, fixed, z)
    whole = fit_cox(np.column_stack([z[:, 0] / z[:, 0].std(ddof=1), fixed]), *times[:2])
    assert abs(found.effect[0] - whole.coefficients[0]) < 0.01
    assert abs((found.high - found.low)[0] / 2 - 1.96 * whole.se[0]) < 0.002
    square = found.effect[0] ** 2 - whole.se[0] ** 2
    assert found.share[0] == pytest.approx(square / (1 + square), abs=1e-3) and (found.share[1:] < 0.01).all()
    assert abs(found.effect[0] - 0.6) < 0.1 and (np.abs(found.effect[1:]) < 0.1).all()
    turned = hazard_ratios(times, fixed, -7 * z + 3)
    np.testing.assert_allclose(turned.effect, -found.effect, atol=1e-8)
    np.testing.assert_allclose(turned.low, -found.high, atol=1e-8)


def test_the_share_does_not_fall_with_those_who_are_not_followed_to_the_event():
    rng, shares = np.random.default_rng(0), []
    z, nothing = rng.normal(size=(20_000, 1)), np.ones((20_000, 1))
    dies = rng.exponential(1 / np.exp(0.6 * z[:, 0]))
    for followed_to in (1.0, 0.1):
        end = np.quantile(dies, followed_to)
        times = (np.minimum(dies, end), dies <= end, np.full(20_000, -np.inf), np.zeros(20_000, dtype=int))
        shares.append(hazard_ratios(times, nothing, z).share[0])
        if followed_to == 1:
            goes_with = np.corrcoef(residual_given(times, nothing), z[:, 0])[0, 1] ** 2
            assert shares[0] == pytest.approx(goes_with, abs=0.05)
    assert shares == pytest.approx([0.36 / 1.36] * 2, abs=0.05)  # of 2,000 events the error is .017


def test_intervals_hold_the_true_ratio():
    """Of 48 events among 96 donors, given six columns; a ratio beside covariates that act is one of hazards too."""
    held = []
    for seed in range(200):
        times, fixed, z, _ = followed(seed, 96, by_age=lambda aged: aged, by_z=0.6)
        found = hazard_ratios(times, fixed, z[:, :2])
        truth = np.array([0.6 * z[:, 0].std(ddof=1), 0.0])
        held.append((found.low <= truth) & (truth <= found.high))
    low, high = stats.binom.interval(0.998, 200, 0.95)
    counts = np.sum(held, axis=0)
    assert (counts >= low).all() and (counts <= 200).all()


def test_twice_the_same_donors_as_clusters_give_the_interval_of_them_once():
    times, fixed, z, _ = followed(4, 300, by_z=0.6)
    alone = hazard_ratios(times, fixed, z, np.arange(300))
    rng = np.random.default_rng(0)
    twice = tuple(np.tile(values, 2) for values in times)
    jitter = (twice[0] + rng.uniform(0, 1e-9, 600), *twice[1:])
    both = hazard_ratios(jitter, np.tile(fixed, (2, 1)), np.tile(z, (2, 1)), np.tile(np.arange(300), 2))
    np.testing.assert_allclose((both.high - both.low)[1:], (alone.high - alone.low)[1:], rtol=0.06)
    as_strangers = hazard_ratios(jitter, np.tile(fixed, (2, 1)), np.tile(z, (2, 1)))
    assert ((as_strangers.high - as_strangers.low) < 0.8 * (both.high - both.low)).all()


def test_a_dimension_that_the_columns_tell_has_no_ratio():
    times, fixed, z, aged = followed(5)
    found = hazard_ratios(times, fixed, np.column_stack([aged, z[:, 0], np.ones(120)]))
    assert np.isnan(found.effect[[0, 2]]).all() and np.isfinite(found.effect[1])
