"""Points of a front on held-out donors, and what each gains over the run as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.evaluation.bootstrap import bootstrap_weights, simultaneous
from mtlbio.evaluation.predictions import TaskPredictions, collect
from mtlbio.evaluation.scores import ArmScores

PRESENT = "present"  # the run as it is

Predicted = Mapping[str, np.ndarray]  # task -> (n, ...) of all samples of the cohort


@dataclass(frozen=True)
class Scored:
    """Points with the draws of donors on which they are compared.

    Attributes
    ----------
    points : name -> predictions; :data:`PRESENT` is one of them
    draws, seed : of the bootstrap
    """

    cohort: Cohort
    points: Mapping[str, Predicted]
    draws: int
    seed: int
    _scores: dict[str, ArmScores] = field(default_factory=dict, repr=False)

    def scores(self, task: str) -> ArmScores:
        """All points on the labelled samples that all of them predict."""
        if task not in self._scores:
            own, label = self.cohort, self.cohort.tasks[task]
            arms = {name: predicted[task] for name, predicted in self.points.items()}
            common = TaskPredictions(label, own.samples, own.donors, own.y(task), arms, own.families).common(*arms)
            assert common is not None, "a task without labels, which prepare refuses"
            self._scores[task] = common
        return self._scores[task]

    def reference(self, task: str) -> float:
        """What the mean of all predictions reaches, alike for everybody: a model that knows nothing of a sample."""
        label, y = self.cohort.tasks[task], self.cohort.y(task)
        if label.decisive.chance is not None:
            return label.decisive.chance
        mean = np.nanmean(self.points[PRESENT][task], axis=0)
        return float(label.score(y, np.broadcast_to(mean, (len(y), *np.shape(mean))).copy()))

    def skill(self, task: str, values: np.ndarray) -> np.ndarray:
        """Values of the deciding metric as shares of the way from the reference (0) to perfect predictions (1)."""
        perfect = 0.0 if self.cohort.tasks[task].decisive.lower_is_better else 1.0
        reference = self.reference(task)
        return (np.asarray(values) - reference) / (perfect - reference)

    def skills(self, names: list[str]) -> np.ndarray:
        """(points, tasks)."""
        columns = []
        for task, label in self.cohort.tasks.items():
            values = [self.scores(task).value(name, label.decisive) for name in names]
            columns.append(self.skill(task, np.array(values)))
        return np.column_stack(columns)

    def drawn_skills(self, names: list[str]) -> np.ndarray:
        """(draws, points, tasks) on draws of the cohort's donors, the same for all points and tasks; draws in which a
        metric is not defined are left out."""
        own = self.cohort
        weights = bootstrap_weights(own.donors if own.families is None else own.families, self.draws, self.seed)
        columns = []
        for task, label in own.tasks.items():
            arms, scores = {name: self.points[name][task] for name in self.points}, self.scores(task)
            whole = TaskPredictions(label, own.samples, own.donors, own.y(task), arms, own.families)
            usable = np.logical_and.reduce([whole.usable(name) for name in arms])
            of_task = [scores.score(name, label.decisive, weights[:, usable]) for name in names]
            columns.append(self.skill(task, np.stack(of_task, axis=1)))
        drawn = np.stack(columns, axis=2)
        return drawn[np.isfinite(drawn).all(axis=(1, 2))]

    def gains(self, names: list[str]) -> pd.DataFrame:
        """Columns ``point, task, difference, diff_low, diff_high``: over the run as it is, positive where better.

        The intervals hold for all points and tasks at once, so that the best of them is not flattered by being picked.
        """
        rows, drawn, donors = [], [], []
        for task, label in self.cohort.tasks.items():
            scores, metric = self.scores(task), label.decisive
            sign = -1.0 if metric.lower_is_better else 1.0
            beside = scores.drawn(PRESENT, metric, self.draws, self.seed)
            for name in names:
                lead = scores.value(name, metric) - scores.value(PRESENT, metric)
                rows.append({"point": name, "task": task, "difference": sign * lead})
                drawn.append(sign * (scores.drawn(name, metric, self.draws, self.seed) - beside))
                donors.append(scores.rarest)
        table = pd.DataFrame(rows)
        low, high = simultaneous(table["difference"].to_numpy(), np.column_stack(drawn), np.array(donors))
        return table.assign(diff_low=low, diff_high=high)


def call_gain(difference: float, low: float, high: float, margin: float) -> str:
    """``gains`` or ``loses`` where the interval excludes 0 and the difference is beyond the margin, ``same`` where the
    interval is within the margin, else ``undecided``.

    Examples
    --------
    >>> [call_gain(*row, 0.02) for row in [(0.1, 0.03, 0.2), (0.0, -0.01, 0.01), (-0.1, -0.2, -0.01), (0.0, -0.1, 0.1)]]
    ['gains', 'same', 'loses', 'undecided']
    """
    if low > 0 and difference > margin:
        return "gains"
    if high < 0 and difference < -margin:
        return "loses"
    return "same" if -margin <= low and high <= margin else "undecided"


def call_front(gains: pd.DataFrame, margin: float) -> str:
    """``trade`` where some point gains for some task, ``flat`` where none can gain as much as the margin, ``undecided``
    where neither was shown; ``gains`` as of :meth:`Scored.gains`."""
    columns = (gains["difference"], gains["diff_low"], gains["diff_high"])
    calls = [call_gain(lead, low, high, margin) for lead, low, high in zip(*columns, strict=True)]
    if "gains" in calls:
        return "trade"
    return "flat" if (gains["diff_high"] <= margin).all() else "undecided"


def of_run(predictions: pd.DataFrame, cohort: Cohort) -> dict[str, np.ndarray]:
    """What the run's multi-task arm predicts of the cohort's samples, task by task, out of ``predictions.tsv``."""
    rows, found = predictions[predictions["arm"] == "multitask"], {}
    place = pd.Series(np.arange(len(cohort.samples)), index=cohort.samples)
    for task, label in cohort.tasks.items():
        known = collect(rows, label)
        values = known.arms["multitask"]
        found[task] = np.full((len(cohort.samples), *values.shape[1:]), np.nan)
        found[task][place.loc[known.samples].to_numpy()] = values
    return found
