"""Planning formulas against simulated tests."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.calibration.planted import COVARIATES, TASKS, plant
from mtlbio.config import Probe
from mtlbio.probing.association import task_design
from mtlbio.probing.inference import Contrast
from mtlbio.probing.power import (
    donors_for_bins,
    donors_for_effect,
    donors_for_harmlessness,
    donors_to_establish,
    donors_to_return,
    f_isf,
    noncentrality_root,
    smallest_effect,
)
from mtlbio.probing.trial import Trial


def within(hits: int, n: int, share: float = 0.8) -> bool:
    """Whether the share lies in the 99.9 % binomial interval of the hits."""
    interval = stats.binomtest(int(hits), int(n)).proportion_ci(0.999, method="wilson")
    return interval.low <= share <= interval.high


def two_groups(n: int, share: float, effect: float, draws: int, seed: int = 0) -> np.ndarray:
    """(draws,) p of the t test of n donors whose classes differ by ``effect`` total standard deviations."""
    rng = np.random.default_rng([seed, n])
    y = (np.arange(n) < round(share * n)).astype(float)
    z = effect * y + np.sqrt(1 - effect**2 * share * (1 - share)) * rng.normal(size=(draws, n))
    return stats.ttest_ind(z[:, y == 1], z[:, y == 0], axis=1).pvalue


def test_the_root_is_that_of_textbooks():
    assert noncentrality_root(0.05, 1, 1e6) == pytest.approx(1.959964 + 0.841621, abs=1e-3)
    # two groups of 64 find .5 SD within groups: Cohen 1988, table 2.4.1
    assert donors_for_effect(0.5 / np.sqrt(1 + 0.0625), 0.25, 1.0, 0.05) == pytest.approx(128, abs=1)


@pytest.mark.parametrize("n, share", [(40, 0.5), (100, 0.3), (150, 0.1)])
def test_power_of_the_t_test_at_the_smallest_effect(n, share):
    level = 0.05 / 20
    effect = smallest_effect(n, share * (1 - share), 1.0, level)
    p = two_groups(n, share, effect, 4000)
    assert within((p <= level).sum(), len(p))
    assert donors_for_effect(effect, share * (1 - share), 1.0, level) == pytest.approx(n, abs=1)


def test_power_with_several_classes():
    n, level, rng = 90, 0.01, np.random.default_rng(0)
    group = np.arange(n) % 3
    effect = smallest_effect(n, 2 / 9, 1.0, level, df=2)
    z = effect * (group == 0) + np.sqrt(1 - effect**2 * 2 / 9) * rng.normal(size=(4000, n))
    p = stats.f_oneway(*(z[:, group == k] for k in range(3)), axis=1).pvalue
    assert within((p <= level).sum(), len(p))


def test_power_of_the_trial_itself_where_batch_follows_disease():
    """Robust covariance, spline of age and four fifths of the donors in 'their' batch: near what is promised."""
    obs = plant(150, 3, batch_disease=0.8).obs
    rng = np.random.default_rng(1)
    y = (obs["disease"] == "case").to_numpy(float)
    trial = Trial(np.zeros((150, 1)), ("z",), np.array(["axis"]), obs, dict(TASKS), dict(COVARIATES), Probe())
    units, given, columns = task_design(trial, "disease")
    contrast = Contrast(columns, given, units)
    vif = np.square(y - y.mean()).sum() / np.square(contrast.a).sum()
    variance, level = y.mean() * (1 - y.mean()), 0.05 / 40
    effect = smallest_effect(150, variance, vif, level, spent=given.rank)
    z = effect * y[:, None] + np.sqrt(1 - effect**2 * variance) * rng.normal(size=(150, 2000))
    power = (contrast.wald(units.mean(z)).p <= level).mean()
    assert vif > 1.4 and 0.72 < power < 0.85


def test_more_donors_less_inflation_and_fewer_tests_find_smaller_effects():
    sizes = [smallest_effect(n, 0.25, 1.0, 0.001) for n in (20, 40, 80, 400)]
    assert sizes == sorted(sizes, reverse=True)
    costs = [donors_for_effect(0.5, 0.25, vif, 0.001) for vif in (1.0, 2.0, 4.0)]
    assert costs == sorted(costs) and costs[2] == pytest.approx(4 * costs[0], rel=0.1)
    tests = [donors_for_effect(0.5, 0.25, 1.0, 0.05 / t) for t in (1, 20, 400)]
    assert tests == sorted(tests)
    balance = [donors_for_effect(0.5, p * (1 - p), 1.0, 0.001) for p in (0.5, 0.3, 0.1)]
    assert balance == sorted(balance)


def test_what_no_number_can_be_given_for():
    assert np.isnan(smallest_effect(5, 0.25, 1.0, 0.05)) and np.isnan(smallest_effect(80, 0.25, np.inf, 0.05))
    assert np.isinf(donors_for_effect(0.5, 0.25, np.inf, 0.05)) and np.isinf(donors_for_effect(0.0, 0.25, 1.0, 0.05))
    assert np.isinf(donors_for_effect(2.5, 0.25, 1.0, 0.05)), "no label explains more than all of the variance"
    assert np.isinf(donors_to_establish(0.0, 60, 0.05))


def test_donors_to_establish_grow_with_the_tests_and_fall_with_t():
    few, many = 0.05 / 20, 0.05 / 400
    numbers = [donors_to_establish(t, 60, few) for t in (3.0, 2.5, 2.0, 1.5)]
    assert numbers == sorted(numbers) and numbers[0] > 60 and np.isinf(donors_to_establish(0.8, 60, few))
    assert donors_to_establish(2.5, 60, many) > numbers[1] and donors_to_establish(2.5, 60, few, df=3) > numbers[1]


def test_four_of_five_effects_missed_at_60_donors_are_found_with_the_stated_number():
    """Effects of all sizes, because an observed one is the truth plus an error."""
    rng, level, found = np.random.default_rng(4), 0.05 / 20, []
    y = np.arange(60) % 2 == 1
    for effect in rng.uniform(0, 1.2, 400):
        z = effect * y + np.sqrt(1 - effect**2 / 4) * rng.normal(size=60)
        t, p = stats.ttest_ind(z[y], z[~y])
        if t > 0 and level < p < 0.05:
            needed = donors_to_establish(t, 60, level)
            found.append(stats.nct.sf(stats.t.isf(level / 2, needed - 2), needed - 2, _expected_t(effect, needed)))
    assert len(found) > 50 and 0.72 < np.mean(found) < 0.86


def _expected_t(effect: float, donors: float) -> float:
    return effect * np.sqrt(donors / 4 / (1 - effect**2 / 4))


def test_a_dimension_is_found_again_with_at_most_twice_the_donors():
    assert donors_to_return(0.4, 100, 0.5) == 150
    assert donors_to_return(0.25, 100, 0.5) == donors_to_return(0.0, 100, 0.5) == 200
    assert donors_to_return(0.25, 100, 0.5) >= donors_to_return(0.45, 100, 0.5) > 100


def test_harmlessness():
    assert donors_for_harmlessness(0.01, 100, 0.02) == np.ceil(25 * (1.6448536 + 0.8416212) ** 2)
    assert donors_for_bins(0.5, 0.02) == 130 and donors_for_bins(0.1, 0.02) == 362 and donors_for_bins(None, 0.02) == 55
    assert donors_for_bins(0.5, 0.01) == 260


@pytest.mark.parametrize("df_error", [1, 15, 200])
def test_quantiles_of_f_at_levels_that_scipy_calls_infinite(df_error):
    for p in (0.05, 1e-10, 1e-20, 1e-60):
        assert f_isf(p, 1, df_error) == pytest.approx(stats.t.isf(p / 2, df_error) ** 2, rel=1e-9)


def test_a_level_that_few_donors_cannot_reach_asks_for_more_donors_instead_of_an_overflow():
    # once "Numerical result out of range": 17 donors were tried for a level of 1e-20
    assert noncentrality_root(1e-20, 1, 4) == np.inf
    needed = donors_to_establish(5.264780251601821, 80, lambda n: 1e-20, 1, 11.0)
    assert 300 < needed < 400  # by hand: t of 10 to reach, so about 59.5 (62 / 27)^2 donors without covariates
    assert needed > donors_to_establish(5.264780251601821, 80, lambda n: 1e-12, 1, 11.0)
