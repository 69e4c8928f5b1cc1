"""The gain from sharing against the number of labelled donors: with few labels, help; with many, none is needed.

Every number of donors is drawn several times, nested: a draw of 20 donors holds its draw of 10. All samples with a
label are predicted out of fold, whoever was drawn for training. An interval covers both chances, who is held out
(donors are drawn again, the same for both networks) and who was labelled (draws of labels are drawn again).
"""

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import bootstrap_weights, expanded, fewest, interval
from mtlbio.evaluation.comparisons import MATCHED, MODEL
from mtlbio.labels import Label
from mtlbio.tables import CURVE

# (multi-task, single-task) predictions of one draw
Pair = tuple[np.ndarray, np.ndarray]
SMALLEST = 10


def sizes(donors: int) -> list[int]:
    """Numbers of labelled donors: 10, 20, 40, ... below three quarters of all, and all.

    Examples
    --------
    >>> sizes(93), sizes(240)
    ([10, 20, 40, 93], [10, 20, 40, 80, 160, 240])
    """
    doubled = [SMALLEST]
    while 2 * doubled[-1] <= 0.75 * donors:
        doubled.append(2 * doubled[-1])
    return [size for size in doubled if size <= 0.75 * donors] + [donors]


def curve_row(
    task: Label,
    y: np.ndarray,
    donors: np.ndarray,
    size: int,
    pairs: list[Pair],
    draws: int,
    seed: int,
    clusters: np.ndarray | None = None,
) -> dict:
    """One number of labelled donors; a row of :data:`mtlbio.tables.CURVE` and the intervals of both networks.

    Parameters
    ----------
    y : (n,) labels, NaN = none
    donors : (n,)
    size : labelled donors that a fold trains on
    pairs : predictions (n,) or (n, K) of both networks, one pair per draw of the labelled donors
    draws, seed : of the bootstrap
    clusters : (n,) what is drawn as a whole, donors where left out

    Returns
    -------
    ``variance_*`` is the mean variance of a prediction over the draws, ``bias_*`` the rest of the mean squared error
    (squared bias and the noise of the labels), both per variance of the labels. Missing with a single draw.
    """
    labelled = ~np.isnan(y)
    clusters = (donors if clusters is None else clusters)[labelled]
    y, donors = y[labelled], donors[labelled]
    arms = [np.stack([pair[arm][labelled] for pair in pairs]) for arm in (0, 1)]
    weights = bootstrap_weights(clusters, draws, seed, task.strata(y))
    drawn = [np.stack([task.score(y, pred, weights) for pred in arm]) for arm in arms]  # (pairs, draws)
    value = [np.mean([task.score(y, pred) for pred in arm]) for arm in arms]
    # a draw of donors comes with a draw of the label sets, the same for both networks
    rng = np.random.default_rng([seed, draws, len(pairs)])
    chosen = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=draws).T / len(pairs)
    means = [(arm * chosen).sum(axis=0) for arm in drawn]
    level = expanded(0.95, fewest(task, y, clusters))
    row = {"task": task.name, "donors": size, "draws": len(pairs), "metric": task.decisive.name}
    row |= {MODEL: value[0], MATCHED: value[1], "gain": value[0] - value[1], "n_donors": len(np.unique(donors))}
    row["ci_low"], row["ci_high"] = interval(means[0] - means[1], level)
    for name, arm, mean in zip((MODEL, MATCHED), arms, means, strict=True):
        row[f"ci_low_{name}"], row[f"ci_high_{name}"] = interval(mean, level)
        row[f"bias_{name}"], row[f"variance_{name}"] = bias_and_variance(task, y, arm)
    return row


def bias_and_variance(task: Label, y: np.ndarray, predictions: np.ndarray) -> tuple[float, float]:
    """Split of the mean squared error of (draws, n) or (draws, n, K) predictions, per variance of the labels ``y``."""
    if len(predictions) < 2:
        return np.nan, np.nan
    truth = y if predictions.ndim == 2 else (y[:, None] == np.arange(predictions.shape[2])).astype(float)
    spread = np.square(truth - truth.mean(axis=0)).mean(axis=0).sum()
    variance = predictions.var(axis=0, ddof=1).mean(axis=0).sum()
    error = np.square(predictions - truth).mean(axis=(0, 1)).sum()
    return float((error - variance) / spread), float(variance / spread)


def curve_table(rows: list[dict]) -> pd.DataFrame:
    """The rows as a table, columns of :data:`mtlbio.tables.CURVE` first."""
    table = pd.DataFrame(rows)
    return table[[*CURVE, *table.columns.difference(CURVE, sort=False)]]
