"""Which preferences are trained: weights of the tasks, and tails over tasks, donors and sites beside them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.evaluation.tradeoff.simplex import preferences_of
from mtlbio.tables import TRADEOFF_PREFERENCES
from mtlbio.training.preferences import TASKS, Preferences

WEIGHTS = "weights"


@dataclass(frozen=True)
class Points:
    """What is trained beside the run.

    Attributes
    ----------
    names : of the points, as tables have them
    weights : (points, tasks) on the simplex
    tails : (points,) empty for weights, else what the tail is over: ``tasks``, ``donors``, or a covariate
    """

    names: tuple[str, ...]
    weights: np.ndarray
    tails: tuple[str, ...]

    @property
    def weighted(self) -> list[str]:
        """Names of those that are weights of the tasks."""
        return [name for name, tail in zip(self.names, self.tails, strict=True) if not tail]

    def trained(self, cohort: Cohort, level: float) -> Preferences:
        """As the training takes them; a sample whose site is not known is a site of its own kind."""
        units = {}
        for tail in {tail for tail in self.tails if tail not in ("", TASKS)}:
            of = cohort.donors if tail == "donors" else cohort.obs[tail].astype(object).fillna("").astype(str)
            units[tail] = pd.factorize(np.asarray(of))[0]
        return Preferences(self.weights * self.weights.shape[1], self.tails, level, units)

    def table(self, tasks: list[str]) -> pd.DataFrame:
        """Columns of :data:`mtlbio.tables.TRADEOFF_PREFERENCES`; a tail over tasks has no weights of its own."""
        rows = [
            {"point": name, "serves": tail or WEIGHTS, "task": task, "weight": np.nan if tail == TASKS else weight}
            for name, row, tail in zip(self.names, self.weights, self.tails, strict=True)
            for task, weight in zip(tasks, row, strict=True)
        ]
        return pd.DataFrame(rows)[TRADEOFF_PREFERENCES]


def points_of(tasks: int, count: int, site: str | None) -> Points:
    """So many preferences, and the worst of tasks, of donors, and of the levels of the covariate ``site`` where there
    is one; errors as of :func:`mtlbio.evaluation.tradeoff.simplex.preferences_of`.

    Examples
    --------
    >>> points_of(2, 3, "site").names
    ('w01', 'w02', 'w03', 'worst tasks', 'worst donors', 'worst site')
    """
    weights = preferences_of(tasks, count)
    tails = [TASKS, "donors", *([site] if site else [])]
    names = [f"w{k + 1:02d}" for k in range(count)] + [f"worst {tail}" for tail in tails]
    weights = np.vstack([weights, np.full((len(tails), tasks), 1 / tasks)])
    return Points(tuple(names), weights, ("",) * count + tuple(tails))
