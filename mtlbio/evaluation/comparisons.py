"""Does the multi-task model help? Every other arm against it, on the same units and the same draws.

Metrics are per sample, as the field reports them; uncertainty is per donor, or cluster of chains: all
samples of one are drawn together.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from mtlbio.evaluation.scores import TaskScores
from mtlbio.metrics import Metric
from mtlbio.tables import COMPARISONS, METRICS

MODEL = "multitask"
# Heads on latents that another model made stand where the model would.
GIVEN = "latents"
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


def score_tables(
    tasks: Iterable[TaskScores], draws: int, seed: int, margin: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """:func:`task_metrics` and :func:`task_comparisons` of all tasks."""
    metrics, comparisons = [], []
    for scores in tasks:
        metrics.append(task_metrics(scores, draws, seed))
        comparisons.append(task_comparisons(scores, draws, seed, margin))
    comparisons = [table for table in comparisons if len(table)] or comparisons[:1]  # a label with one arm has none
    if not metrics:  # latents that saw every label predict none
        return pd.DataFrame(columns=METRICS), pd.DataFrame(columns=[*COMPARISONS, "best_baseline"])
    return pd.concat(metrics, ignore_index=True), pd.concat(comparisons, ignore_index=True)


def task_metrics(scores: TaskScores, draws: int, seed: int) -> pd.DataFrame:
    """All metrics of all arms for one task, with bootstrap intervals; columns of ``metrics.tsv``."""
    rows = []
    for arm in scores.arms:
        single = scores.common(arm)
        if single is None:
            continue
        for metric in scores.task.metrics:
            row = [arm, scores.task.name, metric.name, *single.estimate(arm, metric, draws, seed)]
            rows.append([*row, single.n_samples, single.n_units])
    return pd.DataFrame(rows, columns=METRICS)


def task_comparisons(scores: TaskScores, draws: int, seed: int, margin: float) -> pd.DataFrame:
    """The multi-task model against every other arm for one task; columns of ``comparisons.tsv`` and ``best_baseline``.

    Each pair is scored on the samples that both arms predicted. ``best_baseline`` is ``yes`` for the baseline with the
    best point estimate. Being picked for that, it was also lucky: its row is a severe test of the model, not a lenient
    one.
    """
    rows = []
    model = on_trial(scores.arms)
    for metric in scores.compared if model in scores.arms else ():
        best = best_baseline(scores, metric)
        for arm in scores.arms:
            pair = scores.common(model, arm)
            if arm == model or pair is None:
                continue
            lead = pair.difference(model, arm, metric, draws, seed)
            call = call_difference(lead.ci_low, lead.ci_high, margin)
            row = [model, arm, scores.task.name, metric.name, *lead, call]
            rows.append([*row, "yes" if arm == best else "no"])
    return pd.DataFrame(rows, columns=[*COMPARISONS, "best_baseline"])


def on_trial(arms: Iterable[str]) -> str:
    """The arm that the run is about, of the names of all arms."""
    return GIVEN if GIVEN in arms else MODEL


def best_baseline(scores: TaskScores, metric: Metric) -> str | None:
    """The baseline with the best value of a metric; None where there is no baseline.

    A constant prediction has no correlation, and is not the best for that.
    """
    sign = -1.0 if metric.lower_is_better else 1.0
    singles = {arm: scores.common(arm) for arm in scores.arms if arm not in (MODEL, GIVEN, MATCHED)}
    values = {arm: sign * single.value(arm, metric) for arm, single in singles.items() if single}
    defined = {arm: value for arm, value in values.items() if np.isfinite(value)}
    return max(defined, key=lambda arm: defined[arm], default=None)
