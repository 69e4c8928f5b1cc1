import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression

from mtlbio.evaluation.elasticnet import L1, fit_elasticnet, null_penalty

RNG = np.random.default_rng([31])
X = RNG.normal(size=(70, 120))
X[:, 1] = X[:, 0] + 0.3 * X[:, 1]
VALUE = 2 * X[:, 0] - X[:, 5] + RNG.normal(size=70)
WEIGHTS = RNG.random(70) + 0.2


def codes(n_classes):
    return np.digitize(VALUE, np.quantile(VALUE, np.arange(1, n_classes) / n_classes)).astype(float)


def test_regression_equals_scikit_learn_along_the_path():
    penalties = null_penalty(X, VALUE, 0, WEIGHTS) * np.array([0.5, 0.2, 0.05])
    path = fit_elasticnet(X, VALUE, 0, WEIGHTS, penalties)
    for k, penalty in enumerate(penalties):
        reference = ElasticNet(alpha=penalty, l1_ratio=L1, tol=1e-9, max_iter=100000)
        reference.fit(X, VALUE, sample_weight=WEIGHTS)
        np.testing.assert_allclose(path.coefficients[k, :, 0], reference.coef_, atol=3e-3)
        strong = np.abs(reference.coef_) > 0.02
        assert (path.coefficients[k, strong, 0] != 0).all()
        assert np.abs((path.coefficients[k, :, 0] != 0).sum() - (reference.coef_ != 0).sum()) <= 2


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_equal_scikit_learn(n_classes):
    y = codes(n_classes)
    penalties = null_penalty(X, y, n_classes, WEIGHTS) * np.array([0.6, 0.3, 0.15])
    path = fit_elasticnet(X, y, n_classes, WEIGHTS, penalties)
    reference = LogisticRegression(
        C=1 / (penalties[-1] * WEIGHTS.sum()), l1_ratio=L1, solver="saga", tol=1e-7, max_iter=50000
    ).fit(X, y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(path.predict(X)[-1], reference.predict_proba(X), atol=3e-3)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_every_coefficient_is_zero_from_the_null_penalty_on(n_classes):
    y = codes(n_classes) if n_classes else VALUE
    top = null_penalty(X, y, n_classes, WEIGHTS)
    path = fit_elasticnet(X, y, n_classes, WEIGHTS, np.array([1.001 * top, 0.9 * top]))
    assert (path.coefficients[0] == 0).all()
    assert (path.coefficients[1] != 0).any()
