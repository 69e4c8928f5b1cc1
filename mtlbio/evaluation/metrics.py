"""Metrics of predictions, for one set of sample weights or for thousands at once.

Every metric is a pure function ``f(y, pred, weights=None)``. ``weights`` is None (all equal), (n,) or (draws, n); the
answer is a float, or (draws,) for a stack of weights: the donor bootstrap is nothing else. Values agree with
scikit-learn's functions of the same name, ties and weights included. Where a metric is not defined (a class without
weight, a constant truth) the answer is NaN, never an exception. Labels must not be missing: :func:`score` drops them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mtlbio.cohort.cohort import TaskInfo
from mtlbio.evaluation.calibration import calibration_intercept, calibration_slope, expected_calibration_error
from mtlbio.evaluation.weights import over_draws

Metric = Callable[..., "float | np.ndarray"]

# For these a smaller number is the better one; comparisons flip the sign of their difference.
LOWER_IS_BETTER = frozenset({"brier", "log_loss", "mae", "mae_levels", "expected_calibration_error"})

# Names of the primary metrics in print.
PRINTED = {"auroc": "AUROC", "macro_auroc": "macro AUROC", "r2": "R²", "spearman": "Spearman ρ"}
PRINTED |= {"pearson": "Pearson r", "mae": "MAE", "q3": "Q3", "q8": "Q8", "sov": "SOV"}

# What predictions that know nothing reach, whatever the cohort.
CHANCE = {"auroc": 0.5, "macro_auroc": 0.5, "r2": 0.0, "spearman": 0.0, "pearson": 0.0}


@over_draws
def auroc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: P(score of a case > score of a control), ties count one half.

    Parameters
    ----------
    y : (n,) 0 or 1
    pred : (n,) any score that rises with the probability of 1
    """
    case = y == 1
    by_score = np.argsort(pred[~case], kind="stable")
    controls = pred[~case][by_score]
    w = np.ascontiguousarray(weights.T)
    # below[k] = weight of the k lowest controls; one sort serves all draws
    below = np.zeros((len(controls) + 1, w.shape[1]))
    np.cumsum(w[np.flatnonzero(~case)[by_score]], axis=0, out=below[1:])
    first, last = np.searchsorted(controls, pred[case], "left"), np.searchsorted(controls, pred[case], "right")
    w_case = w[case]
    wins = np.einsum("id,id->d", w_case, below[first]) + np.einsum("id,id->d", w_case, below[last])
    return wins / 2 / (w_case.sum(axis=0) * below[-1])


@over_draws
def auprc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision: mean over the cases of the precision at their score (scikit-learn's definition)."""
    order = np.argsort(-pred, kind="stable")
    last = np.flatnonzero(np.append(np.diff(pred[order]) != 0, True))  # a tie is one threshold
    hits = np.cumsum(weights[:, order] * (y[order] == 1), axis=1)[:, last]
    called = np.cumsum(weights[:, order], axis=1)[:, last]
    precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
    return (np.diff(hits, axis=1, prepend=0.0) * precision).sum(axis=1) / hits[:, -1]


@over_draws
def brier(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Brier score: mean squared error of the probability; with (n, K) probabilities, summed over the classes."""
    error = np.square(pred - y) if pred.ndim == 1 else np.square(pred - _one_hot(y, pred)).sum(axis=1)
    return _mean(error, weights)


@over_draws
def log_loss(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean negative log probability (natural log) of the true class; probabilities are kept 2e-16 away from 0."""
    if pred.ndim == 1:
        chosen = np.where(y == 1, pred, 1 - pred)
    else:
        chosen = pred[np.arange(len(y)), y.astype(int)] / pred.sum(axis=1)
    tiny = np.finfo(float).eps
    return _mean(-np.log(np.clip(chosen, tiny, 1 - tiny)), weights)


@over_draws
def accuracy(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of samples whose most probable class is the true one (binary: probability above one half)."""
    return _mean((_called(pred) == y).astype(float), weights)


@over_draws
def balanced_accuracy(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of the recalls of the classes that occur."""
    right = (_called(pred) == y).astype(float)
    recalls = [_mean(right[y == k], weights[:, y == k]) for k in np.unique(y)]
    return _mean_of_defined(recalls)


@over_draws
def macro_auroc(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Unweighted mean over the classes of the one-versus-rest AUROC; pred is (n, K).

    A class that does not occur (or the only one that does) has no AUROC and is left out of the mean.
    """
    return _mean_of_defined([auroc((y == k).astype(float), pred[:, k], weights) for k in range(pred.shape[1])])


@over_draws
def r2(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficient of determination 1 - SSres / SStot, the total taken about the (weighted) mean of ``y``."""
    y0 = y - y.mean()  # near zero, so that the difference of squares below keeps its digits
    total = weights @ np.square(y0) - np.square(weights @ y0) / weights.sum(axis=1)
    residual = weights @ np.square(y - pred)
    spread = total > 1e-12 * (weights @ np.square(y))
    return 1 - np.divide(residual, total, out=np.full(len(total), np.nan), where=spread)


@over_draws
def mae(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean absolute error, in the units of ``y``."""
    return _mean(np.abs(y - pred), weights)


def within(tolerance: float) -> Metric:
    """Metric: share of samples whose prediction is off by at most ``tolerance`` times the truth (within 20 %)."""

    @over_draws
    def share(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return _mean((np.abs(pred - y) <= tolerance * np.abs(y)).astype(float), weights)

    return share


@over_draws
def pearson(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pearson correlation."""
    return _correlation(y[:, None] - y.mean(), pred[:, None] - pred.mean(), weights.T)


@over_draws
def spearman(y: np.ndarray, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman correlation with mid-ranks; with counts as weights, that of the data written out."""
    w = np.ascontiguousarray(weights.T)
    return _correlation(_mid_ranks(y, w), _mid_ranks(pred, w), w)


def expected_level(pred: np.ndarray) -> np.ndarray:
    """Expected level (0 .. K - 1) of ordinal probabilities (n, K) -> (n,); levels pass through."""
    return pred if pred.ndim == 1 else pred @ np.arange(pred.shape[1])


def ordinal_spearman(y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None) -> float | np.ndarray:
    """Spearman correlation of the true level with the expected level."""
    return spearman(y, expected_level(np.asarray(pred, dtype=float)), weights)


def mae_levels(y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None) -> float | np.ndarray:
    """Mean absolute error of the expected level, in levels."""
    return mae(y, expected_level(np.asarray(pred, dtype=float)), weights)


# By kind of task; the first is the one on which arms are compared and dimensions are ablated.
_METRICS: dict[str, dict[str, Metric]] = {
    "binary": {
        "auroc": auroc,
        "auprc": auprc,
        "brier": brier,
        "log_loss": log_loss,
        "accuracy": accuracy,
        "balanced_accuracy": balanced_accuracy,
        "calibration_slope": calibration_slope,
        "calibration_intercept": calibration_intercept,
        "expected_calibration_error": expected_calibration_error,
    },
    "multiclass": {
        "macro_auroc": macro_auroc,
        "accuracy": accuracy,
        "balanced_accuracy": balanced_accuracy,
        "brier": brier,
        "log_loss": log_loss,
    },
    "ordinal": {
        "spearman": ordinal_spearman,
        "mae_levels": mae_levels,
        "accuracy": accuracy,
        "balanced_accuracy": balanced_accuracy,
        "log_loss": log_loss,
    },
    "regression": {"r2": r2, "mae": mae, "pearson": pearson, "spearman": spearman},
}


def all_metrics(task: TaskInfo) -> dict[str, Metric]:
    """Name -> function of every metric of the task's kind, the primary one first; a task with a tolerance has
    ``within_20pct`` or the like as well."""
    found = dict(_METRICS[task.kind])
    if task.within is not None:
        found[f"within_{100 * task.within:g}pct"] = within(task.within)
    return found


def primary_metric(task: TaskInfo) -> str:
    """The metric of comparisons and ablation: auroc, macro_auroc, spearman (of the expected level) or r2."""
    return next(iter(_METRICS[task.kind]))


def score(
    task: TaskInfo,
    y: np.ndarray,
    pred: np.ndarray,
    weights: np.ndarray | None = None,
    metric: str | None = None,
) -> float | np.ndarray:
    """A metric of the task (its primary one where ``metric`` is left out) on the labelled samples.

    Parameters
    ----------
    y : (n,) class codes or values; NaN = no label, the sample is left out
    pred : (n,) probability or value; (n, K) probabilities for multiclass and ordinal
    weights : None, (n,) or (draws, n)

    Returns
    -------
    float, or (draws,) for a stack of weights

    Examples
    --------
    >>> import numpy as np
    >>> task = TaskInfo("disease", "binary", ("healthy", "SLE"))
    >>> score(task, np.array([0, 0, 1, np.nan]), np.array([0.1, 0.7, 0.7, 0.2]))
    0.75
    """
    y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float)
    labelled = ~np.isnan(y)
    if not labelled.all():
        y, pred = y[labelled], pred[labelled]
        weights = None if weights is None else np.asarray(weights)[..., labelled]
    return all_metrics(task)[metric or primary_metric(task)](y, pred, weights)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights @ values) / weights.sum(axis=1)


def _mean_of_defined(values: list[np.ndarray]) -> np.ndarray:
    stacked = np.stack(values)
    defined = np.isfinite(stacked)
    return np.where(defined, stacked, 0.0).sum(axis=0) / defined.sum(axis=0)


def _called(pred: np.ndarray) -> np.ndarray:
    return (pred > 0.5).astype(float) if pred.ndim == 1 else pred.argmax(axis=1).astype(float)


def _one_hot(y: np.ndarray, pred: np.ndarray) -> np.ndarray:
    return (y[:, None] == np.arange(pred.shape[1])).astype(float)


def _mid_ranks(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted mid-ranks (n, draws) of values (n,) under weights (n, draws), up to a constant."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    below = np.zeros((len(values) + 1, w.shape[1]))
    np.cumsum(w[order], axis=0, out=below[1:])
    first, last = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (below[first] + below[last]) / 2


def _correlation(a: np.ndarray, b: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted correlation over axis 0; a, b (n, draws) or (n, 1), w (n, draws)."""
    total = w.sum(axis=0)
    a = a - (w * a).sum(axis=0) / total
    b = b - (w * b).sum(axis=0) / total
    covariance, spread_a, spread_b = (w * a * b).sum(axis=0), (w * a * a).sum(axis=0), (w * b * b).sum(axis=0)
    spread = np.sqrt(spread_a * spread_b)
    return np.divide(covariance, spread, out=np.full(len(total), np.nan), where=spread > 1e-12 * total)
