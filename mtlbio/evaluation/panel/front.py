"""Performance against the size of a panel, with paired intervals against all features, and the smallest that does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.evaluation.bootstrap import Estimate, expanded
from mtlbio.evaluation.comparisons import call_difference
from mtlbio.evaluation.panel.chosen import EVERYTHING, FINAL, Panel, Panels
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.evaluation.scores import ArmScores
from mtlbio.tables import PANEL_FRONT

LEVEL = 0.95
PASSED = {"better", "no_worse"}
_UNKNOWN = Estimate(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Scored:
    """Panels of a cohort with the draws of donors by which they are compared.

    ``draws``, ``seed``: of the bootstrap; ``margin``: a loss of the deciding metric that does not matter.
    """

    cohort: Cohort
    panels: Panels
    draws: int
    seed: int
    margin: float
    _scores: dict[str, ArmScores | None] = field(default_factory=dict, repr=False)

    def of(self, panel: Panel, task: str) -> Estimate:
        """The deciding metric of a task with its interval."""
        scores = self.scores(task)
        metric = self.cohort.tasks[task].decisive
        return _UNKNOWN if scores is None else scores.estimate(_arm(panel), metric, self.draws, self.seed)

    def difference(self, panel: Panel, other: Panel, task: str) -> Estimate:
        """By how much a panel is better than another one, on the same draws; wider where few donors carry a class."""
        scores = self.scores(task)
        if scores is None:
            return _UNKNOWN
        metric, level = self.cohort.tasks[task].decisive, expanded(LEVEL, scores.rarest)
        return scores.difference(_arm(panel), _arm(other), metric, self.draws, self.seed, level)

    def call(self, panel: Panel, other: Panel, task: str) -> str:
        """``better``, ``no_worse``, ``worse`` or ``undecided`` (:mod:`mtlbio.evaluation.comparisons`)."""
        found = self.difference(panel, other, task)
        return call_difference(found.ci_low, found.ci_high, self.margin)

    def scores(self, task: str) -> ArmScores | None:
        """All panels of a task on the samples with its label; None where there are none."""
        if task not in self._scores:
            own, label = self.cohort, self.cohort.tasks[task]
            arms = {_arm(panel): values for (panel, of), values in self.panels.predicted.items() if of == task}
            predictions = TaskPredictions(label, own.samples, own.donors, own.y(task), arms, own.families)
            self._scores[task] = predictions.common(*arms)
        return self._scores[task]


def _arm(panel: Panel) -> str:
    return f"{panel[0]} {panel[1]} {panel[2]:g}"


def reference(scored: Scored, panels: Sequence[Panel], tasks: Sequence[str]) -> Panel:
    """What a smaller panel must not be worse than: all features, or the best panel that is shown to be better for some
    task and no worse for any."""
    calls = {panel: [scored.call(panel, EVERYTHING, task) for task in tasks] for panel in panels}
    ahead = [p for p, its in calls.items() if "better" in its and set(its) <= PASSED]
    return max(ahead, key=lambda panel: _merit(scored, panel, tasks), default=EVERYTHING)


def smallest(scored: Scored, panels: Sequence[Panel], tasks: Sequence[str]) -> Panel | None:
    """The smallest panel that is no worse by the margin for all tasks; None where none was shown to be.

    Panels are asked from large to small, from the reference on, until the first that fails: a fixed sequence of tests,
    whose error over all sizes is that of one (Maurer, Hothorn & Lehmacher 1995).

    ``panels``: of one kind, ascending.
    """
    found, beside = None, reference(scored, panels, tasks)
    first = len(panels) - 1 if beside == EVERYTHING else panels.index(beside)
    for panel in reversed(panels[: first + 1]):
        if panel != beside and not {scored.call(panel, beside, task) for task in tasks} <= PASSED:
            break
        found = panel
    return found


def looked_at(scored: Scored, panels: Sequence[Panel], tasks: Sequence[str]) -> Panel:
    """The smallest panel that does; where none was shown to, the best of the front by the mean of the metrics."""
    found = smallest(scored, panels, tasks)
    if found is not None:
        return found
    return max(panels, key=lambda panel: _merit(scored, panel, tasks))


def _merit(scored: Scored, panel: Panel, tasks: Sequence[str]) -> float:
    """Mean of the deciding metrics, larger where better."""
    signs = [-1.0 if scored.cohort.tasks[task].decisive.lower_is_better else 1.0 for task in tasks]
    mean = float(np.mean([sign * scored.of(panel, task).value for sign, task in zip(signs, tasks, strict=True)]))
    return mean if np.isfinite(mean) else -np.inf


def front_table(
    scored: Scored, panels: dict[tuple[str, str], list[Panel]], chosen: dict[tuple[str, str], Panel | None], prices
) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.PANEL_FRONT`: of every task all features first, then panels by size.

    ``panels``: (kind, task) -> its panels, ascending; ``chosen``: the smallest of each that does; ``prices``:
    (features of the cohort,) or None.
    """
    rows = []
    for task, label in scored.cohort.tasks.items():
        scores, common = scored.scores(task), dict[str, Any](task=task, metric=label.decisive.name)
        common |= {} if scores is None else {"n_samples": scores.n_samples, "n_donors": scores.n_units}
        candidates = [EVERYTHING, *(p for (_, whose), found in panels.items() if whose in ("", task) for p in found)]
        for panel in candidates:
            members = [m for (its, fold), m in scored.panels.members.items() if its == panel and fold != FINAL]
            row = common | dict(zip(("value", "ci_low", "ci_high"), scored.of(panel, task), strict=True))
            row |= {"panel": panel[0], "limit": np.nan, "call": None, "chosen": "no"}
            row["size"] = float(np.mean([len(m) for m in members]))
            row["price"] = np.nan if prices is None else float(np.mean([prices[m].sum() for m in members]))
            if panel != EVERYTHING:
                found = scored.difference(panel, EVERYTHING, task)
                row |= dict(zip(("difference", "diff_low", "diff_high"), found, strict=True))
                row |= {"limit": panel[2], "call": call_difference(found.ci_low, found.ci_high, scored.margin)}
                row["chosen"] = "yes" if chosen.get(panel[:2]) == panel else "no"
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=PANEL_FRONT)
