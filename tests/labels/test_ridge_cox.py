"""Ridge Cox for the baselines: the optimum, the row space, and risks that hold."""

import numpy as np
import pytest

from mtlbio.cohort.features import row_space
from mtlbio.labels import Survival
from mtlbio.labels.cox import fit_cox
from mtlbio.labels.survival.linear import RidgeCox
from mtlbio.labels.survival.records import records_of


def cohort(n: int = 120, p: int = 4, seed: int = 0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    x = (x - x.mean(0)) / x.std(0)
    dies, leaves = rng.exponential(np.exp(-0.8 * x[:, 0])), rng.exponential(2, n)
    time, event, stratum = np.minimum(dies, leaves), dies <= leaves, rng.integers(0, 2, n)
    entry = np.full(n, -np.inf)
    label = Survival("os", records_of(time, event, entry, stratum), (0.3, 0.8), ("a", "b"))
    y = label.table.place(time, event, entry, stratum)
    return x, label.own_model(y, np.ones(n)), (time, event, stratum), label


def test_the_path_is_the_optimum_of_the_same_cox_model():
    x, model, (time, event, stratum), _ = cohort()
    penalties = np.array([1.0, 0.1, 0.001])
    found = model.path(x, slice(None), penalties)
    for coefficients, penalty in zip(found.coefficients, penalties, strict=True):
        fit = fit_cox(x, time, event, strata=stratum, ridge=penalty * len(x) / event.sum())
        np.testing.assert_allclose(coefficients, fit.coefficients, atol=2e-4)
    rows = np.arange(60)
    at_none = fit_cox(np.empty((60, 0)), time[:60], event[:60], strata=stratum[:60])
    assert model.loss(rows, np.zeros(60)) == pytest.approx(-at_none.loglik)


def test_the_row_space_gives_the_model_on_all_columns():
    rng = np.random.default_rng(1)
    x, model, _, _ = cohort(60)
    wide = np.concatenate([x, rng.normal(size=(60, 200))], axis=1)
    basis, scores = row_space(wide)
    new = rng.normal(size=(5, 204))
    whole = model.path(wide, slice(None), np.array([5.0])).predict(new)
    np.testing.assert_allclose(model.path(scores, slice(None), np.array([5.0])).predict(new @ basis), whole, atol=1e-4)


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_risks_have_the_level_of_the_training_samples(level):
    """On average over the training samples, whatever constant the scores hold."""
    x, model, (time, event, _), label = cohort(400, seed=2)
    scores = model.path(x, slice(None), np.array([1e-3])).predict(x)[0]
    predicted = model.from_scores(scores + level, scores[:10] + level)
    assert predicted.shape == (10, *label.width)
    np.testing.assert_allclose(predicted, model.from_scores(scores, scores[:10]), atol=1e-9)
    everybody = model.from_scores(scores, scores)[:, -1].mean()
    observed = 1 - np.prod([1 - 1 / (time >= t).sum() for t in np.sort(time[event & (time <= 0.8)])])
    assert everybody == pytest.approx(observed, abs=0.03)


def test_arms_that_know_numbers_only_get_residuals_and_give_risks():
    _, model, (_, event, _), label = cohort(300, seed=3)
    values = model.values()
    assert isinstance(model, RidgeCox) and values.mean() == pytest.approx(0, abs=1e-9) and values.max() < 1
    share = event.mean()
    predicted = model.from_values(np.array([-10.0, 0.0, share]))
    np.testing.assert_allclose(predicted[:, 0], np.log([0.05, 1.0, 2.0]))
    risk = predicted[:, len(label.row_labels) - 2 :]
    assert (np.diff(risk, axis=0) > 0).all() and (risk > 0).all() and (risk < 1).all()
