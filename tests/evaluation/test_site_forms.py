"""Site intercepts and deviations are the ridge on features written out, whatever the label, and serve unseen sites."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from mtlbio.evaluation.linear import ridge
from mtlbio.evaluation.ridge import fit_logistic, fit_ridge, total_variance
from mtlbio.evaluation.site_forms import features_of_sites, site_deviations, site_intercept
from mtlbio.evaluation.tuning import Labels
from mtlbio.metrics.ranking import auroc

N, P, SITES = 150, 6, 3


def planted(seed: int, slopes: float = 0.0, n: int = N, level: float = 2.0):
    """Features, sites, and a linear predictor: shared slopes, intercepts of sites, own slopes of size ``slopes``."""
    rng = np.random.default_rng(seed)
    site = rng.integers(0, SITES, n)
    x = rng.normal(size=(n, P)) + 0.5 * rng.normal(size=(SITES, P))[site]
    own = rng.normal(size=(SITES, P)) * slopes
    linear = x @ np.linspace(1, -1, P) + level * np.array([-1.0, 0.0, 1.0])[site] + np.einsum("np,np->n", x, own[site])
    return x - x.mean(axis=0), site, linear


def written_out(x: np.ndarray, site: np.ndarray, freedom: float, level: float) -> np.ndarray:
    """The features themselves: shared, an indicator of each site, and x at each site."""
    at = (site[:, None] == np.arange(SITES)).astype(float)
    own = (x[:, None, :] * at[:, :, None]).reshape(len(x), -1)
    return np.column_stack([x, np.sqrt(level) * at, np.sqrt(freedom) * own])


def labels_of(y: np.ndarray, classes: int = 0, seed: int = 0) -> Labels:
    inner = np.random.default_rng([seed, 5]).integers(0, 5, len(y))
    return Labels(y, classes, np.ones(len(y)), inner, seed)


@pytest.mark.parametrize("freedom, n", [(0.0, 150), (0.3, 150), (0.3, 20)])  # 20: fewer samples than columns
def test_features_are_those_written_out(freedom, n):
    x, site, linear = planted(1, n=n)
    test = np.random.default_rng(2).normal(size=(20, P))
    test_site = np.arange(20) % 5 - 1  # with one that is not known, and one that training has not seen
    scores, of_test = features_of_sites(x, test, site, test_site, freedom)
    level = 100 * total_variance(x, np.ones(n))
    written, written_test = written_out(x, site, freedom, level), written_out(test, test_site, freedom, level)
    np.testing.assert_allclose(scores @ scores.T, written @ written.T, rtol=1e-6, atol=1e-6)
    y = linear + np.random.default_rng(3).normal(size=n)
    for penalty in (0.01, 1.0):
        found = fit_ridge(scores, y, np.ones(n), np.array([penalty])).predict(of_test)[0]
        expected = Ridge(alpha=penalty * n).fit(written, y).predict(written_test)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    sick = (y > 0).astype(float)
    found = fit_logistic(scores, sick, 2, np.ones(n), np.array([0.1])).predict(of_test)[0, :, 1]
    reference = LogisticRegression(C=1 / (0.1 * n), tol=1e-10, max_iter=20000).fit(written, sick)
    np.testing.assert_allclose(found, reference.predict_proba(written_test)[:, 1], atol=2e-3)


def test_the_intercept_of_a_site_takes_what_differs_between_sites():
    """Slopes are those within sites, and a site that was not seen gets the average intercept."""
    x, site, linear = planted(4, level=5.0, n=400)
    y = linear + 0.1 * np.random.default_rng(4).normal(size=400)
    zero = np.zeros((4, P))
    predicted, spread = site_intercept(x, zero, labels_of(y), site, np.array([0, 1, 2, -1]))
    assert predicted[2] - predicted[0] == pytest.approx(10.0, abs=0.2)
    assert predicted[3] == pytest.approx(predicted[:3].mean(), abs=0.1)
    assert spread == pytest.approx(0.1, rel=0.15)
    pooled, pooled_spread = ridge(x, zero, labels_of(y))
    assert pooled_spread > 5 * spread


def test_own_slopes_help_where_they_differ_and_cost_little_where_they_do_not():
    """AUROC within sites, mean of ten cohorts: +.05 or more with own slopes, less than .01 lost without."""
    gains = {}
    for slopes in (0.0, 1.5):
        found = []
        for seed in range(10):
            x, site, linear = planted(10 + seed, slopes, n=300, level=0.5)
            y = (linear + np.random.default_rng(seed).logistic(size=300) > 0).astype(float)
            train, test = np.arange(300) < 200, np.arange(300) >= 200
            scores = [
                form(x[train], x[test], labels_of(y[train], 2), site[train], site[test])[0][:, 1]
                for form in (site_intercept, site_deviations)
            ]
            at = [site[test] == s for s in range(SITES)]
            # a site of one class has none
            found.append([np.nanmean([auroc(y[test][rows], score[rows]) for rows in at]) for score in scores])
        gains[slopes] = float(np.diff(np.mean(found, axis=0))[0])
    assert gains[1.5] > 0.05 and gains[0.0] > -0.01


def test_classes_and_sites_that_were_not_seen_are_predicted():
    x, site, linear = planted(6)
    y = np.digitize(linear, [-1.5, 1.5]).astype(float)
    unseen = np.full(N, -1)
    for form in (site_intercept, site_deviations):
        predicted = form(x, x, labels_of(y, 3), site, unseen)[0]
        assert predicted.shape == (N, 3) and predicted.sum(axis=1) == pytest.approx(1.0)
        one = form(x, x[:1], labels_of(y, 3), site, np.array([7]))[0]
        np.testing.assert_allclose(one[0], predicted[0])  # 7 was never seen either


def test_names_of_sites_and_order_of_samples_make_no_difference():
    x, site, linear = planted(8)
    order, inner = np.random.default_rng(1).permutation(N), np.arange(N) % 5
    one = Labels(linear, 0, np.ones(N), inner)
    other = Labels(linear[order], 0, np.ones(N), inner[order])
    first = site_deviations(x, x[:9], one, site, site[:9])[0]
    again = site_deviations(x[order], x[:9], other, (2 - site)[order], 2 - site[:9])[0]
    np.testing.assert_allclose(first, again, rtol=1e-6)
