"""What a linear model of a cohort is fitted to: a column per number or class of the tasks, and of the covariates."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.labels import Label

LEAST_OF_LEVEL = 5  # donors of a level of a factor that has a column
MOST_LEVELS = 12  # of a factor, the most frequent ones


@dataclass(frozen=True)
class Target:
    """A column.

    Attributes
    ----------
    name : of the task or covariate; ``part``: the class or level, None of a number or of two classes
    values : (n,) standardised, NaN where missing; ``scale``: what one of them is in the user's units
    share : of one whole label, which several columns say together
    mean : what a value of 0 is in the user's units
    """

    name: str
    part: str | None
    values: np.ndarray
    scale: float
    share: float = 1.0
    mean: float = 0.0


def part_of(cohort: Cohort, rows: np.ndarray) -> Cohort:
    """Some samples of a cohort."""
    return replace(cohort, expression=cohort.expression[rows], obs=cohort.obs.iloc[rows])


def task_targets(cohort: Cohort, learnt: bool = False) -> list[Target]:
    """Of every task: 0 and 1 of two classes or of each of several, numbers as they are (``learnt``: on the scale on
    which they are learnt), of a time the events beyond those to be expected."""
    return [target for name, task in cohort.tasks.items() for target in _of_task(task, cohort.y(name), learnt)]


def covariate_targets(cohort: Cohort) -> list[Target]:
    """Of every covariate that is recorded and no task: numbers, and 0 and 1 of each level that has donors enough."""
    infos = [info for info in cohort.covariates.values() if not info.estimated and info.name not in cohort.tasks]
    return [t for info in infos for t in _of_covariate(info, cohort.obs[info.name], cohort.donors)]


def _of_task(task: Label, y: np.ndarray, learnt: bool) -> list[Target]:
    known = ~np.isnan(y)
    if len(np.unique(y[known])) < 2:
        return []
    columns = task.indicators(y)
    if columns is None:
        return _standardised(task.name, {None: task.as_value(task.transform(y) if learnt else y)})
    several = len(columns) > 1
    named = {task.classes[k] if several else None: np.where(known, c, np.nan) for k, c in enumerate(columns)}
    return _standardised(task.name, named)


def _of_covariate(info: CovariateInfo, column: pd.Series, donors: np.ndarray) -> list[Target]:
    if info.kind == "continuous":
        return _standardised(info.name, {None: pd.to_numeric(column).to_numpy(dtype=float)})
    known = column.notna().to_numpy()
    text = column.astype(object).where(column.notna(), "").astype(str).to_numpy()
    counts = pd.Series(donors[known]).groupby(text[known]).nunique().sort_values(ascending=False, kind="stable")
    levels = counts.index[counts >= LEAST_OF_LEVEL][:MOST_LEVELS]
    if len(levels) < 2:
        return []
    levels = sorted(levels)[1:] if len(levels) == 2 else levels
    return _standardised(info.name, {level: np.where(known, text == level, np.nan) for level in levels})


def _standardised(name: str, columns: dict) -> list[Target]:
    """Targets of the columns (n,) that vary; k of a factor count as k - 1."""
    spread = {part: float(np.nanstd(values)) for part, values in columns.items()}
    varying = [part for part in columns if spread[part] > 0]
    share = (len(varying) - 1) / len(varying) if len(varying) > 1 else 1.0
    mean = {part: float(np.nanmean(columns[part])) for part in varying}
    return [
        Target(name, part, (columns[part] - mean[part]) / spread[part], spread[part], share, mean[part])
        for part in varying
    ]
