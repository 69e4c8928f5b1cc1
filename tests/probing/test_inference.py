import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.outliers_influence import variance_inflation_factor

from mtlbio.probing.design import Nuisance, orthonormal
from mtlbio.probing.inference import Contrast, exchanges, tail_probability, variance_inflation
from mtlbio.probing.units import label_units


def problem(n=60, k=1, dims=4, seed=0):
    rng = np.random.default_rng(seed)
    other = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    tested = rng.normal(size=(n, k)) + other[:, [1]]
    z = rng.normal(size=(n, dims)) * (1 + np.abs(tested[:, [0]])) + 0.3 * tested[:, [0]]
    units = label_units(np.array([f"d{i:03d}" for i in range(n)]), np.zeros(n), True, np.ones(n, bool))
    return z, tested, other, units, Nuisance(orthonormal(other), np.zeros(n, int), ())


@pytest.mark.parametrize("k", [1, 3])
def test_hc3_wald_equals_statsmodels(k):
    z, tested, other, units, given = problem(k=k)
    wald = Contrast(tested, given, units).wald(z)
    for d in range(z.shape[1]):
        fit = sm.OLS(z[:, d], np.column_stack([tested, other])).fit(cov_type="HC3", use_t=True)
        np.testing.assert_allclose(wald.coefficients[:, d], fit.params[:k], rtol=1e-9)
        np.testing.assert_allclose(wald.se[:, d], fit.bse[:k], rtol=1e-9)
        np.testing.assert_allclose(wald.p[d], float(fit.f_test(np.eye(k, k + 4)).pvalue), rtol=1e-7)


def test_classical_f_equals_statsmodels():
    z, tested, other, units, given = problem(k=7)
    wald = Contrast(tested, given, units).wald(z)
    fit = sm.OLS(z[:, 0], np.column_stack([tested, other])).fit()
    np.testing.assert_allclose(wald.p[0], float(fit.f_test(np.eye(7, 11)).pvalue), rtol=1e-7)


def test_paired_design_gives_the_paired_t_test():
    rng = np.random.default_rng(1)
    donors = np.repeat([f"d{i}" for i in range(8)], 2)
    z = np.repeat(rng.normal(size=(8, 1)), 2, axis=0) * 5 + rng.normal(size=(16, 1))
    z[1::2] += 1.0
    units = label_units(donors, np.tile([0.0, 1.0], 8), False, np.ones(16, bool))
    given = Nuisance(np.zeros((16, 0)), np.zeros(16, int), (), absorbed=8)
    wald = Contrast(units.y[:, None], given, units).wald(units.mean(z))
    expected = stats.ttest_rel(z[1::2, 0], z[::2, 0])
    np.testing.assert_allclose(wald.t[0], expected.statistic, rtol=1e-9)
    np.testing.assert_allclose(wald.p[0], expected.pvalue, rtol=1e-7)


def test_clustered_covariance_is_the_jackknife_over_donors():
    rng = np.random.default_rng(2)
    donors = np.repeat([f"d{i:02d}" for i in range(15)], 2)
    y = np.where(np.arange(30) < 8, np.tile([0.0, 1.0], 15), np.repeat(rng.integers(0, 2, 15), 2))
    samples = rng.normal(size=(30, 1))
    units = label_units(donors, y, False, np.ones(30, bool))
    z, n = units.mean(samples), len(units)
    given = Nuisance(np.ones((n, 1)) / np.sqrt(n), np.zeros(n, int), ())
    wald = Contrast(units.y[:, None], given, units).wald(z)
    design = np.column_stack([np.ones(n), units.y])
    left_out = [
        np.linalg.lstsq(design[units.cluster != g], z[units.cluster != g, 0], rcond=None)[0][1] for g in range(15)
    ]
    slope = np.linalg.lstsq(design, z[:, 0], rcond=None)[0][1]
    np.testing.assert_allclose(wald.se[0, 0] ** 2, 14 / 15 * np.square(np.array(left_out) - slope).sum(), rtol=1e-8)


def test_freedman_lane_equals_a_slow_loop():
    z, tested, other, units, given = problem(n=30, dims=2)
    strata = np.repeat([0, 1, 2], 10)
    given = Nuisance(given.basis, strata, ())
    contrast = Contrast(tested, given, units)
    fast = contrast.randomisation(z, 99, seed=3)
    orders = exchanges(strata, 99, np.random.default_rng([3, 99, 30]))
    for d in range(2):
        reduced = sm.OLS(z[:, d], other).fit()
        observed = sm.OLS(z[:, d], np.column_stack([tested, other])).fit(cov_type="HC3").tvalues[0] ** 2
        null = []
        for order in orders:
            permuted = reduced.fittedvalues + reduced.resid[order]
            null.append(sm.OLS(permuted, np.column_stack([tested, other])).fit(cov_type="HC3").tvalues[0] ** 2)
        slow = tail_probability(np.array([observed]), np.array(null)[:, None], 1, 25)
        np.testing.assert_allclose(fast[d], slow[0], rtol=1e-8)


def test_exchanges_stay_within_strata_and_move():
    strata = np.array([2, 0, 1, 0, 2, 1, 2, 2])
    orders = exchanges(strata, 50, np.random.default_rng(0))
    assert (strata[orders] == strata).all()
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert len(np.unique(orders, axis=0)) > 20


def test_tail_probability_counts_where_it_can_and_extends_where_it_cannot():
    rng = np.random.default_rng(0)
    null = stats.f.rvs(1, 60, size=(999, 3), random_state=rng) * [[1.0, 1.0, 4.0]]
    p = tail_probability(np.array([1.0, 40.0, 160.0]), null, 1, 60)
    assert p[0] == (1 + (null[:, 0] >= 1).sum()) / 1000
    assert stats.f.sf(40, 1, 60) / 20 < p[1] < 20 * stats.f.sf(40, 1, 60)
    assert stats.f.sf(40, 1, 60) / 20 < p[2] < 20 * stats.f.sf(40, 1, 60)  # a null four times as wide


def test_vif_equals_statsmodels():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3)) @ np.array([[1, 0.5, 0.2], [0, 1, 0.4], [0, 0, 1]])
    expected = variance_inflation_factor(np.column_stack([x, np.ones(50)]), 0)
    basis = orthonormal(np.column_stack([np.ones(50), x[:, 1:]]))
    np.testing.assert_allclose(variance_inflation(x[:, :1], basis), expected, rtol=1e-9)
    assert np.isinf(variance_inflation(x[:, 1:2] * 2 + 1, basis))


def test_aliased_task_is_not_estimable():
    z, tested, other, units, given = problem()
    contrast = Contrast(other[:, [1]], given, units)
    assert not contrast.estimable
    assert np.isnan(contrast.wald(z).p).all() and np.isnan(contrast.randomisation(z, 99, 0)).all()


def test_same_seed_same_p():
    z, tested, _, units, given = problem()
    contrast = Contrast(tested, given, units)
    np.testing.assert_array_equal(contrast.randomisation(z, 199, 5), contrast.randomisation(z, 199, 5))
    assert isinstance(pd.Series(contrast.randomisation(z, 199, 6)).iloc[0], float)
