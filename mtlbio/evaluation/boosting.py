"""Gradient-boosted trees: what a model that is not linear makes of the same genes."""

import numpy as np

from mtlbio.evaluation.tuning import Labels

ROUNDS = 400
PATIENCE = 25
FEW = 60


def lightgbm(train: np.ndarray, test: np.ndarray, labels: Labels) -> tuple[np.ndarray, float]:
    """LightGBM; the number of trees is found on one inner fold of donors, then all training donors are used.

    From ``train`` (n, p) to predictions of ``test`` (m, p): (m,) values or (m, K) class probabilities, and the root
    mean squared error on the inner fold (regression). Deterministic for a seed. One thread: on some hundred
    samples further ones wait for each other.
    """
    import lightgbm as lgb

    params = _parameters(labels)
    splits = labels.inner_splits()
    trees, spread = 100, 1.0
    if splits:
        fit, held_out = splits[0]
        grown, watched = (
            lgb.Dataset(train[rows], labels.y[rows], weight=labels.weights[rows], params=params)
            for rows in (fit, held_out)
        )
        stop = lgb.early_stopping(PATIENCE, verbose=False)
        booster = lgb.train(params, grown, ROUNDS, valid_sets=[watched], callbacks=[stop])
        trees = max(booster.best_iteration, 1)
        if labels.n_classes == 0:
            error = labels.y[held_out] - booster.predict(train[held_out], num_iteration=trees)
            spread = float(np.sqrt(np.average(np.square(error), weights=labels.weights[held_out])))
    return _grown(params, trees, train, test, labels), spread


def few_trees(train: np.ndarray, test: np.ndarray, labels: Labels) -> tuple[np.ndarray, float]:
    """LightGBM for few features, those of a representation: :data:`FEW` small trees that see all of them.

    Without inner folds, so that many questions can be asked in a second; parameters and return as in :func:`lightgbm`,
    the spread is always 1.
    """
    params = _parameters(labels) | {"learning_rate": 0.1, "num_leaves": 4, "feature_fraction": 1.0}
    return _grown(params, FEW, train, test, labels), 1.0


def _grown(params: dict, trees: int, train: np.ndarray, test: np.ndarray, labels: Labels) -> np.ndarray:
    """Predictions (m,) or (m, K) of so many trees, from all training samples."""
    import lightgbm as lgb

    everyone = lgb.Dataset(train, labels.y, weight=labels.weights, params=params)
    predicted = np.asarray(lgb.train(params, everyone, num_boost_round=trees).predict(test))
    return np.stack([1 - predicted, predicted], axis=1) if labels.n_classes == 2 else predicted


def _parameters(labels: Labels) -> dict:
    objective: dict = {"objective": {0: "regression", 2: "binary"}.get(labels.n_classes, "multiclass")}
    if objective["objective"] == "multiclass":
        objective["num_class"] = labels.n_classes
    return objective | {
        "learning_rate": 0.07,
        "num_leaves": 8,
        "min_data_in_leaf": int(np.clip(len(labels.y) // 30, 2, 20)),
        "feature_fraction": 0.3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "max_bin": 63,
        "seed": labels.seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
