import numpy as np
import pytest
from sklearn import metrics as sk

from mtlbio.evaluation.bootstrap import bootstrap_weights, cluster_draws, interval
from mtlbio.labels import Binary, Regression
from mtlbio.metrics.probabilities import brier
from mtlbio.metrics.ranking import auroc
from mtlbio.metrics.values import mae, r2

BINARY, REGRESSION = Binary("disease", ("no", "yes")), Regression("age")


def cohort(n_donors=40, visits=3, seed=0):
    rng = np.random.default_rng([seed, 77])
    donors = np.repeat([f"d{i:03d}" for i in range(n_donors)], visits)
    y = np.repeat((rng.random(n_donors) < 0.4).astype(float), visits)
    y[:visits], y[visits : 2 * visits] = 0, 1
    pred = np.round(1 / (1 + np.exp(-(1.2 * y - 0.5 + rng.normal(size=len(y))))), 2)
    return donors, y, pred


def test_donors_are_drawn_whole_and_every_draw_has_as_many_donors():
    donors, _, _ = cohort()
    weights = bootstrap_weights(donors, 200, seed=3)
    assert weights.shape == (200, 120)
    by_donor = weights.reshape(200, 40, 3)
    assert (by_donor == by_donor[:, :, :1]).all()
    assert (by_donor[:, :, 0].sum(axis=1) == 40).all()
    np.testing.assert_array_equal(weights, bootstrap_weights(donors, 200, seed=3))
    assert (weights != bootstrap_weights(donors, 200, seed=4)).any()
    # a donor is left out of a draw with probability (1 - 1/40)^40
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 40) ** 40, abs=0.01)


def test_strata_keep_every_class_in_every_draw():
    donors = np.array(["a", "a", "b", "c", "d", "e", "f"])
    y = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, np.nan])
    weights = bootstrap_weights(donors, 300, seed=1, strata=BINARY.strata(y))
    per_donor = weights[:, 1:]
    assert (per_donor[:, [0, 1]].sum(axis=1) == 2).all()
    assert (per_donor[:, 2:5].sum(axis=1) == 3).all()
    assert (per_donor[:, 5] == 1).all()
    assert REGRESSION.strata(y) is None


@pytest.mark.parametrize(
    "ours, theirs",
    [(auroc, sk.roc_auc_score), (brier, sk.brier_score_loss), (r2, sk.r2_score), (mae, sk.mean_absolute_error)],
)
def test_all_draws_at_once_equal_scikit_learn_on_resamples_written_out(ours, theirs):
    donors, y, pred = cohort()
    weights = bootstrap_weights(donors, 50, seed=2, strata=y)
    together = ours(y, pred, weights)
    for row, value in zip(weights.astype(int), together, strict=True):
        assert value == pytest.approx(theirs(np.repeat(y, row), np.repeat(pred, row)), abs=1e-12)


def test_interval_leaves_out_undefined_draws():
    draws = np.append(np.linspace(0, 1, 101), np.nan)
    assert interval(draws) == pytest.approx((0.025, 0.975))
    assert interval(draws, level=0.5) == pytest.approx((0.25, 0.75))
    assert np.isnan(interval(np.array([np.nan, np.nan]))).all()


def test_a_draw_counts_a_chain_as_often_as_its_cluster():
    counts = cluster_draws(np.array(["f", "g", "f"]), 50, 0)
    assert (counts[:, 0] == counts[:, 2]).all() and (counts[:, 0] + counts[:, 1] == 2).all()
