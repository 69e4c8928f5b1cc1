"""Proportional hazards: the score test against differences of a likelihood with columns that change with time."""

import numpy as np
import pytest
from scipy import stats

from mtlbio.labels.cox import fit_cox
from mtlbio.labels.proportional import proportional_hazards
from tests.labels.test_cox import cohort


def loglik(x, time, event, strata, entry, g):
    """Of coefficients of the columns and of the columns times g of a time, by loops."""

    def value(both):
        beta, change = np.split(both, 2)
        total = 0.0
        for s, t in {(s, t) for s, t, e in zip(strata, time, event, strict=True) if e}:
            there = (strata == s) & (entry < t) & (time >= t)
            dead, eta = there & (time == t) & event, x @ (beta + g[t] * change)
            d = dead.sum()
            total += eta[dead].sum()
            total -= sum(np.log(np.exp(eta)[there].sum() - k / d * np.exp(eta)[dead].sum()) for k in range(d))
        return total

    return value


@pytest.mark.parametrize("ties", [False, True])
def test_equals_differences_of_the_likelihood(ties):
    x, time, event, more = cohort(1, n=60, ties=ties, entry=True, strata=True)
    fit = fit_cox(x, time, event, **more)
    left, g = 1.0, {}
    for t in np.unique(time[event]):
        g[t] = 1 - left
        left *= 1 - (time[event] == t).sum() / ((more["entry"] < t) & (time >= t)).sum()
    value, at, h = loglik(x, time, event, g=g, **more), np.append(fit.coefficients, np.zeros(3)), 1e-3
    steps = h * np.eye(6)
    score = np.array([(value(at + s) - value(at - s)) / (2 * h) for s in steps])
    second = [
        [(value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b)) / (4 * h * h) for b in steps]
        for a in steps
    ]
    inverse = np.linalg.inv(-np.array(second))
    found = proportional_hazards(fit)
    np.testing.assert_allclose(found.together, stats.chi2.sf(score @ inverse @ score, 3), rtol=1e-3)
    for j in range(3):
        places = [0, 1, 2, 3 + j]
        alone = np.linalg.inv(-np.array(second)[np.ix_(places, places)])
        np.testing.assert_allclose(found.slope[j], score[3 + j] * np.sqrt(alone[3, 3]), rtol=1e-3)
    np.testing.assert_allclose(found.p, stats.chi2.sf(np.square(found.slope), 1))


def test_size_where_hazards_are_proportional():
    rng, p = np.random.default_rng(0), []
    for _ in range(400):
        x = np.column_stack([rng.normal(size=120), rng.random(120) < 0.5])
        time, leaves = rng.exponential(1 / np.exp(x @ [0.6, -0.4])), rng.exponential(1.5, 120)
        fit = fit_cox(x, np.minimum(time, leaves), time <= leaves)
        found = proportional_hazards(fit)
        p.append([*found.p, found.together])
    low, high = stats.binom.interval(0.999, 400, 0.05)
    assert ((low <= (np.array(p) <= 0.05).sum(axis=0)) & ((np.array(p) <= 0.05).sum(axis=0) <= high)).all()


def test_an_effect_that_fades_is_found_and_its_way_is_told():
    rng, found = np.random.default_rng(1), []
    for _ in range(50):
        x = rng.normal(size=(200, 1))
        early = rng.exponential(1 / np.exp(1.2 * x[:, 0]))  # no effect after .5
        late = 0.5 + rng.exponential(1.0, 200)
        found.append(proportional_hazards(fit_cox(x, np.where(early < 0.5, early, late), np.ones(200))))
    assert np.mean([f.p[0] <= 0.05 for f in found]) > 0.9
    assert all(f.slope[0] < 0 for f in found if f.p[0] <= 0.05)


def test_order_and_scale_do_not_matter_and_what_is_told_twice_is_left_out():
    x, time, event, more = cohort(2, ties=True, entry=True, strata=True)
    found, order = proportional_hazards(fit_cox(x, time, event, **more)), np.random.default_rng(1).permutation(len(x))
    moved = fit_cox(5 + 100 * x[order], time[order], event[order], **{k: v[order] for k, v in more.items()})
    np.testing.assert_allclose(proportional_hazards(moved).p, found.p, rtol=1e-6)
    twice = proportional_hazards(fit_cox(np.column_stack([x, x[:, 0]]), time, event, **more))
    np.testing.assert_allclose(twice.together, found.together, rtol=1e-3)
    nothing = proportional_hazards(fit_cox(np.ones((len(x), 1)), time, event))
    assert np.isnan(nothing.p).all() and np.isnan(nothing.together)
