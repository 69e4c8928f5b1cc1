"""The linear arms: ridge on all genes, elastic net on the most variable ones, principal components.

Every arm is ``arm(train, test, labels) -> (predictions, spread)``: ``train`` (n, p) and ``test`` (m, p) features, the
predictions (m,) standardised values or (m, K) class probabilities, and the spread of inner held-out residuals.
"""

from typing import Any

import numpy as np

from mtlbio.evaluation.elasticnet import PATH, fit_elasticnet, null_penalty
from mtlbio.evaluation.ridge import CLASS_PENALTIES, PENALTIES, LinearPath, fit_logistic, fit_ridge, total_variance
from mtlbio.evaluation.tuning import Labels, choose

COMPONENTS = (5, 10, 20, 40, 80)


def fit_penalised(x: np.ndarray, labels: Labels, rows: np.ndarray | slice, penalties: np.ndarray) -> LinearPath | Any:
    """Ridge, logistic ridge or the label's own model, by the kind of labels, on the given rows."""
    if labels.own is not None:
        return labels.own.path(x, rows, penalties)
    y, weights = labels.y[rows], labels.weights[rows]
    if labels.n_classes == 0:
        return fit_ridge(x[rows], y, weights, penalties)
    return fit_logistic(x[rows], y, labels.n_classes, weights, penalties)


def ridge(train: np.ndarray, test: np.ndarray, labels: Labels) -> tuple[np.ndarray, float]:
    """Ridge or logistic ridge; the penalty chosen on inner folds of donors.

    ``train`` and ``test`` may be the row-space scores of the genes: the model is that on the genes themselves.
    """
    relative = CLASS_PENALTIES if labels.n_classes else PENALTIES if labels.own is None else labels.own.penalties
    penalties = relative * total_variance(train, labels.weights)

    def candidates(rows, out):
        return fit_penalised(train, labels, rows, penalties).predict(train[out])

    best, spread = choose(labels, candidates, len(penalties))
    return fit_penalised(train, labels, slice(None), penalties[best : best + 1]).predict(test)[0], spread


def elasticnet(train: np.ndarray, test: np.ndarray, labels: Labels) -> tuple[np.ndarray, float]:
    """Elastic net on standardised genes; the penalty chosen on inner folds of donors."""
    penalties = PATH * null_penalty(train, labels.y, labels.n_classes, labels.weights)

    def fit_path(rows, upto):
        return fit_elasticnet(train[rows], labels.y[rows], labels.n_classes, labels.weights[rows], penalties[:upto])

    best, spread = choose(labels, lambda fit, out: fit_path(fit, None).predict(train[out]), len(penalties))
    return fit_path(slice(None), best + 1).predict(test)[-1], spread


def pca_linear(train: np.ndarray, test: np.ndarray, labels: Labels) -> tuple[np.ndarray, float]:
    """Linear or logistic regression on the first k principal components; k chosen on inner folds of donors.

    ``train`` are principal component scores, the strongest first. They come from all training samples of the fold,
    inner folds included: the components never see a label. Components are scaled to variance 1 and the coefficients
    shrunk by a penalty of one sample's worth, which keeps separable classes finite.
    """
    scale = train.std(axis=0)
    usable = max(int((scale > 1e-8).sum()), 1)
    sizes = sorted({min(k, usable) for k in COMPONENTS})
    scale = np.where(scale > 1e-8, scale, 1.0)
    train, test = train / scale, test / scale

    def fit(rows, k):
        return fit_penalised(train[:, :k], labels, rows, np.array([1.0 / len(labels.y[rows])]))

    def candidates(rows, out):
        return np.concatenate([fit(rows, k).predict(train[out, :k]) for k in sizes])

    best, spread = choose(labels, candidates, len(sizes))
    return fit(slice(None), sizes[best]).predict(test[:, : sizes[best]])[0], spread
