"""From metadata text to the ``obs`` of a cohort: donor, labels and covariates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.qc import QcList
from mtlbio.config import Covariate
from mtlbio.errors import InputError
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label, TaskSection, label_kind
from mtlbio.labels.classes import categories, occurring
from mtlbio.text import numbers


def encode(
    run: DonorRun, metadata: pd.DataFrame, source: str, qc: QcList
) -> tuple[pd.DataFrame, dict[str, Label], dict[str, CovariateInfo]]:
    """Donor, tasks and covariates of every sample.

    Parameters
    ----------
    run : the run; its tasks and covariates say which columns are read and how
    metadata : text table, one row per sample (:func:`mtlbio.cohort.read.read`)
    source : the metadata file, for messages
    qc : takes a note for values that were pooled or set to missing

    Returns
    -------
    obs : ``donor`` and a column per task and covariate (categorical text, or float), missing = NaN
    tasks, covariates : by name, in the order of the YAML

    Raises
    ------
    InputError
        A label that never occurs, text where a number is due, a column without any value, a task and a covariate of
        one name that disagree.
    """
    obs = pd.DataFrame({"donor": metadata[run.metadata.donor].astype(str)}, index=metadata.index)
    tasks: dict[str, Label] = {}
    for name, task in run.tasks.items():
        kind, columns = label_kind(task.kind), {}
        for key, column in kind.columns(name, task).items():
            text = metadata[column]
            _some(text, f"{source}: tasks.{name}: column {column!r}")
            columns[key] = _of_some(text, metadata, task, name, source)
        obs[name], tasks[name] = kind.read(name, task, columns, source, qc.add)
    for name, covariate in run.covariates.items():
        column = metadata[run.covariate_column(name)]
        where = f"{source}: covariates.{name}: column {run.covariate_column(name)!r}"
        _some(column, where)
        values = numbers(column, where) if covariate.kind == "continuous" else categories(column)
        if name in tasks:
            _twins_agree(name, tasks[name], obs[name], values, covariate, source)
        else:
            obs[name] = values
    covariates = {name: CovariateInfo(name, c.role, c.kind) for name, c in run.covariates.items()}
    return obs, tasks, covariates


def _of_some(column: pd.Series, metadata: pd.DataFrame, task: TaskSection, name: str, source: str) -> pd.Series:
    """The label where the task's ``where`` holds, missing elsewhere."""
    for key, value in task.where.items():
        texts = occurring(value, metadata[key], f"tasks.{name}.where.{key}", source)
        column = column.where(metadata[key].isin(texts))
        if column.isna().all():
            raise InputError(
                f"{source}: tasks.{name}.where: no label of column {column.name!r} where {key} is {value!r}"
            )
    return column


def _some(column: pd.Series, where: str) -> None:
    if column.isna().all():
        raise InputError(f"{where} is empty for all {len(column)} samples; expected a value for some of them")


def _twins_agree(
    name: str, task: Label, labels: pd.Series, values: pd.Series, covariate: Covariate, source: str
) -> None:
    """A task and a covariate of one name share their column of the cohort."""
    valid = task.as_covariate
    if covariate.kind != valid:
        raise InputError(
            f"{source}: covariates.{name}.kind: found {covariate.kind}; the {task.kind} task of that name needs {valid}"
        )
    if task.classes and not np.array_equal(labels.astype(str).to_numpy(), values.astype(str).to_numpy()):
        raise InputError(
            f"{source}: tasks.{name} pools or leaves out values that covariates.{name} keeps: give one another name"
        )
