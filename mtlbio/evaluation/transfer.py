"""Does sharing help a task? The multi-task network against the matched single-task one, one verdict per task.

Both arms have the same folds, seeds and budget, and both are scored on the same draws of units. Intervals are
simultaneous over the tasks (Bonferroni), so that with many tasks none is said to be helped or hurt by luck, and
widened where few carry a class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import expanded
from mtlbio.evaluation.comparisons import MATCHED, MODEL
from mtlbio.evaluation.scores import ArmScores, TaskScores
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.metrics import metric_named
from mtlbio.tables import TRANSFER
from mtlbio.text import number

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
    tasks: Sequence[TaskScores],
    draws: int,
    seed: int,
    margin: float,
    words: Vocabulary = DONORS,
    carriers: Mapping[str, Set] | None = None,
) -> pd.DataFrame:
    """The verdict on every task.

    Parameters
    ----------
    tasks : scores of all tasks, of the arms ``multitask`` and ``singletask`` at least
    draws, seed : of the bootstrap; more draws are made where the ends of a simultaneous interval need them
    margin : a gain below it is called negligible in the sentence; it does not change the verdict
    words : of the run, for ``why``
    carriers : task -> what carries its label, of all tasks that were trained together; ``carriers`` of the scores where
        left out

    Returns
    -------
    Columns of :data:`mtlbio.tables.TRANSFER`, one row per task. ``n_samples`` and ``n_donors`` carry the task's label,
    ``overlap`` is the share of its carriers that carry the label of another task too. A task that neither arm
    predicts better than chance (by its own 95 % interval) gets ``cannot tell``: there is nothing to help or to hurt.
    """
    carriers = {scores.task.name: scores.carriers for scores in tasks} if carriers is None else carriers
    both = {scores.task.name: scores.common(MODEL, MATCHED) for scores in tasks}
    compared = sum(own is not None for own in both.values())
    level = 1 - (1 - LEVEL) / max(compared, 1)
    rows = []
    for scores in tasks:
        name = scores.task.name
        own = carriers[name]
        others = set().union(*(carrying for other, carrying in carriers.items() if other != name))
        row: dict[str, Any] = {"task": name, "metric": scores.task.decisive.name}
        row["n_samples"], row["n_donors"] = scores.labelled
        row["overlap"] = len(own & others) / len(own) if own else np.nan
        unknown = dict.fromkeys(["multitask", "singletask", "gain", "ci_low", "ci_high"], np.nan)
        pair = both[name]
        row |= unknown if pair is None else _compare(scores, pair, draws, seed, level)
        row["verdict"] = "cannot tell" if row.get("chance") else verdict_of(row["ci_low"], row["ci_high"])
        rows.append(row | {"why": sentence(row, compared, len(carriers), margin, words)})
    return pd.DataFrame(rows, columns=TRANSFER)


def _compare(scores: TaskScores, both: ArmScores, draws: int, seed: int, level: float) -> dict:
    """Both arms and their difference on the samples that both predicted."""
    metric, level = scores.task.decisive, expanded(level, both.rarest)
    enough = 2 * _BEYOND / max(1 - level, 2 * _BEYOND / _MOST_DRAWS)
    draws = max(draws, scores.transfer_draws or int(np.ceil(enough)))
    gain = both.difference(MODEL, MATCHED, metric, draws, seed, level)
    # an undefined bound (a class without donors) shows nothing either
    floor = metric.chance if scores.asks_chance else None
    lows = [both.estimate(arm, metric, draws, seed).ci_low for arm in (MODEL, MATCHED)] if floor is not None else []
    chance = floor is not None and not any(low > floor for low in lows)
    return {
        "multitask": both.value(MODEL, metric),
        "singletask": both.value(MATCHED, metric),
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
    low, high = number(row["ci_low"], 3), number(row["ci_high"], 3)
    metric = metric_named(row["metric"]).printed
    found = (
        f"{metric} {number(row['multitask'], 3)} with all tasks and {number(row['singletask'], 3)} alone, "
        f"gain {number(row['gain'], 3)} ({low} to {high}, {over})"
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
