"""Metrics of times to an event against plain loops over pairs and samples, and against what is known of them."""

import numpy as np
import pytest

from mtlbio.metrics import metric_named
from mtlbio.metrics.ranking import auroc
from mtlbio.metrics.survival import (
    auroc_at,
    brier_at,
    calibration_slope_at,
    concordance,
    integrated_brier,
    known_at,
    observed_to_expected_at,
    surviving,
    uncensored,
    uno_concordance,
)


def cohort(seed: int = 0, n: int = 90, strata: int = 1, late: bool = False, censored: float = 1.5):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n).round(1)
    dies, leaves = rng.exponential(np.exp(-score)), rng.exponential(censored, n)
    time = np.ceil(np.minimum(dies, leaves) * 8) / 8
    entry = np.where(rng.random(n) < 0.5, time * 0.5, -np.inf) if late else np.full(n, -np.inf)
    return np.column_stack([time, dies <= leaves, entry, rng.integers(0, strata, n)]), score, rng


def loops(y, score, weights, pair_weight):
    """Concordance, pair by pair."""
    right = total = 0.0
    for i, (t, e, _, s) in enumerate(y):
        for j, (u, f, b, r) in enumerate(y):
            if e and s == r and b < t and (u > t or (u == t and not f)):
                weight = weights[i] * weights[j] * pair_weight[i]
                right += weight * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
                total += weight
    return right / total


@pytest.mark.parametrize(("strata", "late"), [(1, False), (3, False), (1, True), (2, True)])
def test_concordance_is_that_of_the_pairs(strata, late, monkeypatch):
    y, score, rng = cohort(strata=strata, late=late)
    weights = rng.integers(0, 3, (4, len(y))).astype(float)
    found = concordance(y, score, weights)
    assert found == pytest.approx([loops(y, score, w, np.ones(len(y))) for w in weights], abs=1e-12)
    monkeypatch.setattr("mtlbio.metrics.survival._PAIRS", 200)
    assert concordance(y, score, weights) == pytest.approx(found, abs=1e-12)
    written = np.repeat(np.arange(len(y)), weights[0].astype(int))
    alone = concordance(y[written], score[written])
    assert found[0] == pytest.approx(alone, abs=1e-12)
    assert concordance(y, score) + concordance(y, -score) == pytest.approx(1)


def test_uno_weighs_pairs_by_who_was_not_censored():
    y, score, _ = cohort(1)
    g = uncensored(y, y[:, 0], before=True)
    pair_weight = (y[:, 0] < 1.5) / g**2
    assert uno_concordance(1.5)(y, score) == pytest.approx(loops(y, score, np.ones(len(y)), pair_weight), abs=1e-12)
    everybody = y.copy()
    everybody[:, 1] = 1
    assert uno_concordance(99)(everybody, score) == pytest.approx(concordance(everybody, score), abs=1e-12)


def test_kaplan_and_meier():
    """Freireich's 6-MP arm (1963), as every textbook has it."""
    time = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35.0])
    event = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])
    y = np.column_stack([time, event, np.full(21, -np.inf), np.zeros(21)])
    found = [surviving(y, at, np.ones((1, 21)))[0] for at in (6, 7, 10, 13, 16, 22, 23)]
    assert found == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    left = [17 / 18, 17 / 18 * 15 / 16]  # of those censored at 6 and at 9; three died at 6 first
    assert uncensored(y, np.array([6.0, 8.0, 9.0])) == pytest.approx([left[0], left[0], left[1]])
    assert uncensored(y, np.array([6.0, 9.0]), before=True) == pytest.approx([1.0, left[0]])


def test_nobody_censored_is_a_binary_question():
    y, score, rng = cohort(2, censored=1e9)
    y[:, 1] = 1
    happened, risk = y[:, 0] <= 0.5, 1 / (1 + np.exp(-score))
    weights = rng.integers(0, 3, (3, len(y))).astype(float)
    assert known_at(y, 0.5)[1] == pytest.approx(np.ones(len(y)))
    assert auroc_at(0.5)(y, risk, weights) == pytest.approx(auroc(happened, risk, weights))
    assert brier_at(0.5)(y, risk) == pytest.approx(np.mean((happened - risk) ** 2))
    assert observed_to_expected_at(0.5)(y, risk) == pytest.approx(happened.mean() / risk.mean())


def test_censoring_leaves_scores_of_the_truth_where_they_are():
    """With the true risk, and many samples: no bias by censoring that would have removed a third."""
    rng, n, h = np.random.default_rng(3), 20000, 0.7
    score = rng.normal(size=n)
    dies, leaves = rng.exponential(np.exp(-score)), rng.exponential(1.5, n)
    none = np.full(n, -np.inf)
    y = np.column_stack([np.minimum(dies, leaves), dies <= leaves, none, np.zeros(n)])
    whole = np.column_stack([dies, np.ones(n), none, np.zeros(n)])
    risk = 1 - np.exp(-h * np.exp(score))
    assert known_at(y, h)[1].mean() == pytest.approx(1, abs=0.02)
    for metric in (auroc_at(h), brier_at(h)):
        assert metric(y, risk) == pytest.approx(metric(whole, risk), abs=0.01)
    assert calibration_slope_at(h)(y, risk) == pytest.approx(1, abs=0.05)
    assert observed_to_expected_at(h)(y, risk) == pytest.approx(1, abs=0.02)
    assert calibration_slope_at(h)(y, 1 - np.exp(-h * np.exp(2 * score))) < 0.75
    both = np.column_stack([1 - np.exp(-t * np.exp(score)) for t in (h, 2 * h)])
    ends = [brier_at(t)(y, both[:, k]) for k, t in enumerate((h, 2 * h))]
    assert integrated_brier((h, 2 * h))(y, both) == pytest.approx(np.mean(ends))


def test_names_of_horizons_belong_to_their_family():
    assert metric_named("c_index").chance == 0.5 and metric_named("auroc_at_12").printed == "AUROC at 12"
    assert metric_named("brier_at_7.5").lower_is_better and metric_named("looked_at_7").printed == "looked_at_7"
