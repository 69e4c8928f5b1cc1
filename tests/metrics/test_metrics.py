import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from mtlbio.labels import Binary, Multiclass, Ordinal, Regression
from mtlbio.metrics import metric_named, probabilities, ranking, values
from mtlbio.metrics.recalibration import calibration_intercept, calibration_slope, expected_calibration_error

RNG = np.random.default_rng([11])
N = 160
Y = (RNG.random(N) < 0.35).astype(float)
# two digits: plenty of ties
P = np.clip(np.round(0.25 * Y + 0.7 * RNG.random(N), 2), 0.01, 0.99)
W = RNG.integers(0, 4, N).astype(float)
CLASS = RNG.integers(0, 4, N).astype(float)
PROBABILITIES = RNG.dirichlet(np.ones(4), N) + 0.3 * (CLASS[:, None] == np.arange(4))
PROBABILITIES = np.round(PROBABILITIES / PROBABILITIES.sum(axis=1, keepdims=True), 2) + 0.001
PROBABILITIES /= PROBABILITIES.sum(axis=1, keepdims=True)
VALUE = np.round(RNG.normal(40, 12, N))
PREDICTED = np.round(0.6 * VALUE + RNG.normal(16, 8, N))


@pytest.mark.parametrize("weights", [None, W, RNG.random(N)], ids=["equal", "counts", "real"])
@pytest.mark.parametrize(
    "ours, theirs",
    [
        (ranking.auroc, lambda y, p, w: sk.roc_auc_score(y, p, sample_weight=w)),
        (ranking.auprc, lambda y, p, w: sk.average_precision_score(y, p, sample_weight=w)),
        (probabilities.brier, lambda y, p, w: sk.brier_score_loss(y, p, sample_weight=w)),
        (probabilities.log_loss, lambda y, p, w: sk.log_loss(y, p, sample_weight=w)),
        (probabilities.accuracy, lambda y, p, w: sk.accuracy_score(y, p > 0.5, sample_weight=w)),
        (probabilities.balanced_accuracy, lambda y, p, w: sk.balanced_accuracy_score(y, p > 0.5, sample_weight=w)),
    ],
)
def test_binary_metrics_equal_scikit_learn(ours, theirs, weights):
    assert ours(Y, P, weights) == pytest.approx(theirs(Y, P, weights), abs=1e-12)


@pytest.mark.parametrize("weights", [None, W], ids=["equal", "counts"])
def test_multiclass_metrics_equal_scikit_learn(weights):
    called = PROBABILITIES.argmax(axis=1)
    reference = sk.roc_auc_score(np.eye(4)[CLASS.astype(int)], PROBABILITIES, average="macro", sample_weight=weights)
    assert ranking.macro_auroc(CLASS, PROBABILITIES, weights) == pytest.approx(reference, abs=1e-12)
    assert probabilities.log_loss(CLASS, PROBABILITIES, weights) == pytest.approx(
        sk.log_loss(CLASS, PROBABILITIES, sample_weight=weights), abs=1e-12
    )
    assert probabilities.accuracy(CLASS, PROBABILITIES, weights) == pytest.approx(
        sk.accuracy_score(CLASS, called, sample_weight=weights), abs=1e-12
    )
    assert probabilities.balanced_accuracy(CLASS, PROBABILITIES, weights) == pytest.approx(
        sk.balanced_accuracy_score(CLASS, called, sample_weight=weights), abs=1e-12
    )
    squared = np.square(PROBABILITIES - np.eye(4)[CLASS.astype(int)]).sum(axis=1)
    assert probabilities.brier(CLASS, PROBABILITIES, weights) == pytest.approx(np.average(squared, weights=weights))


@pytest.mark.parametrize("weights", [None, W, RNG.random(N)], ids=["equal", "counts", "real"])
def test_regression_metrics_equal_scikit_learn(weights):
    assert values.r2(VALUE, PREDICTED, weights) == pytest.approx(
        sk.r2_score(VALUE, PREDICTED, sample_weight=weights), abs=1e-12
    )
    assert values.mae(VALUE, PREDICTED, weights) == pytest.approx(
        sk.mean_absolute_error(VALUE, PREDICTED, sample_weight=weights), abs=1e-12
    )


def test_correlations_equal_scipy_on_the_data_written_out():
    copies = W.astype(int)
    y, p = np.repeat(VALUE, copies), np.repeat(PREDICTED, copies)
    assert values.pearson(VALUE, PREDICTED, W) == pytest.approx(stats.pearsonr(y, p).statistic, abs=1e-12)
    assert ranking.spearman(VALUE, PREDICTED, W) == pytest.approx(stats.spearmanr(y, p).statistic, abs=1e-12)
    assert ranking.spearman(VALUE, PREDICTED) == pytest.approx(stats.spearmanr(VALUE, PREDICTED).statistic, abs=1e-12)


def test_ordinal_metrics_use_the_expected_level():
    level = PROBABILITIES @ np.arange(4)
    assert ranking.ordinal_spearman(CLASS, PROBABILITIES) == pytest.approx(stats.spearmanr(CLASS, level).statistic)
    assert ranking.mae_levels(CLASS, PROBABILITIES) == pytest.approx(np.abs(CLASS - level).mean())


@pytest.mark.parametrize("weights", [None, W], ids=["equal", "counts"])
def test_recalibration_equals_an_unpenalised_logistic_regression(weights):
    logit = np.log(P / (1 - P))
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], Y, sample_weight=weights)
    assert calibration_slope(Y, P, weights) == pytest.approx(reference.coef_[0, 0], abs=1e-5)
    assert calibration_intercept(Y, P, weights) == pytest.approx(reference.intercept_[0], abs=1e-5)


def test_calibration_of_a_calibrated_and_of_an_overconfident_forecast():
    rng = np.random.default_rng([5])
    p = rng.uniform(0.05, 0.95, 20000)
    y = (rng.random(20000) < p).astype(float)
    logit = np.log(p / (1 - p))
    assert calibration_slope(y, p) == pytest.approx(1, abs=0.05)
    assert calibration_intercept(y, p) == pytest.approx(0, abs=0.05)
    assert calibration_slope(y, 1 / (1 + np.exp(-2 * logit))) == pytest.approx(0.5, abs=0.03)
    assert expected_calibration_error(y, p) < 0.02
    # everybody is told .9 and every second one is a case
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([0.9, 0.9])) == pytest.approx(0.4)


def test_undefined_metrics_are_nan_and_not_an_exception():
    assert np.isnan(ranking.auroc(np.ones(5), np.arange(5)))
    assert np.isnan(values.r2(np.full(5, 0.1), np.arange(5)))
    assert np.isnan(ranking.spearman(np.arange(5), np.ones(5)))
    assert np.isnan(calibration_slope(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])))
    assert np.isnan(ranking.auroc(np.empty(0), np.empty(0)))


def test_macro_auroc_leaves_out_a_class_that_does_not_occur():
    present = CLASS < 3
    expected = np.mean([sk.roc_auc_score(CLASS[present] == k, PROBABILITIES[present, k]) for k in range(3)])
    assert ranking.macro_auroc(CLASS[present], PROBABILITIES[present]) == pytest.approx(expected)


def test_lengths_that_differ_are_named():
    with pytest.raises(ValueError, match="Expected 160 predictions and weights. Found 159 and 160"):
        ranking.auroc(Y, P[1:], W)


@pytest.mark.parametrize(
    "task, decisive, y, pred",
    [
        (Binary("t"), "auroc", Y, P),
        (Multiclass("t"), "macro_auroc", CLASS, PROBABILITIES),
        (Ordinal("t"), "spearman", CLASS, PROBABILITIES),
        (Regression("t"), "r2", VALUE, PREDICTED),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_score_drops_missing_labels_and_takes_stacks_of_weights(task, decisive, y, pred):
    assert task.decisive.name == decisive
    missing = y.copy()
    missing[:20] = np.nan
    stack = np.stack([W, np.ones(N), RNG.random(N)])
    for metric in task.metrics:
        together = task.score(missing, pred, stack, metric)
        assert together.shape == (3,)
        for row, value in zip(stack, together, strict=True):
            assert value == pytest.approx(metric.function(y[20:], pred[20:], row[20:]), abs=1e-10)
    assert task.score(missing, pred) == task.decisive.function(y[20:], pred[20:])


def test_within_counts_predictions_off_by_a_share_of_the_truth():
    task = Regression("dose", within=0.2)
    y, pred = np.array([10.0, 10.0, 100.0, 100.0]), np.array([12.0, 12.1, 80.0, 79.0])
    *_, last = task.metrics
    assert last.name == "within_20pct" and task.decisive.name == "r2"
    assert task.score(y, pred, metric=last) == 0.5
    assert task.score(y, pred, np.array([[1.0, 0, 0, 0], [0, 1, 0, 1]]), last).tolist() == [1.0, 0.0]
    assert "within_20pct" not in [metric.name for metric in Regression("age").metrics]


def test_what_is_said_of_a_metric_is_found_by_its_name():
    assert (metric_named("auroc").printed, metric_named("auroc").chance) == ("AUROC", 0.5)
    assert metric_named("brier").lower_is_better and metric_named("brier").chance is None
    # one that nobody registered is printed as it is written
    assert (metric_named("hit_rate").printed, metric_named("hit_rate").chance) == ("hit_rate", None)
