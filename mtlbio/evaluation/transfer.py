"""Does sharing help a task? The multi-task network against the matched single-task one, one verdict per task.

Both arms have the same folds, seeds and budget, and both are scored on the same draws of donors. Intervals are
simultaneous over the tasks (Bonferroni), so that with many tasks none is said to be helped or hurt by luck, and
widened where few donors carry a class.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import (
    bootstrap_weights,
    estimate,
    expanded,
    fewest,
    paired_difference,
)
from mtlbio.evaluation.comparisons import MATCHED, MODEL
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.tables import TRANSFER

LEVEL = 0.95
# Draws that should lie beyond each end of an interval; fewer make its ends a matter of the seed.
_BEYOND, _MOST_DRAWS = 10, 5000


def verdict_of(ci_low: float, ci_high: float) -> str:
    """``helps`` where the interval of the gain lies above 0, ``hurts`` below 0, else ``cannot tell``.

    Examples
    --------
    >>> [verdict_of(*ci) for ci in [(0.01, 0.05), (-0.05, -0.01), (-0.01, 0.05), (float("nan"), float("nan"))]]
    ['helps', 'hurts', 'cannot tell', 'cannot tell']
    """
    return "helps" if ci_low > 0 else "hurts" if ci_high < 0 else "cannot tell"


def transfer(
    tasks: list[TaskPredictions], draws: int, seed: int, margin: float, words: Vocabulary = DONORS
) -> pd.DataFrame:
    """The verdict on every task.

    Parameters
    ----------
    tasks : predictions of all tasks, of the arms ``multitask`` and ``singletask`` at least
    draws, seed : of the donor bootstrap; more draws are made where the ends of a simultaneous interval need them
    margin : a gain below it is called negligible in the sentence; it does not change the verdict
    words : of the run, for ``why``

    Returns
    -------
    Columns of :data:`mtlbio.tables.TRANSFER`, one row per task. ``n_samples`` and ``n_donors`` carry the task's label,
    ``overlap`` is the share of these donors that carry the label of another task too. A task that neither arm
    predicts better than chance (by its own 95 % interval) gets ``cannot tell``: there is nothing to help or to hurt.
    """
    compared = [p for p in tasks if MODEL in p.arms and MATCHED in p.arms and _usable(p).any()]
    level = 1 - (1 - LEVEL) / max(len(compared), 1)
    labelled = {p.task.name: set(p.donors[~np.isnan(p.y)]) for p in tasks}
    rows = []
    for predictions in tasks:
        own = labelled[predictions.task.name]
        others = set().union(*(donors for name, donors in labelled.items() if name != predictions.task.name))
        row = {
            "task": predictions.task.name,
            "metric": predictions.task.decisive.name,
            "n_samples": int((~np.isnan(predictions.y)).sum()),
            "n_donors": len(own),
            "overlap": len(own & others) / len(own) if own else np.nan,
        }
        unknown = dict.fromkeys(["multitask", "singletask", "gain", "ci_low", "ci_high"], np.nan)
        row |= _compare(predictions, draws, seed, level) if predictions in compared else unknown
        row["verdict"] = "cannot tell" if row.get("chance") else verdict_of(row["ci_low"], row["ci_high"])
        rows.append(row | {"why": sentence(row, len(compared), len(tasks), margin, words)})
    return pd.DataFrame(rows, columns=TRANSFER)


def _usable(predictions: TaskPredictions) -> np.ndarray:
    return predictions.usable(MODEL) & predictions.usable(MATCHED)


def _compare(predictions: TaskPredictions, draws: int, seed: int, level: float) -> dict:
    """Both arms and their difference on the samples that both predicted."""
    task, usable = predictions.task, _usable(predictions)
    y, donors = predictions.y[usable], predictions.donors[usable]
    level = expanded(level, fewest(task, y, donors))
    enough = 2 * _BEYOND / max(1 - level, 2 * _BEYOND / _MOST_DRAWS)
    draws = max(draws, int(np.ceil(enough)))
    shared, alone = predictions.arms[MODEL][usable], predictions.arms[MATCHED][usable]
    weights = bootstrap_weights(donors, draws, seed, task.strata(y))
    gain = paired_difference(task, y, shared, alone, weights, level=level)
    arms = [estimate(task, y, pred, weights) for pred in (shared, alone)]
    # an undefined bound (a class without donors) shows nothing either
    known_nothing = task.decisive.chance
    chance = known_nothing is not None and not any(arm.ci_low > known_nothing for arm in arms)
    return {
        "multitask": arms[0].value,
        "singletask": arms[1].value,
        "gain": gain.value,
        "ci_low": gain.ci_low,
        "ci_high": gain.ci_high,
        "chance": chance,
    }


def sentence(row: dict, compared: int, tasks: int, margin: float, words: Vocabulary = DONORS) -> str:
    """One sentence that can be quoted; ``compared`` is the number of tasks over which the interval is simultaneous."""
    name, count = row["task"], f"{row['n_donors']} labelled {words.unit if row['n_donors'] == 1 else words.units}"
    if tasks == 1:
        return f"{name}: it is the only task, so there is nothing to share with."
    if np.isnan(row["gain"]):
        said = "the two networks could not be compared: one was not trained (training.single_task)"
        return f"{name}: {said} or predicted no labelled {words.unit}."
    over = f"95 % interval over {compared} tasks" if compared > 1 else "95 % interval"
    low, high = _number(row["ci_low"]), _number(row["ci_high"])
    metric = metric_named(row["metric"]).printed
    found = (
        f"{metric} {_number(row['multitask'])} with all tasks and {_number(row['singletask'])} alone, "
        f"gain {_number(row['gain'])} ({low} to {high}, {over})"
    )
    if row.get("chance"):
        return (
            f"{name}: neither network predicts it better than chance on {count}, so nothing is helped or hurt; {found}."
        )
    if row["verdict"] == "helps":
        small = f", though by less than the margin of {margin:g}" if row["ci_high"] < margin else ""
        return f"{name}: learning the tasks together helps{small}; {found}, {count}."
    if row["verdict"] == "hurts":
        small = f", though by less than the margin of {margin:g}" if row["ci_low"] > -margin else ""
        return f"{name}: learning the tasks together hurts{small}; {found}, {count}."
    if row["ci_low"] > -margin and row["ci_high"] < margin:
        return f"{name}: on {count} any gain or loss from sharing is below the margin of {margin:g}; {found}."
    return f"{name}: {count} cannot tell whether learning the tasks together helps or hurts; {found}."


def _number(value: float) -> str:
    text = f"{value:.3f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")
