"""The short forms of a notebook: a positive label for a task, a role for a covariate."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.text import suggestion

ROLES = ("confounder", "technical")
FEW = 10  # distinct numbers up to which a column of whole numbers holds codes of levels


def tasks_of(tasks: Mapping[str, Any], obs: pd.DataFrame) -> dict[str, dict]:
    """Tasks as a YAML has them.

    ``{"disease": "SLE"}`` is the binary task of that column whose positive label is SLE; a dictionary is what a YAML
    takes.

    Examples
    --------
    >>> tasks_of({"disease": "SLE"}, pd.DataFrame({"disease": ["SLE", "control"]}))
    {'disease': {'kind': 'binary', 'column': 'disease', 'positive': 'SLE'}}
    """
    out = {}
    for name, said in _mapping(tasks, "tasks").items():
        if isinstance(said, Mapping):
            out[name] = dict(said)
        else:
            check_column(name, obs, f"tasks[{name!r}]")
            out[name] = {"kind": "binary", "column": name, "positive": said}
    return out


def covariates_of(covariates: Mapping[str, Any] | None, obs: pd.DataFrame) -> dict[str, dict]:
    """Covariates as a YAML has them: ``{"age": "confounder"}`` is of the kind that its column holds.

    A column of numbers with fractions or more than ``FEW`` values is continuous, any other categorical.

    Examples
    --------
    >>> covariates_of({"age": "confounder"}, pd.DataFrame({"age": [40.5, 61.0]}))
    {'age': {'role': 'confounder', 'kind': 'continuous'}}
    """
    out = {}
    for name, said in _mapping(covariates or {}, "covariates").items():
        if isinstance(said, Mapping):
            out[name] = dict(said)
            continue
        if said not in ROLES:
            raise InputError(f"covariates[{name!r}]: found {said!r}; valid: {listing(ROLES)}, or a dictionary")
        check_column(name, obs, f"covariates[{name!r}]")
        out[name] = {"role": said, "kind": "continuous" if is_continuous(obs[name]) else "categorical"}
    return out


def is_continuous(values: pd.Series) -> bool:
    """Whether a column holds numbers that measure."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    numbers = values.dropna()
    return bool((numbers % 1 != 0).any() or numbers.nunique() > FEW)


def check_column(name: str, obs: pd.DataFrame, where: str) -> None:
    """An InputError where ``obs`` has no such column."""
    if name not in obs.columns:
        raise InputError(f"{where}: no column {name!r} in obs; {suggestion(name, obs.columns)}")


def _mapping(said: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise InputError(f"{key}: found {type(said).__name__}; expected a dictionary such as {{name: ...}}")
    return said
