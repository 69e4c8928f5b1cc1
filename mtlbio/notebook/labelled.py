"""Labels of an estimator: what a column of ``y`` says, as a task, and predictions in its own values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.text import as_text, suggestion


def frame_of_labels(y, index: pd.Index) -> pd.DataFrame:
    """``y`` (n,) or (n, tasks) as a DataFrame with the samples' names; columns without a name are y, or y1, y2 ...

    Raises
    ------
    InputError
        Another number of rows than ``index``, other names, or no column.
    """
    if isinstance(y, pd.DataFrame | pd.Series):
        table = y.to_frame(y.name if y.name is not None else "y") if isinstance(y, pd.Series) else y.copy()
    else:
        values = np.asarray(y, dtype=object) if not isinstance(y, np.ndarray) else y
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2:
            raise InputError(f"y: found an array of {values.ndim} dimensions; expected (samples,) or (samples, tasks)")
        names = ["y"] if values.shape[1] == 1 else [f"y{i + 1}" for i in range(values.shape[1])]
        table = pd.DataFrame(values, columns=names).infer_objects()
        table.index = index[: len(table)] if len(table) <= len(index) else table.index
    if len(table) != len(index):
        raise InputError(f"y: found {len(table)} rows; expected one per row of X, {len(index)}")
    if not table.shape[1]:
        raise InputError("y: found no column; expected one per task")
    if set(table.index) != set(index):
        raise InputError(f"y: found the names {listing(table.index, 3)}; expected those of X, {listing(index, 3)}")
    table = table.loc[index] if table.index.is_unique else table
    table.columns = [str(name) for name in table.columns]
    return table


def tasks_of_labels(y: pd.DataFrame, tasks: Mapping[str, Any] | None) -> dict[str, Any]:
    """Tasks of the columns of ``y`` as a YAML has them; what ``tasks`` says of a column stands.

    Two different values are a binary task, whose positive class is the last one in their order; more numbers are
    regression, more texts a multiclass task.

    Examples
    --------
    >>> tasks_of_labels(pd.DataFrame({"age": [40.5, 61.0, 33.0], "sex": ["f", "m", None]}), None)
    {'age': {'kind': 'regression', 'column': 'age'}, 'sex': {'kind': 'binary', 'column': 'sex', 'positive': 'm'}}
    """
    if tasks is not None:
        absent = [name for name in tasks if name not in y.columns]
        absent = [name for name in absent if not (isinstance(tasks[name], Mapping) and _names_some(tasks[name], y))]
        if absent:
            raise InputError(f"tasks[{absent[0]!r}]: no column {absent[0]!r} in y; {suggestion(absent[0], y.columns)}")
        return dict(tasks)
    return {name: _task(name, y[name]) for name in y.columns}


def _names_some(task: Mapping, y: pd.DataFrame) -> bool:
    """Whether a task says which columns it reads."""
    return "column" in task or any(isinstance(value, str) and value in y.columns for value in task.values())


def _task(name: str, column: pd.Series) -> dict[str, Any]:
    values = column.dropna().unique()
    if len(values) < 2:
        raise InputError(f"y: column {name!r} holds {len(values)} value(s); expected two or more, or leave it out")
    if len(values) == 2:
        return {"kind": "binary", "column": name, "positive": str(as_text(pd.Series(sorted(values, key=_order)))[1])}
    numeric = pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype)
    return {"kind": "regression" if numeric else "multiclass", "column": name}


def _order(value):
    return (isinstance(value, str), value)


def own_values(column: pd.Series) -> dict[str, Any]:
    """Text under which a value is read -> the value."""
    values = pd.Series(column.dropna().unique())
    return dict(zip(as_text(values), values, strict=True))
