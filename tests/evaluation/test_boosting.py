import numpy as np
import pytest

from mtlbio.evaluation.boosting import lightgbm
from mtlbio.evaluation.tuning import Labels
from mtlbio.metrics.ranking import auroc
from mtlbio.metrics.values import r2

RNG = np.random.default_rng([41])
X = RNG.normal(size=(300, 20))
# too little and too much alike: invisible to a linear model
U_SHAPE = np.abs(X[:, 0]) - 0.7 + 0.1 * RNG.normal(size=300)
INNER = np.arange(200) % 5


def test_trees_see_a_u_shape_and_repeat_exactly():
    labels = Labels((U_SHAPE[:200] > 0).astype(float), 2, np.ones(200), INNER, seed=3)
    predicted, _ = lightgbm(X[:200], X[200:], labels)
    assert predicted.shape == (100, 2)
    np.testing.assert_allclose(predicted.sum(axis=1), 1)
    assert auroc((U_SHAPE[200:] > 0).astype(float), predicted[:, 1]) > 0.85
    np.testing.assert_array_equal(predicted, lightgbm(X[:200], X[200:], labels)[0])


def test_values_come_with_the_error_on_inner_donors():
    labels = Labels(U_SHAPE[:200], 0, np.ones(200), INNER)
    predicted, spread = lightgbm(X[:200], X[200:], labels)
    assert r2(U_SHAPE[200:], predicted) > 0.35
    assert spread == pytest.approx(np.sqrt(np.square(U_SHAPE[200:] - predicted).mean()), rel=0.4)


def test_three_classes_and_no_inner_folds():
    codes = np.digitize(X[:, 0], [-0.4, 0.4]).astype(float)
    labels = Labels(codes[:200], 3, np.ones(200), np.zeros(200, dtype=int))
    predicted, _ = lightgbm(X[:200], X[200:], labels)
    assert predicted.shape == (100, 3)
    assert (predicted.argmax(axis=1) == codes[200:]).mean() > 0.85
