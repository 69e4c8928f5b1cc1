"""From what the files say to samples of donors with their labels, whatever was measured of them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from mtlbio.cohort.check import check_design, check_fixed, check_unit
from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.encode import encode
from mtlbio.cohort.measurements import Measurements, check_values
from mtlbio.cohort.pseudobulk import pseudobulk
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import Raw
from mtlbio.errors import InputError
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label


def samples_of(
    run: DonorRun, raw: Raw, qc: QcList
) -> tuple[Measurements, pd.DataFrame, dict[str, Label], dict[str, CovariateInfo]]:
    """Samples of donors with their labels, before quality control; of a roster the measurements have no genes."""
    data, source = raw.measurements, raw.source
    obs, tasks, covariates = encode(run, raw.metadata, source, qc)
    check_unit(run, obs, source)
    check_fixed(run, obs, source)
    if len(data.genes):
        check_values(data, run.measured.scale)
    if run.pseudobulk is not None:
        numeric = list(obs.select_dtypes("number"))
        by = raw.metadata[list(dict.fromkeys(run.pseudobulk.by))]
        data, obs = pseudobulk(
            data, obs, by, run.measured.scale, run.pseudobulk.min_cells, qc, source, continuous=numeric
        )
    if run.splits.kind == "leave_out":
        placed = obs[run.splits.by].notna().to_numpy()
        qc.add(obs.index[~placed], "sample", "held-out level missing", f"dropped: no {run.splits.by} (splits.by)")
        if not placed.any():
            raise InputError(f"{source}: splits.by: {run.splits.by} is missing for every sample")
        data, obs = data.keep(placed), obs[placed]
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
