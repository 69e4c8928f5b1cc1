"""Does sharing help a task? The multi-task network against the matched single-task one, one verdict per task.

Both arms have the same folds, seeds and budget, and both are scored on the same draws of units. Intervals are
simultaneous over the tasks (Bonferroni), so that with many tasks none is said to be helped or hurt by luck, and
widened where few carry a class.
"""

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
_NUMBERS = ("multitask", "singletask", "gain", "ci_low", "ci_high")


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
    carriers: Mapping[str, Set],
    draws: int,
    seed: int,
    margin: float,
    words: Vocabulary = DONORS,
) -> pd.DataFrame:
    """The verdict on every task.

    Parameters
    ----------
    tasks : scores of all tasks, of the arms ``multitask`` and ``singletask`` at least
    carriers : task -> what carries its label, of all tasks that were trained together
    draws, seed : of the bootstrap; more draws are made where the ends of a simultaneous interval need them
    margin : a gain below it is called negligible in the sentence; it does not change the verdict
    words : of the run, for ``why``

    Returns
    -------
    Columns of :data:`mtlbio.tables.TRANSFER`, one row per task. ``n_samples`` and ``n_donors`` carry the task's label,
    ``overlap`` is the share of its carriers that carry the label of another task too. A task that neither arm
    predicts better than chance (by its own 95 % interval) gets ``cannot tell``: there is nothing to help or to hurt.
    """
    pairs = [scores.common(MODEL, MATCHED) for scores in tasks]
    compared = sum(pair is not None for pair in pairs)
    level = 1 - (1 - LEVEL) / max(compared, 1)
    rows = []
    for scores, pair in zip(tasks, pairs, strict=True):
        name, (n_samples, n_units) = scores.task.name, scores.labelled
        others = set().union(*(units for other, units in carriers.items() if other != name))
        overlap = len(carriers[name] & others) / len(carriers[name]) if carriers[name] else np.nan
        row: dict[str, Any] = {"task": name, "metric": scores.task.decisive.name, "overlap": overlap}
        row |= {"n_samples": n_samples, "n_donors": n_units}
        row |= dict.fromkeys(_NUMBERS, np.nan) if pair is None else _compare(scores, pair, draws, seed, level)
        row["verdict"] = "cannot tell" if row.get("chance") else verdict_of(row["ci_low"], row["ci_high"])
        rows.append(row | {"why": sentence(row, compared, len(carriers), margin, words)})
    return pd.DataFrame(rows, columns=TRANSFER)


def _compare(scores: TaskScores, pair: ArmScores, draws: int, seed: int, level: float) -> dict:
    """Both arms and their difference on the samples that both predicted."""
    metric, level = scores.task.decisive, expanded(level, pair.rarest)
    enough = 2 * _BEYOND / max(1 - level, 2 * _BEYOND / _MOST_DRAWS)
    draws = max(draws, scores.transfer_draws or int(np.ceil(enough)))
    gain = pair.difference(MODEL, MATCHED, metric, draws, seed, level)
    row = dict(zip(_NUMBERS, [pair.value(MODEL, metric), pair.value(MATCHED, metric), *gain], strict=True))
    if scores.asks_chance and metric.chance is not None:
        lows = [pair.estimate(arm, metric, draws, seed).ci_low for arm in (MODEL, MATCHED)]
        # an undefined bound (a class without donors) shows nothing either
        row["chance"] = not any(low > metric.chance for low in lows)
    return row


def sentence(row: dict, compared: int, tasks: int, margin: float, words: Vocabulary = DONORS) -> str:
    """One sentence that can be quoted; ``compared`` is the number of tasks over which the interval is simultaneous."""
    name, count = row["task"], f"{row['n_donors']} labelled {words.unit if row['n_donors'] == 1 else words.units}"
    if tasks == 1:
        return f"{name}: it is the only task, so there is nothing to share with."
    if np.isnan(row["gain"]):
        untrained = "the two networks could not be compared: one was not trained (training.single_task)"
        return f"{name}: {untrained} or predicted no labelled {words.unit}."
    over = f"95 % interval over {compared} tasks" if compared > 1 else "95 % interval"
    low, high = number(row["ci_low"], 3), number(row["ci_high"], 3)
    values = (
        f"{metric_named(row['metric']).printed} {number(row['multitask'], 3)} with all tasks and "
        f"{number(row['singletask'], 3)} alone, gain {number(row['gain'], 3)} ({low} to {high}, {over})"
    )
    if row.get("chance"):
        none = f"neither network predicts it better than chance on {count}, so nothing is helped or hurt"
        return f"{name}: {none}; {values}."
    if row["verdict"] != "cannot tell":
        helps = row["verdict"] == "helps"
        negligible = row["ci_high"] < margin if helps else row["ci_low"] > -margin
        small = f", though by less than the margin of {margin:g}" if negligible else ""
        return f"{name}: learning the tasks together {row['verdict']}{small}; {values}, {count}."
    if row["ci_low"] > -margin and row["ci_high"] < margin:
        small = f", but either would be less than the margin of {margin:g}"
    else:
        small = ""
    return f"{name}: {count} cannot tell whether learning the tasks together helps or hurts{small}; {values}."
