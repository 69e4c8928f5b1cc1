"""Ridge fits of many tasks on one matrix are the fits of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.evaluation.baselines import predict_baselines
from mtlbio.evaluation.ridge_at_once import Models, fit_at_once
from mtlbio.labels import Binary, Ordinal, Regression

N, P = 400, 40
PENALTIES = np.array([3.0, 0.1, 0.002])


@pytest.fixture(scope="module")
def planted() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Matrix, value, rare class and weights, a fifth of which are 0."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((N, P)) * np.geomspace(5, 0.2, P) + 0.5
    effect = rng.standard_normal(P) / 4
    value = x @ effect + rng.standard_normal(N)
    ill = (x @ effect + rng.logistic(size=N) > 4).astype(float)
    return x, value, ill, rng.uniform(0.3, 1, N) * (rng.random(N) < 0.8)


def test_each_column_is_the_fit_of_scikit_learn(planted):
    x, value, ill, weights = planted
    share, repeats = weights / weights.sum(), len(PENALTIES)
    models = Models(
        np.repeat(np.stack([value, ill], axis=1), repeats, axis=1),
        np.repeat(share[:, None], 2 * repeats, axis=1),
        np.repeat([False, True], repeats),
        np.tile(PENALTIES, 2),
    )
    coefficients, intercepts = fit_at_once(x, models, 1e-9, 1e-16)
    for k, penalty in enumerate(PENALTIES):
        ridge = Ridge(alpha=penalty).fit(x, value, share)
        np.testing.assert_allclose(coefficients[:, k], ridge.coef_, atol=1e-6)
        assert intercepts[k] == pytest.approx(ridge.intercept_, abs=1e-6)
        logistic = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit(x, ill, share)
        np.testing.assert_allclose(coefficients[:, repeats + k], logistic.coef_[0], atol=1e-5)
        assert intercepts[repeats + k] == pytest.approx(logistic.intercept_[0], abs=1e-5)


def test_a_model_is_the_same_whoever_stands_beside_it(planted):
    x, value, ill, weights = planted
    share = weights[:, None] / weights.sum()
    alone = fit_at_once(x, Models(ill[:, None], share, np.array([True]), PENALTIES[1:2]))[0]
    both = Models(np.stack([value, ill], 1), np.repeat(share, 2, 1), np.array([False, True]), PENALTIES[[2, 1]])
    np.testing.assert_allclose(fit_at_once(x, both)[0][:, 1], alone[:, 0], atol=1e-7)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """A number, two classes and levels, some of them missing, of donors some of whom came twice."""
    rng = np.random.default_rng(5)
    donor = np.concatenate([np.arange(120), np.arange(0, 120, 4)])
    activity = rng.standard_normal((120, 4))[donor]
    expression = 8 + activity @ rng.standard_normal((4, 20)) + rng.standard_normal((len(donor), 20))
    levels = np.array(["I", "II", "III"], dtype=object)
    noisy = activity + 0.7 * rng.standard_normal((120, 4))[donor]
    obs = pd.DataFrame({"donor": [f"d{i:03d}" for i in donor]}, index=[f"s{i:03d}" for i in range(len(donor))])
    obs["ill"] = pd.Series(np.where(noisy[:, 0] > 1, "case", "control"), obs.index).where(rng.random(120)[donor] < 0.9)
    obs["age"] = pd.Series(50 + 9 * noisy[:, 1], obs.index).where(rng.random(120)[donor] < 0.8)
    obs["stage"] = levels[np.digitize(noisy[:, 2], [-0.5, 0.5])]
    tasks = {
        "ill": Binary("ill", ("control", "case")),
        "age": Regression("age"),
        "stage": Ordinal("stage", tuple(levels)),
    }
    return Cohort(expression.astype(np.float32), tuple(f"g{i}" for i in range(20)), obs, tasks)


def test_the_arm_from_moments_predicts_what_the_arm_from_rows_does(cohort):
    """Penalties are chosen alike; what is left is how far the search of scipy goes."""
    splits = make_splits(cohort, Splits(folds=2))
    rows, moments = (
        predict_baselines(cohort, splits, ["ridge", "pca_linear"], 18, fit_from=how) for how in ("rows", "moments")
    )
    for column in ("sample", "arm", "task", "label"):
        assert rows[column].equals(moments[column])
    spread = rows.groupby("task")["y_pred"].transform("std")
    difference = ((rows["y_pred"] - moments["y_pred"]).abs() / spread).groupby([rows["arm"], rows["task"]]).max()
    assert difference["pca_linear"].max() < 1e-6
    assert difference["ridge"].loc[["age", "stage"]].max() < 2e-6
    assert difference["ridge"].loc["ill"] < 1e-4
