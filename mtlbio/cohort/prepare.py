"""The first step: raw files to ``cohort.h5ad``, ``qc.tsv`` and ``splits.tsv``."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pandas as pd

from mtlbio.cohort.check import check_design, check_fixed, check_gene_sets, check_unit
from mtlbio.cohort.cohort import Cohort, CovariateInfo, write_cohort
from mtlbio.cohort.encode import encode
from mtlbio.cohort.measurements import Measurements, check_values
from mtlbio.cohort.pseudobulk import pseudobulk
from mtlbio.cohort.qc import QcList, quality_control
from mtlbio.cohort.read import Raw, read, read_features, read_roster
from mtlbio.cohort.split import make_splits
from mtlbio.cohort.tabular import plan_of
from mtlbio.config import Run
from mtlbio.errors import InputError
from mtlbio.labels import Label
from mtlbio.progress import say
from mtlbio.tables import QC, SPLITS, write_table


def prepare(run: Run, results: Path) -> None:
    """Read, check, reduce to samples of donors, filter, normalise and split.

    Parameters
    ----------
    run
        The run (:func:`mtlbio.config.load_run`).
    results
        Folder that receives ``cohort.h5ad``, ``qc.tsv`` and ``splits.tsv``: all three or none.

    Raises
    ------
    InputError
        Whatever is wrong with the input, in one line; nothing is written then.
    """
    cohort, qc = build_cohort(run)
    splits = make_splits(cohort, run.splits)
    results = Path(results)
    results.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=".prepare.", dir=results))
    try:
        write_cohort(cohort, holder / "cohort.h5ad")
        write_table(qc.table(), holder / "qc.tsv", QC)
        write_table(splits, holder / "splits.tsv", SPLITS)
        for name in ("cohort.h5ad", "qc.tsv", "splits.tsv"):
            os.replace(holder / name, results / name)
    finally:
        shutil.rmtree(holder, ignore_errors=True)
    say(
        f"{run.run}: {len(cohort.samples)} samples of {len(set(cohort.donors))} donors x {len(cohort.genes)} "
        f"{'genes' if cohort.table is None else 'columns of features'}, "
        f"{splits['fold'].nunique()} folds"
    )


def check(run: Run) -> None:
    """All that :func:`prepare` would object to, without writing anything: for a look before any job starts."""
    make_splits(build_cohort(run)[0], run.splits)


def build_cohort(run: Run) -> tuple[Cohort, QcList]:
    """The cohort that a run describes, and the list of what was dropped on the way."""
    if run.features is not None:
        return _cohort_of_table(run)
    qc = QcList()
    say(f"{run.run}: reading {Path(run.expression.path).name}")
    raw = read(run, qc)
    data, obs, tasks, covariates = _samples(run, raw, qc)
    values, samples, genes, size = quality_control(
        data.dense(), data.samples, data.genes, run.expression.scale, run.qc, qc, data.source
    )
    obs, names = _without_empty_levels(obs[samples], tasks), data.genes[genes]
    check_design(run, obs, tasks, covariates, raw.source)
    check_gene_sets(run, names, data.source, qc)
    _list_missing_covariates(obs, list(covariates), qc)
    preprocessing = {"scale": run.expression.scale, "size": size}
    auxiliary = {name: info for name, info in tasks.items() if run.tasks[name].auxiliary}
    tasks = {name: info for name, info in tasks.items() if name not in auxiliary}
    return Cohort(values, tuple(str(g) for g in names), obs, tasks, covariates, preprocessing, auxiliary), qc


def _cohort_of_table(run: Run) -> tuple[Cohort, QcList]:
    """The cohort of a run whose features are a table."""
    qc = QcList()
    say(f"{run.run}: reading {Path(run.features.path).name}")
    raw = read_roster(run, qc)
    data, obs, tasks, covariates = _samples(run, raw, qc)
    obs = _without_empty_levels(obs, tasks)
    check_design(run, obs, tasks, covariates, raw.source)
    table = read_features(run)
    plan = plan_of(table.loc[data.samples], table.attrs["numeric"], run.features, run.features.path, qc)
    values = plan.code(table.loc[data.samples], run.features.path)
    _list_missing_covariates(obs, list(covariates), qc)
    preprocessing = {"scale": "table", "size": None, "table": plan.saved(), "sample": run.metadata.sample}
    auxiliary = {name: info for name, info in tasks.items() if run.tasks[name].auxiliary}
    tasks = {name: info for name, info in tasks.items() if name not in auxiliary}
    return Cohort(values, plan.columns, obs, tasks, covariates, preprocessing, auxiliary), qc


def build_roster(run: Run) -> tuple[pd.DataFrame, dict[str, Label], dict[str, CovariateInfo], QcList]:
    """``obs``, tasks and covariates of the cohort that a run describes, as :func:`build_cohort` gives them, without
    reading the measurements: samples that only their quality would drop are still there."""
    qc = QcList()
    raw = read_roster(run, qc)
    _, obs, tasks, covariates = _samples(run, raw, qc)
    obs = _without_empty_levels(obs, tasks)
    check_design(run, obs, tasks, covariates, raw.source)
    _list_missing_covariates(obs, list(covariates), qc)
    return obs, tasks, covariates, qc


def _samples(
    run: Run, raw: Raw, qc: QcList
) -> tuple[Measurements, pd.DataFrame, dict[str, Label], dict[str, CovariateInfo]]:
    """Samples of donors with their labels, before quality control."""
    data, source = raw.measurements, raw.source
    obs, tasks, covariates = encode(run, raw.metadata, source, qc)
    check_unit(run, obs, source)
    check_fixed(run, obs, source)
    if len(data.genes) and run.features is None:
        check_values(data, run.expression.scale)
    if run.pseudobulk is not None:
        numeric = list(obs.select_dtypes("number"))
        by = raw.metadata[list(dict.fromkeys(run.pseudobulk.by))]
        data, obs = pseudobulk(
            data, obs, by, run.expression.scale, run.pseudobulk.min_cells, qc, source, continuous=numeric
        )
    if run.splits.kind == "leave_out":
        placed = obs[run.splits.by].notna().to_numpy()
        qc.add(obs.index[~placed], "sample", "held-out level missing", f"dropped: no {run.splits.by} (splits.by)")
        if not placed.any():
            raise InputError(f"{source}: splits.by: {run.splits.by} is missing for every sample")
        data, obs = data.keep(placed), obs[placed]
    return data, obs, tasks, covariates


def _without_empty_levels(obs: pd.DataFrame, tasks: dict[str, Label]) -> pd.DataFrame:
    """Classes stay as the task has them; levels of a covariate that lost their samples go."""
    obs = obs.copy()
    for column in obs.select_dtypes("category"):
        if column not in tasks:
            obs[column] = obs[column].cat.remove_unused_categories()
    obs.index = obs.index.astype(str)
    return obs


def _list_missing_covariates(obs: pd.DataFrame, covariates: list[str], qc: QcList) -> None:
    """Samples without a covariate stay, but the reader must know of them."""
    missing = obs[covariates].isna()
    incomplete = missing.any(axis=1).to_numpy()
    details = [", ".join(missing.columns[row]) for row in missing.to_numpy()[incomplete]]
    qc.add(obs.index[incomplete], "sample", "covariate missing", details)
