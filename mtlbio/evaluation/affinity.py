"""Which tasks gain from which, and the grouping of the tasks that gains most.

Standley et al. (2020, ICML) train a network per subset of the tasks and pick the set of networks that serves the tasks
best; Fifty et al. (2021, NeurIPS) estimate the same from gradients. The networks here are small enough to train all of
them. What is added is a doubt: donors are drawn again, and a grouping has to beat all-together by more than chance.
All intervals of a table hold at once, so that picking the largest value does not flatter it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.evaluation.bootstrap import bootstrap_weights, fewest, simultaneous
from mtlbio.evaluation.transfer import verdict_of
from mtlbio.labels import Label
from mtlbio.tables import AFFINITY, GROUPS, SUBSETS

Subset = tuple[str, ...]
# a subset, and a task in it
Key = tuple[Subset, str]
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
    value: dict[Key, float]
    drawn: dict[Key, np.ndarray]
    donors: dict[str, int]
    rarest: dict[str, int]

    def gain(self, subset: Subset, task: str) -> tuple[float, np.ndarray]:
        """Gain of the task in the subset over the task alone: value and draws."""
        shared, alone = (subset, task), ((task,), task)
        return self.value[shared] - self.value[alone], self.drawn[shared] - self.drawn[alone]

    def intervals(self, keys: list[Key]) -> dict[Key, tuple[float, float, float]]:
        """Gains with intervals that hold all at once."""
        values, drawn = zip(*(self.gain(*key) for key in keys), strict=True)
        rarest = np.array([self.rarest[task] for _, task in keys])
        low, high = simultaneous(np.array(values), np.stack(drawn, axis=1), rarest)
        return dict(zip(keys, zip(values, low, high, strict=True), strict=True))


def score_subsets(
    tasks: dict[str, Label],
    labels: dict[str, np.ndarray],
    donors: np.ndarray,
    predictions: dict[Key, np.ndarray],
    draws: int,
    seed: int,
    clusters: np.ndarray | None = None,
) -> Scores:
    """Score every task in every subset on the same draws of all donors.

    Parameters
    ----------
    labels : task -> (n,), NaN = no label
    donors : (n,)
    predictions : {(subset, task): (n,) or (n, K)}, out of fold
    clusters : (n,) what is drawn as a whole, donors where left out
    """
    clusters = donors if clusters is None else clusters
    weights = bootstrap_weights(clusters, draws, seed)
    value, drawn = {}, {}
    for (subset, task), pred in predictions.items():
        value[subset, task] = float(tasks[task].score(labels[task], pred))
        drawn[subset, task] = np.asarray(tasks[task].score(labels[task], pred, weights))
    count = {task: len(np.unique(donors[~np.isnan(y)])) for task, y in labels.items()}
    rarest = {task: fewest(tasks[task], y, clusters) for task, y in labels.items()}
    return Scores(tasks, value, drawn, count, rarest)


def subset_table(scores: Scores) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.SUBSETS`; a task alone has no gain."""
    gains = scores.intervals([key for key in scores.value if len(key[0]) > 1])
    rows = []
    for key, value in scores.value.items():
        subset, task = key
        gain, low, high = gains.get(key, (np.nan, np.nan, np.nan))
        verdict = verdict_of(low, high) if key in gains else None
        row = ["+".join(subset), task, scores.tasks[task].decisive.name, value, gain, low, high, verdict]
        rows.append([*row, scores.donors[task]])
    return pd.DataFrame(rows, columns=SUBSETS)


def affinity_table(scores: Scores) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.AFFINITY`: what a task gains from each partner, the two trained as a pair."""
    gains = scores.intervals([key for key in scores.value if len(key[0]) == 2])
    rows = []
    for (subset, task), (gain, low, high) in gains.items():
        partner = next(name for name in subset if name != task)
        rows.append([task, partner, scores.tasks[task].decisive.name, gain, low, high, verdict_of(low, high)])
    places = {task: place for place, task in enumerate(scores.tasks)}
    table = pd.DataFrame(rows, columns=AFFINITY)
    return table.sort_values(["task", "partner"], key=lambda column: column.map(places), ignore_index=True)


def group_table(scores: Scores) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.GROUPS`: the groupings by summed gain, the proposal first.

    A grouping puts every task into one of the trained subsets. Its ``gain`` is the sum over the tasks of the gain over
    the task alone, each in its own primary metric; ``over_together`` is its lead over one network for all, with an
    interval that holds for all groupings at once. ``role`` is ``proposed``, ``together``, ``alone`` or ``other``; the
    proposal is all tasks together unless another grouping has the larger gain.
    """
    together = (tuple(scores.tasks),)
    roles = {together: "together", tuple((task,) for task in scores.tasks): "alone"}
    ranked = list(groupings(tuple(scores.tasks), list(dict.fromkeys(subset for subset, _ in scores.value))))
    gains = {
        grouping: [sum(parts) for parts in zip(*(scores.gain(g, t) for g in grouping for t in g), strict=True)]
        for grouping in ranked
    }
    # between equals, fewer networks
    ranked.sort(key=lambda grouping: (-round(gains[grouping][0], 12), len(grouping)))
    leads = np.array([gains[grouping][0] - gains[together][0] for grouping in ranked])
    drawn = np.stack([gains[grouping][1] - gains[together][1] for grouping in ranked], axis=1)
    rarest = min(scores.rarest[task] for task in scores.tasks)
    intervals = zip(leads, *simultaneous(leads, drawn, np.full(len(leads), rarest)), strict=True)
    rows = []
    for rank, (grouping, (lead, low, high)) in enumerate(zip(ranked, intervals, strict=True)):
        role = "proposed" if rank == 0 else roles.get(grouping, "other")
        if rank >= _LISTED and role == "other":
            continue
        why = _why(grouping, role, grouping == together, len(ranked), lead, low, high)
        rows.append([rank + 1, _printed(grouping), role, gains[grouping][0], lead, low, high, why])
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


def _printed(grouping: tuple[Subset, ...]) -> str:
    return " | ".join(map("+".join, grouping))


def _why(grouping, role: str, together: bool, count: int, lead: float, low: float, high: float) -> str:
    groups = _printed(grouping)
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
