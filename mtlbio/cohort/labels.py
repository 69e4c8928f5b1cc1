"""From metadata text to labels and covariates: the ``obs`` of a cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo, TaskInfo
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.text import matching, numbers
from mtlbio.cohort.tolerance import tolerance_of
from mtlbio.cohort.transforms import TRANSFORMS
from mtlbio.config import Covariate, Task
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import DonorRun


def encode(
    run: DonorRun, metadata: pd.DataFrame, source: str, qc: QcList
) -> tuple[pd.DataFrame, dict[str, TaskInfo], dict[str, CovariateInfo]]:
    """Donor, tasks and covariates of every sample.

    Parameters
    ----------
    run
        The run; its tasks and covariates say which columns are read and how.
    metadata
        Text table, one row per sample (:func:`mtlbio.cohort.read.read`).
    source
        The metadata file, for messages.
    qc
        Takes a note for values that were pooled or set to missing.

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
    tasks: dict[str, TaskInfo] = {}
    for name, task in run.tasks.items():
        column = metadata[run.task_column(name)]
        where = f"{source}: tasks.{name}: column {run.task_column(name)!r}"
        _some(column, where)
        column = _of_some(column, metadata, task, name, source)
        if task.kind == "regression":
            obs[name], tasks[name] = numbers(column, where), _regression(name, task)
            _check_scale(obs[name], tasks[name], where)
        else:
            obs[name], classes = _classes(column, name, task, source, qc)
            tasks[name] = TaskInfo(name, task.kind, classes)
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


def _regression(name: str, task: Task) -> TaskInfo:
    multiplicative = task.head == "multiplicative"
    return TaskInfo(name, task.kind, (), task.transform, tolerance_of(task), task.unit, multiplicative)


def _check_scale(values: pd.Series, task: TaskInfo, where: str) -> None:
    transform = TRANSFORMS[task.transform]
    wrong = values[values.notna() & ~transform.valid(values)]
    if len(wrong):
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise InputError(
            f"{where}: transform {task.transform} meets {wrong.iloc[0]:g} (sample {wrong.index[0]!r}{more}); expected "
            f"{transform.domain}, or transform: none"
        )


def _of_some(column: pd.Series, metadata: pd.DataFrame, task: Task, name: str, source: str) -> pd.Series:
    """The label where the task's ``where`` holds, missing elsewhere."""
    for key, value in task.where.items():
        texts = _occurring(value, metadata[key], f"tasks.{name}.where.{key}", source)
        column = column.where(metadata[key].isin(texts))
        if column.isna().all():
            raise InputError(
                f"{source}: tasks.{name}.where: no label of column {column.name!r} where {key} is {value!r}"
            )
    return column


def categories(column: pd.Series, classes: tuple[str, ...] | None = None) -> pd.Series:
    """A text column as categories, sorted unless ``classes`` gives their order."""
    levels = list(classes) if classes is not None else sorted(column.dropna().unique())
    return pd.Series(pd.Categorical(column, categories=levels), index=column.index, name=column.name)


def _some(column: pd.Series, where: str) -> None:
    if column.isna().all():
        raise InputError(f"{where} is empty for all {len(column)} samples; expected a value for some of them")


def _classes(column: pd.Series, name: str, task: Task, source: str, qc: QcList) -> tuple[pd.Series, tuple[str, ...]]:
    where = f"{source}: tasks.{name}: column {column.name!r}"
    if task.kind == "binary":
        return _binary(column, name, task, source, qc)
    if task.classes is None:
        classes = tuple(sorted(column.dropna().unique()))
        meaning = {c: c for c in classes}
    else:
        found = {str(value): _occurring(value, column, f"tasks.{name}.classes", source) for value in task.classes}
        meaning = {text: texts[0] for texts in found.values() for text in texts}
        classes = tuple(texts[0] for texts in found.values())
    if len(set(classes)) < 2:
        raise InputError(f"{where}: found one class only ({classes[0]!r}); a {task.kind} task needs at least two")
    _note_ignored(column, meaning, name, qc)
    return categories(column.map(meaning), classes), classes


def _binary(column: pd.Series, name: str, task: Task, source: str, qc: QcList) -> tuple[pd.Series, tuple[str, str]]:
    where = f"{source}: tasks.{name}: column {column.name!r}"
    positives = _occurring(task.positive, column, f"tasks.{name}.positive", source)
    others = sorted(set(column.dropna()) - set(positives))
    if not others:
        raise InputError(
            f"{where}: found one class only ({positives[0]!r}); a binary task needs samples of the other class too"
        )
    positive = positives[0]
    if task.negative is not None:
        negatives = _occurring(task.negative, column, f"tasks.{name}.negative", source)
        if set(negatives) & set(positives):
            raise InputError(f"{source}: tasks.{name}.negative: {task.negative!r} is the positive value too")
        negative = negatives[0]
    elif len(others) == 1:
        negatives, negative = others, others[0]
    else:
        negatives, negative = others, f"not {positive}"
        detail = f"{listing(others)} pooled as {negative!r}; tasks.{name}.negative restricts it to one of them"
        qc.add([f"tasks.{name}"], "note", "classes pooled", detail)
    meaning = dict.fromkeys(positives, positive) | dict.fromkeys(negatives, negative)
    _note_ignored(column, meaning, name, qc)
    classes = (negative, positive)
    return categories(column.map(meaning), classes), classes


def _occurring(value: str | int | float | bool, column: pd.Series, key: str, source: str) -> list[str]:
    texts = matching(value, column.dropna())
    if not texts:
        found = column.value_counts()
        shown = listing([f"{v} ({n})" for v, n in found.items()], 8)
        raise InputError(f"{source}: {key}: {value!r} never occurs in column {column.name!r}; found: {shown}")
    return texts


def _note_ignored(column: pd.Series, meaning: dict[str, str], name: str, qc: QcList) -> None:
    ignored = column[column.notna() & ~column.isin(list(meaning))].value_counts()
    if len(ignored):
        detail = listing([f"{value} ({n})" for value, n in ignored.items()])
        qc.add([f"tasks.{name}"], "note", "values set to missing", detail)


def _twins_agree(
    name: str, task: TaskInfo, labels: pd.Series, values: pd.Series, covariate: Covariate, source: str
) -> None:
    """A task and a covariate of one name share their column of the cohort."""
    valid = "categorical" if task.is_class else "continuous"
    if covariate.kind != valid:
        raise InputError(
            f"{source}: covariates.{name}.kind: found {covariate.kind}; the {task.kind} task of that name needs {valid}"
        )
    if task.is_class and not np.array_equal(labels.astype(str).to_numpy(), values.astype(str).to_numpy()):
        raise InputError(
            f"{source}: tasks.{name} pools or leaves out values that covariates.{name} keeps: give one another name"
        )
