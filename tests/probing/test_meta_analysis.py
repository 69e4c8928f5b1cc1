"""Effects put together as statsmodels does it, and Welch's test of their differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.oneway import anova_oneway

from mtlbio.probing.meta_analysis import pooled, welch


@pytest.mark.parametrize("k", [2, 3, 7, 20])
def test_dersimonian_laird_and_hartung_knapp_are_those_of_statsmodels(k):
    rng = np.random.default_rng(k)
    effect, se = rng.normal(0.5, 0.6, k), rng.uniform(0.1, 0.3, k)
    found, expected = pooled(effect, se, at_least_common=False), combine_effects(effect, se**2, method_re="chi2")
    assert expected.tau2 > 0  # otherwise statsmodels goes on with a negative one
    assert (found.q, found.df) == (pytest.approx(expected.q), k - 1)
    assert (found.tau2, found.i2) == pytest.approx((expected.tau2, expected.i2))
    assert found.effect == pytest.approx(expected.mean_effect_re)
    half = stats.t.isf(0.025, k - 1) * np.sqrt(expected.var_hksj_re)
    assert (found.ci_low, found.ci_high) == pytest.approx((found.effect - half, found.effect + half))
    assert found.weights == pytest.approx(expected.weights_re / expected.weights_re.sum())


def test_sites_that_agree_have_no_variance_between_them_and_the_interval_of_their_own_errors():
    found = pooled(np.array([0.5, 0.5, 0.5]), np.array([0.1, 0.2, 0.2]))
    assert (found.q, found.tau2, found.i2, found.p) == (0.0, 0.0, 0.0, 1.0)
    half = stats.t.isf(0.025, 2) / np.sqrt(1 / 0.01 + 2 / 0.04)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.5 - half, 0.5 + half))
    assert pooled(np.array([0.5, 0.5]), np.array([0.1, 0.2]), at_least_common=False).ci_low == 0.5


def test_the_p_of_differences_is_welchs():
    rng = np.random.default_rng(2)
    groups = [rng.normal(0, 1 + i, 5 + 3 * i) for i in range(4)]
    means = np.array([g.mean() for g in groups])
    se = np.array([g.std(ddof=1) / len(g) ** 0.5 for g in groups])
    expected = anova_oneway(groups, use_var="unequal", welch_correction=True).pvalue
    assert welch(means, se, np.array([len(g) - 1 for g in groups])) == pytest.approx(expected)
    assert welch(means, se, np.inf) == pytest.approx(stats.chi2.sf(pooled(means, se).q, 3))


def test_one_site_is_not_put_together_with_anything():
    one = pooled(np.array([0.4]), np.array([0.1]))
    assert (one.effect, one.weights.tolist()) == (pytest.approx(0.4), [1.0])
    assert np.isnan([one.ci_low, one.ci_high, one.p, one.new_low]).all()
    assert np.isnan(pooled(np.empty(0), np.empty(0)).effect)


def test_a_new_site_lies_in_the_prediction_interval():
    """Of 400 draws of five sites and a sixth, the sixth's true effect is inside in 95 %."""
    rng, inside = np.random.default_rng(4), 0
    for _ in range(400):
        true, se = rng.normal(0.5, 0.4, 6), rng.uniform(0.05, 0.1, 5)
        found = pooled(true[:5] + se * rng.normal(size=5), se)
        inside += found.new_low < true[5] < found.new_high
    assert stats.binom.ppf(0.0005, 400, 0.95) <= inside <= stats.binom.ppf(0.9995, 400, 0.95)
