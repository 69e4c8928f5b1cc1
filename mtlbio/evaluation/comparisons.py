"""Does the multi-task model help? Every other arm against it, on the same donors and the same draws.

Metrics are per sample, as the field reports them; uncertainty is per donor: all samples of a donor are drawn together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import bootstrap_weights, estimate, paired_difference
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.tables import COMPARISONS, METRICS

MODEL = "multitask"
# The matched network of one task is not a baseline; everything else but the model itself is.
MATCHED = "singletask"


def call_difference(ci_low: float, ci_high: float, margin: float) -> str:
    """One word for an interval of the difference a - b (positive favours a).

    In this order, so that exactly one word fits:

    ``better``
        the interval lies above 0;
    ``no_worse``
        it lies above ``-margin``: whatever a loses is less than the margin, which was declared not to matter. This
        holds even where the interval lies below 0: a real but negligible loss;
    ``worse``
        it lies below 0 and reaches beyond the margin;
    ``undecided``
        everything else, an undefined interval included: more donors are needed.

    Examples
    --------
    >>> [call_difference(*ci, 0.02) for ci in [(0.01, 0.05), (-0.01, 0.04), (-0.015, -0.002), (-0.08, -0.01)]]
    ['better', 'no_worse', 'no_worse', 'worse']
    >>> call_difference(-0.05, 0.03, 0.02)
    'undecided'
    """
    if ci_low > 0:
        return "better"
    if ci_low > -margin:
        return "no_worse"
    if ci_high < 0:
        return "worse"
    return "undecided"


def task_metrics(predictions: TaskPredictions, draws: int, seed: int) -> pd.DataFrame:
    """All metrics of all arms for one task, with donor bootstrap intervals; columns of ``metrics.tsv``.

    Draws are stratified by the classes a donor carries, so that none loses a class.
    """
    rows = []
    for arm, pred in predictions.arms.items():
        usable = predictions.usable(arm)
        y, donors, pred = predictions.y[usable], predictions.donors[usable], pred[usable]
        if len(y) == 0:
            continue
        weights = bootstrap_weights(donors, draws, seed, predictions.task.strata(y))
        for metric in predictions.task.metrics:
            found = estimate(predictions.task, y, pred, weights, metric)
            rows.append([arm, predictions.task.name, metric.name, found.value, found.ci_low, found.ci_high])
            rows[-1] += [len(y), len(np.unique(donors))]
    return pd.DataFrame(rows, columns=METRICS)


def task_comparisons(predictions: TaskPredictions, draws: int, seed: int, margin: float) -> pd.DataFrame:
    """The multi-task model against every other arm for one task; columns of ``comparisons.tsv`` and ``best_baseline``.

    The metric is the one that decides. Each pair is scored on the samples that both arms predicted.
    ``best_baseline`` is ``yes`` for the baseline with the best point estimate. Being picked for that, it was also
    lucky: its row is a severe test of the model, not a lenient one.
    """
    if MODEL not in predictions.arms:
        return pd.DataFrame(columns=[*COMPARISONS, "best_baseline"])
    task = predictions.task
    best = best_baseline(predictions)
    rows = []
    for arm, other in predictions.arms.items():
        usable = predictions.usable(arm) & predictions.usable(MODEL)
        if arm == MODEL or not usable.any():
            continue
        y, donors = predictions.y[usable], predictions.donors[usable]
        weights = bootstrap_weights(donors, draws, seed, task.strata(y))
        found = paired_difference(task, y, predictions.arms[MODEL][usable], other[usable], weights)
        call = call_difference(found.ci_low, found.ci_high, margin)
        row = [MODEL, arm, task.name, task.decisive.name, found.value, found.ci_low, found.ci_high, call]
        rows.append([*row, "yes" if arm == best else "no"])
    return pd.DataFrame(rows, columns=[*COMPARISONS, "best_baseline"])


def best_baseline(predictions: TaskPredictions) -> str | None:
    """The baseline with the best metric; None where there is no baseline."""
    values = {
        arm: predictions.task.score(predictions.y[usable], pred[usable])
        for arm, pred in predictions.arms.items()
        if arm not in (MODEL, MATCHED) and (usable := predictions.usable(arm)).any()
    }
    defined = {arm: value for arm, value in values.items() if np.isfinite(value)}
    return max(defined, key=defined.get) if defined else None
