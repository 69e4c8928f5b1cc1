"""The cohort of a run whose samples were measured."""

from __future__ import annotations

from pathlib import Path

from mtlbio.cohort.check import check_gene_sets
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.qc import QcList, quality_control
from mtlbio.cohort.read import read
from mtlbio.cohort.samples import auxiliary_apart, checked, list_missing_covariates, samples_of
from mtlbio.kinds.schemas import CohortRun
from mtlbio.progress import say


def cohort_of_measurements(run: CohortRun) -> tuple[Cohort, QcList]:
    """Genes of samples after quality control and normalisation, and the list of what was dropped on the way."""
    qc = QcList()
    say(f"{run.run}: reading {Path(run.measured.path).name}")
    raw = read(run, qc)
    data, obs, tasks, covariates = samples_of(run, raw, qc)
    values, samples, genes, size = quality_control(
        data.dense(), data.samples, data.genes, run.measured.scale, run.qc, qc, data.source
    )
    obs, names = checked(run, obs[samples], tasks, covariates, raw.source), data.genes[genes]
    check_gene_sets(run, names, data.source, qc)
    list_missing_covariates(obs, list(covariates), qc)
    preprocessing = {"kind": run.kind, "scale": run.measured.scale, "size": size}
    cohort = Cohort(values, tuple(str(g) for g in names), obs, tasks, covariates, preprocessing)
    return auxiliary_apart(cohort, run), qc
