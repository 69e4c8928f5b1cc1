import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from mtlbio.cohort.features import row_space
from mtlbio.evaluation.ridge import fit_logistic, fit_ridge, total_variance

RNG = np.random.default_rng([21])
PENALTIES = np.array([3.0, 0.1, 0.01])


def data(n, p):
    x = RNG.normal(size=(n, p)) * np.linspace(3, 0.1, p) + 1
    return x, x[:, 0] - x[:, 1] + RNG.normal(size=n), RNG.random(n) + 0.2


@pytest.mark.parametrize("shape", [(60, 20), (40, 90)])
def test_ridge_equals_scikit_learn(shape):
    x, y, weights = data(*shape)
    path = fit_ridge(x, y, weights, PENALTIES)
    for k, penalty in enumerate(PENALTIES):
        reference = Ridge(alpha=penalty * weights.sum()).fit(x, y, sample_weight=weights)
        np.testing.assert_allclose(path.coefficients[k, :, 0], reference.coef_, atol=1e-8)
        np.testing.assert_allclose(path.predict(x)[k], reference.predict(x), atol=1e-7)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", [(60, 20), (40, 90)])
def test_logistic_equals_scikit_learn(shape, n_classes):
    x, y, weights = data(*shape)
    codes = np.digitize(y, np.quantile(y, np.arange(1, n_classes) / n_classes)).astype(float)
    path = fit_logistic(x, codes, n_classes, weights, PENALTIES)
    for k, penalty in enumerate(PENALTIES):
        reference = LogisticRegression(C=1 / (penalty * weights.sum()), tol=1e-10, max_iter=20000)
        reference.fit(x, codes, sample_weight=weights)
        np.testing.assert_allclose(path.predict(x)[k], reference.predict_proba(x), atol=2e-4)


@pytest.mark.parametrize("n_classes", [0, 2])
def test_the_model_on_row_space_scores_is_the_model_on_all_genes(n_classes):
    x, y, weights = data(40, 300)
    new = RNG.normal(size=(10, 300))
    y = (y > 0).astype(float) if n_classes else y
    basis, scores = row_space(x)
    if n_classes:
        whole, rotated = (fit_logistic(a, y, 2, weights, PENALTIES) for a in (x, scores))
    else:
        whole, rotated = (fit_ridge(a, y, weights, PENALTIES) for a in (x, scores))
    np.testing.assert_allclose(whole.predict(new), rotated.predict(new @ basis), atol=1e-3)


def test_total_variance_is_the_weighted_trace_of_the_covariance():
    x, _, weights = data(30, 6)
    expected = np.trace(np.cov(x.T, aweights=weights, ddof=0))
    assert total_variance(x, weights) == pytest.approx(expected)
