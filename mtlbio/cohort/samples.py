"""From what the files say to samples of donors with labels and covariates, whatever was measured of them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cells.pseudobulk import pseudobulk
from mtlbio.cohort.check import check_design, check_fixed, check_unit
from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.family import FAMILY, ORDER, read_families, read_order
from mtlbio.cohort.leak import say_leaking_covariates
from mtlbio.cohort.measurements import Measurements, check_values
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import Raw
from mtlbio.config import Covariate
from mtlbio.errors import InputError
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label, TaskSection, label_kind
from mtlbio.labels.classes import categories, occurring
from mtlbio.text import numbers


def samples_of(
    run: DonorRun, raw: Raw, qc: QcList, scale: str | None = None
) -> tuple[Measurements, pd.DataFrame, dict[str, Label], dict[str, CovariateInfo]]:
    """Samples of donors with their labels, before quality control; of a roster the measurements have no genes.

    ``scale``: of the values, that of ``expression`` where left out.
    """
    data, source = raw.measurements, raw.source
    if scale is None and getattr(run, "expression", None) is not None:  # a table of features has no scale
        scale = run.measured.scale
    obs, tasks, covariates = encode(run, raw.metadata, source, qc)
    check_unit(run, obs, source)
    check_fixed(run, obs, source)
    if len(data.genes) and run.pseudobulk is None:
        check_values(data, str(scale))
    if run.pseudobulk is not None:  # which checks the values of cells as it reads them
        by = raw.metadata[list(dict.fromkeys(run.pseudobulk.by))]
        # numbers that stand for something else (places of records) have no mean
        whole = [name for name, label in tasks.items() if not label.averaged and obs[name].dtype.kind == "f"]
        obs = obs.astype(dict.fromkeys(whole, "category"))
        data, obs = pseudobulk(data, obs, by, str(scale), run.pseudobulk.min_cells, qc, source)
        obs = obs.astype(dict.fromkeys(whole, float))
    if run.splits.kind == "leave_out":
        placed = obs[run.splits.by].notna().to_numpy()
        qc.add(obs.index[~placed], "sample", "held-out level missing", f"dropped: no {run.splits.by} (splits.by)")
        if not placed.any():
            raise InputError(f"{source}: splits.by: {run.splits.by} is missing for every sample")
        data, obs = data.keep(placed), obs[placed]
    say_leaking_covariates(obs, tasks, covariates, source)
    return data, obs, tasks, covariates


def checked(
    run: DonorRun, obs: pd.DataFrame, tasks: dict[str, Label], covariates: dict[str, CovariateInfo], source: str
) -> pd.DataFrame:
    """``obs`` of a design that can be analysed: levels of covariates that lost their samples go, classes stay."""
    obs = obs.copy()
    for column in obs.select_dtypes("category").columns.difference(list(tasks)):
        obs[column] = obs[column].cat.remove_unused_categories()
    obs.index = obs.index.astype(str)
    check_design(run, obs, tasks, covariates, source)
    return obs


def list_missing_covariates(obs: pd.DataFrame, covariates: list[str], qc: QcList) -> None:
    """Samples without a covariate stay, but the reader must know of them."""
    missing = obs[covariates].isna()
    incomplete = missing.any(axis=1).to_numpy()
    details = [", ".join(missing.columns[row]) for row in missing.to_numpy()[incomplete]]
    qc.add(obs.index[incomplete], "sample", "covariate missing", details)


def auxiliary_apart(cohort: Cohort, run: DonorRun) -> Cohort:
    """The cohort with its auxiliary tasks apart from those that are predicted."""
    auxiliary = {name: info for name, info in cohort.tasks.items() if run.tasks[name].auxiliary}
    predicted = {name: info for name, info in cohort.tasks.items() if name not in auxiliary}
    return replace(cohort, tasks=predicted, auxiliary=auxiliary)


def encode(
    run: DonorRun, metadata: pd.DataFrame, source: str, qc: QcList
) -> tuple[pd.DataFrame, dict[str, Label], dict[str, CovariateInfo]]:
    """Donor, tasks and covariates of every sample.

    Parameters
    ----------
    metadata : text table, one row per sample (:func:`mtlbio.cohort.read.read`)
    qc : takes a note for values that were pooled or set to missing

    Returns
    -------
    obs : ``donor`` and a column per task and covariate (categorical text, or float), missing = NaN; family and order
        of sampling where the run has them
    tasks, covariates : by name, in the order of the YAML; covariates that are recorded

    Raises
    ------
    InputError
        A label that never occurs, text where a number is due, a column without any value, a task and a covariate of
        one name that disagree.
    """
    obs = pd.DataFrame({"donor": metadata[run.metadata.donor].astype(str)}, index=metadata.index)
    family, order = run.metadata.family, run.metadata.order
    if family is not None:
        obs[FAMILY] = read_families(metadata[family], obs["donor"], family, source, qc)
    if order is not None:
        obs[ORDER] = read_order(metadata[order], order, source)
    tasks: dict[str, Label] = {}
    for name, task in run.tasks.items():
        kind, columns = label_kind(task.kind), {}
        for key, column in kind.columns(name, task).items():
            _check_some(metadata[column], f"{source}: tasks.{name}: column {column!r}")
            columns[key] = _where(task, metadata[column], metadata, name, source)
        obs[name], tasks[name] = kind.read(name, task, columns, source, qc.add)
    for name in run.recorded:
        covariate = run.covariates[name]
        column = metadata[run.covariate_column(name)]
        where = f"{source}: covariates.{name}: column {run.covariate_column(name)!r}"
        _check_some(column, where)
        values = numbers(column, where) if covariate.kind == "continuous" else categories(column)
        if name in tasks:  # they share the column of the cohort
            _check_twins(name, tasks[name], obs[name], values, covariate, source)
        else:
            obs[name] = values
    covariates = {}
    for name in run.recorded:
        of = run.covariates[name]
        covariates[name] = CovariateInfo(name, of.role, of.kind, reliability=of.reliability)
    return obs, tasks, covariates


def _where(task: TaskSection, labels: pd.Series, metadata: pd.DataFrame, name: str, source: str) -> pd.Series:
    """Labels where the task's ``where`` holds, missing elsewhere."""
    for key, value in task.where.items():
        texts = occurring(value, metadata[key], f"tasks.{name}.where.{key}", source)
        labels = labels.where(metadata[key].isin(texts))
        if labels.isna().all():
            raise InputError(
                f"{source}: tasks.{name}.where: no label of column {labels.name!r} where {key} is {value!r}"
            )
    return labels


def _check_some(column: pd.Series, where: str) -> None:
    if column.isna().all():
        raise InputError(f"{where} is empty for all {len(column)} samples; expected a value for some of them")


def _check_twins(
    name: str, task: Label, labels: pd.Series, values: pd.Series, covariate: Covariate, source: str
) -> None:
    if not task.as_covariate:
        raise InputError(f"{source}: covariates.{name}: a {task.kind} task has that name: give one another name")
    if covariate.kind != task.as_covariate:
        raise InputError(
            f"{source}: covariates.{name}.kind: found {covariate.kind}; the {task.kind} task of that name needs "
            f"{task.as_covariate}"
        )
    if task.classes and not np.array_equal(labels.astype(str).to_numpy(), values.astype(str).to_numpy()):
        raise InputError(
            f"{source}: tasks.{name} pools or leaves out values that covariates.{name} keeps: give one another name"
        )
