"""Values with intervals, and differences on the same draws, of arms that predicted samples of donors."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from mtlbio.evaluation.bootstrap import bootstrap_weights
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.labels import Binary
from mtlbio.metrics import metric
from mtlbio.metrics.ranking import auroc

BINARY = Binary("disease", ("no", "yes"))


def cohort(n_donors=40, visits=3, seed=0):
    rng = np.random.default_rng([seed, 77])
    donors = np.repeat([f"d{i:03d}" for i in range(n_donors)], visits)
    y = np.repeat((rng.random(n_donors) < 0.4).astype(float), visits)
    y[:visits], y[visits : 2 * visits] = 0, 1
    pred = np.round(1 / (1 + np.exp(-(1.2 * y - 0.5 + rng.normal(size=len(y))))), 2)
    return donors, y, pred


def scored(donors, y, **arms):
    return TaskPredictions(BINARY, np.arange(len(y)).astype(str), donors, y, arms).common(*arms)


def test_paired_difference_uses_the_same_draws_and_points_towards_the_better():
    donors, y, pred = cohort(n_donors=80)
    worse = np.random.default_rng([9]).permutation(pred)
    weights = bootstrap_weights(donors, 400, seed=2, strata=y)
    both = scored(donors, y, good=pred, worse=worse)
    difference = both.difference("good", "worse", metric.AUROC, 400, 2)
    assert difference.value == pytest.approx(sk.roc_auc_score(y, pred) - sk.roc_auc_score(y, worse))
    drawn = auroc(y, pred, weights) - auroc(y, worse, weights)
    assert (difference.ci_low, difference.ci_high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert difference.ci_low > 0
    assert both.n_samples == 240 and both.n_units == 80
    assert both.difference("good", "worse", metric.BRIER, 400, 2).value == pytest.approx(
        sk.brier_score_loss(y, worse) - sk.brier_score_loss(y, pred)
    )
    same = both.difference("good", "good", metric.AUROC, 400, 2)
    assert (same.value, same.ci_low, same.ci_high) == (0, 0, 0)


def test_the_interval_covers_the_true_auroc():
    # two visits per donor that share the donor's own deviation: AUROC of N(1, s) against N(0, s)
    truth, covered, rounds = stats.norm.cdf(1 / np.sqrt(2 * 1.5)), 0, 200
    donors = np.repeat(np.arange(100), 2)
    y = np.repeat(np.arange(100) % 2, 2).astype(float)
    for seed in range(rounds):
        rng = np.random.default_rng([seed, 4])
        pred = y + np.repeat(rng.normal(size=100), 2) + np.sqrt(0.5) * rng.normal(size=200)
        found = scored(donors, y, own=pred).estimate("own", metric.AUROC, 300, seed)
        covered += found.ci_low <= truth <= found.ci_high
    # 95 % nominal, a little less for a percentile interval of 100 donors; binomial bounds of 200 rounds
    assert stats.binom.ppf(0.001, rounds, 0.94) <= covered <= stats.binom.ppf(0.999, rounds, 0.96)


def test_arms_without_a_common_sample_or_that_are_not_there_have_no_scores():
    donors, y, pred = cohort()
    first = np.arange(len(y)) < 60
    arms = {"a": np.where(first, pred, np.nan), "b": np.where(first, np.nan, pred)}
    found = TaskPredictions(BINARY, donors, donors, y, arms)
    assert found.common("a", "b") is None and found.common("a", "c") is None
    assert found.common("a").n_samples == 60
