"""A dimension by a task after adjustment: what the effect of the table looks like, unit by unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.probing.association import task_design
from mtlbio.probing.columns import column_of
from mtlbio.probing.inference import Contrast
from mtlbio.report.inputs import Inputs
from mtlbio.text import known


@dataclass(frozen=True)
class Adjusted:
    """Partial residuals of one task.

    Attributes
    ----------
    values : DataFrame (units, dimensions), in standard deviations of the dimension
    label : (units,) class code or number; less its donor's mean where donors are compared with themselves
    donors : how many there are
    terms : what was held fixed, in words
    within : donors are compared with themselves
    """

    values: pd.DataFrame
    label: np.ndarray
    donors: int
    terms: tuple[str, ...]
    within: bool


def adjusted(inputs: Inputs, task: str) -> Adjusted | None:
    """Every dimension with the covariates held fixed, on the units and with the design of the trial's test of ``task``.

    Partial residuals (Larsen & McCleary 1972, Technometrics 14:781): what the model ``z ~ task + covariates`` leaves,
    plus the task's own part. So two classes differ in their means, and a number has the slope, by exactly the
    ``effect_<task>`` of verdicts.tsv, times the standard deviation of the number where it is one.

    None where the kind of run has no such test, or where the covariates leave nothing of the task to see.
    """
    trial = inputs.kind.part("report", "trial", missing=None)(inputs)
    if trial is None or task not in trial.tasks:
        return None
    units = trial.task_units(task)
    if not units.testable(6):
        return None
    units, nuisance, columns = task_design(trial, task, units=units)
    contrast = Contrast(columns, nuisance, units)
    if not (contrast.estimable and contrast.full_rank):
        return None
    z, tested = units.mean(trial.z), units.centre(columns)
    tested = tested - tested.mean(axis=0)
    scale = z.std(axis=0, ddof=1)
    left, right = contrast.residual_of_nuisance(z), nuisance.residual(tested)
    coefficients = np.linalg.lstsq(right, left, rcond=None)[0]
    partial = left + (tested - right) @ coefficients
    label = units.centre(units.y[:, None])[:, 0] if units.within and not _classes(inputs, task) else units.y
    values = pd.DataFrame(partial / np.where(scale > 0, scale, 1.0), columns=list(trial.dims))
    return Adjusted(values, label, units.donors, nuisance.terms, units.within)


def linked_task(inputs: Inputs, row: pd.Series) -> str | None:
    """The task that a verdict is about, else the outcome that names it or is linked to it most closely; None without
    any."""
    if known(row.get("about")) and row["about"] in inputs.tasks:
        return str(row["about"])
    q = {task: row.get(column_of("q", task)) for task in inputs.tasks if task not in inputs.covariates}
    q = {task: value for task, value in q.items() if known(value)}
    return row["driver"] if row.get("driver") in q else min(q, key=lambda task: q[task], default=None)


def _classes(inputs: Inputs, task: str) -> tuple[str, ...]:
    return tuple(inputs.cohort.tasks[task].classes or ())
