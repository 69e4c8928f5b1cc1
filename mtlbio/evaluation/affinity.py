"""Which tasks gain from which, and the grouping of the tasks that gains most.

Standley et al. (2020, ICML) train a network per subset of the tasks and pick the set of networks that serves the tasks
best; Fifty et al. (2021, NeurIPS) estimate the same from gradients. The networks here are small enough to train all of
them. What is added is a doubt: donors are drawn again, and a grouping has to beat all-together by more than chance.
All intervals of a table hold at once, so that picking the largest value does not flatter it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import bootstrap_weights, fewest, simultaneous
from mtlbio.evaluation.transfer import verdict_of
from mtlbio.labels import Label
from mtlbio.tables import AFFINITY, GROUPS, SUBSETS

Subset = tuple[str, ...]
# Groupings that are listed: the proposal and those that come next.
_LISTED = 20


@dataclass(frozen=True)
class Scores:
    """The metric that decides, of every task in every subset that holds it.

    Attributes
    ----------
    tasks : by name
    value : {(subset, task): metric}
    drawn : {(subset, task): (draws,)} the same on draws of donors, which all subsets and tasks share
    donors : task -> labelled donors; rarest : task -> those of the rarest class, on which the metric rests
    """

    tasks: dict[str, Label]
    value: dict[tuple[Subset, str], float]
    drawn: dict[tuple[Subset, str], np.ndarray]
    donors: dict[str, int]
    rarest: dict[str, int]

    def gain(self, subset: Subset, task: str) -> tuple[float, np.ndarray]:
        """Gain of the task in the subset over the task alone: value and draws."""
        own, alone = (subset, task), ((task,), task)
        return self.value[own] - self.value[alone], self.drawn[own] - self.drawn[alone]

    @property
    def subsets(self) -> list[Subset]:
        """The subsets, in the order in which they were scored."""
        return list(dict.fromkeys(subset for subset, _ in self.value))


def score_subsets(
    tasks: dict[str, Label],
    labels: dict[str, np.ndarray],
    donors: np.ndarray,
    predictions: dict[tuple[Subset, str], np.ndarray],
    draws: int,
    seed: int,
) -> Scores:
    """Score every task in every subset on the same draws of all donors.

    Parameters
    ----------
    labels : task -> (n,), NaN = no label
    donors : (n,)
    predictions : {(subset, task): (n,) or (n, K)}, out of fold
    """
    weights = bootstrap_weights(donors, draws, seed)
    value: dict[tuple[tuple[str, ...], str], float] = {}
    drawn: dict[tuple[tuple[str, ...], str], np.ndarray] = {}
    for (subset, task), pred in predictions.items():
        value[subset, task] = float(tasks[task].score(labels[task], pred))
        drawn[subset, task] = np.asarray(tasks[task].score(labels[task], pred, weights))
    count = {task: len(np.unique(donors[~np.isnan(y)])) for task, y in labels.items()}
    rarest = {task: fewest(tasks[task], y, donors) for task, y in labels.items()}
    return Scores(tasks, value, drawn, count, rarest)


def subset_table(scores: Scores) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.SUBSETS`; a task alone has no gain."""
    keys = list(scores.value)
    shared = [key for key in keys if len(key[0]) > 1]
    gains = dict(zip(shared, _intervals(scores, [scores.gain(*key) for key in shared], shared), strict=True))
    rows = []
    for subset, task in keys:
        gain, low, high = gains.get((subset, task), (np.nan, np.nan, np.nan))
        verdict = verdict_of(low, high) if len(subset) > 1 else None
        metric = scores.tasks[task].decisive.name
        row = ["+".join(subset), task, metric, scores.value[subset, task], gain, low, high, verdict]
        rows.append([*row, scores.donors[task]])
    return pd.DataFrame(rows, columns=SUBSETS)


def affinity_table(scores: Scores) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.AFFINITY`: what a task gains from each partner, the two trained as a pair."""
    keys = [(subset, task) for subset, task in scores.value if len(subset) == 2]
    rows = []
    for (subset, task), (gain, low, high) in zip(
        keys, _intervals(scores, [scores.gain(*key) for key in keys], keys), strict=True
    ):
        partner = next(name for name in subset if name != task)
        rows.append([task, partner, scores.tasks[task].decisive.name, gain, low, high, verdict_of(low, high)])
    order = {task: place for place, task in enumerate(scores.tasks)}
    rows.sort(key=lambda row: (order[str(row[0])], order[str(row[1])]))
    return pd.DataFrame(rows, columns=AFFINITY)


def group_table(scores: Scores) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.GROUPS`: the groupings by summed gain, the proposal first.

    A grouping puts every task into one of the trained subsets. Its ``gain`` is the sum over the tasks of the gain over
    the task alone, each in its own primary metric; ``over_together`` is its lead over one network for all, with an
    interval that holds for all groupings at once. ``role`` is ``proposed``, ``together``, ``alone`` or ``other``; the
    proposal is all tasks together unless another grouping has the larger gain.
    """
    together = (tuple(scores.tasks),)
    alone = tuple((task,) for task in scores.tasks)
    found = list(groupings(tuple(scores.tasks), scores.subsets))
    gains = {
        grouping: [sum(parts) for parts in zip(*(scores.gain(g, t) for g in grouping for t in g), strict=True)]
        for grouping in found
    }
    # between equals, fewer networks
    found.sort(key=lambda grouping: (-round(gains[grouping][0], 12), len(grouping)))
    leads = [[a - b for a, b in zip(gains[grouping], gains[together], strict=True)] for grouping in found]
    every = [(None, task) for task in scores.tasks]
    rest = min(scores.rarest[task] for _, task in every)
    intervals = simultaneous(
        np.array([lead for lead, _ in leads]),
        np.stack([drawn for _, drawn in leads], axis=1),
        np.full(len(leads), rest),
    )
    rows = []
    for rank, grouping in enumerate(found):
        named = {together: "together", alone: "alone"}.get(grouping, "other")
        if rank >= _LISTED and named == "other":
            continue
        lead, low, high = leads[rank][0], intervals[0][rank], intervals[1][rank]
        role = "proposed" if rank == 0 else named
        why = _why(grouping, role, grouping == together, len(found), lead, low, high)
        rows.append([rank + 1, " | ".join(map("+".join, grouping)), role, gains[grouping][0], lead, low, high, why])
    return pd.DataFrame(rows, columns=GROUPS)


def groupings(tasks: Subset, subsets: list[Subset]) -> Iterator[tuple[Subset, ...]]:
    """All ways to put every task into exactly one of the subsets.

    Examples
    --------
    >>> list(groupings(("a", "b"), [("a",), ("b",), ("a", "b")]))
    [(('a',), ('b',)), (('a', 'b'),)]
    """
    if not tasks:
        yield ()
        return
    for subset in subsets:
        if tasks[0] in subset and set(subset) <= set(tasks):
            for rest in groupings(tuple(task for task in tasks if task not in subset), subsets):
                yield (subset, *rest)


def _intervals(scores: Scores, gains: list, keys: list) -> list[tuple[float, float, float]]:
    values = np.array([value for value, _ in gains])
    low, high = simultaneous(
        values, np.stack([drawn for _, drawn in gains], axis=1), np.array([scores.rarest[task] for _, task in keys])
    )
    return list(zip(values, low, high, strict=True))


def _why(grouping, role: str, together: bool, count: int, lead: float, low: float, high: float) -> str:
    groups = " | ".join(map("+".join, grouping))
    span = f"{lead:+.3f} ({low:+.3f} to {high:+.3f})".replace("-", "−")
    if together:
        best = f"has the largest summed gain of {count} groupings" if role == "proposed" else "is the yardstick"
        return f"{groups}: one network for all tasks {best}."
    if role != "proposed":
        return f"{groups}: summed gain over all together {span}."
    if low > 0:
        return f"{groups}: the best of {count} groupings; it beats all together by {span}: train these groups."
    return (
        f"{groups}: the best of {count} groupings, but not better than all together by more than chance, {span}: "
        "nothing speaks for separate networks."
    )
