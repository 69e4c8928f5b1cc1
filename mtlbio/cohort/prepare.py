"""The first step: raw files to ``cohort.h5ad``, ``qc.tsv`` and ``splits.tsv``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from mtlbio.cohort.check import check_gene_sets
from mtlbio.cohort.cohort import Cohort, CovariateInfo, write_cohort
from mtlbio.cohort.composition_covariates import with_estimates
from mtlbio.cohort.leak import say_leaks
from mtlbio.cohort.qc import QcList, quality_control
from mtlbio.cohort.read import Raw, read
from mtlbio.cohort.samples import auxiliary_apart, checked, list_missing_covariates, samples_of
from mtlbio.cohort.split import make_splits
from mtlbio.cohort.twins import check_twins
from mtlbio.files import replacing
from mtlbio.intake.notes import noticing
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label
from mtlbio.progress import say
from mtlbio.tables import QC, SITE_SPLITS, SPLITS, write_table

# reason of a row of qc.tsv that a person should look at
DOUBTFUL = "to be looked at"
Made: TypeAlias = Callable[[Any], tuple[Cohort, QcList]]  # a run -> its cohort, and what was dropped


def prepare(run: DonorRun, results: Path, made: Made | None = None) -> None:
    """Read, check, reduce to samples of donors, filter, normalise and split.

    The folder ``results`` receives ``cohort.h5ad``, ``qc.tsv`` and ``splits.tsv``: all three or none; with
    ``splits.also`` then ``sites/splits.tsv`` too. ``made`` makes
    the cohort of a run whose data are in memory; that of the run's files where left out.

    Raises
    ------
    InputError
        Whatever is wrong with the input, in one line; nothing is written then.
    """
    cohort, qc = build_cohort(run, made)
    splits, of_sites = make_splits(cohort, run.splits), splits_of_sites(run, cohort)
    paths = [Path(results) / name for name in ("cohort.h5ad", "qc.tsv", "splits.tsv")]
    with replacing(paths[0]) as cohort_path, replacing(paths[1]) as qc_path, replacing(paths[2]) as splits_path:
        write_cohort(cohort, cohort_path)
        write_table(qc.table(), qc_path, QC)
        write_table(splits, splits_path, SPLITS)
    if of_sites is not None:
        write_table(of_sites, Path(results) / SITE_SPLITS, SPLITS)
    for item, _, _, detail in [row for row in qc.rows if row[2] == DOUBTFUL]:
        say(f"Warning: {item}: {detail}")
    say(
        f"{run.run}: {len(cohort.samples)} samples of {len(set(cohort.donors))} donors x {len(cohort.genes)} "
        f"{kind_of(run).columns}, {splits['fold'].nunique()} folds"
    )


def check(run: DonorRun) -> None:
    """All that :func:`prepare` would object to, without writing anything: for a look before any job starts."""
    cohort = build_cohort(run)[0]
    make_splits(cohort, run.splits)
    splits_of_sites(run, cohort)


def splits_of_sites(run: DonorRun, cohort: Cohort) -> pd.DataFrame | None:
    """Folds of the whole levels that ``splits.also`` holds out; None where the run has none."""
    options = run.splits.of_sites
    return None if options is None else make_splits(cohort, options, "splits.also")


def build_cohort(run: DonorRun, made: Made | None = None) -> tuple[Cohort, QcList]:
    """The cohort that a run describes, and the list of what was dropped and noticed on the way.

    ``made``: as of :func:`prepare`.
    """
    with noticing() as notes:
        cohort, qc = (made or kind_of(run).part("prepare", "cohort"))(run)
    for note in notes:
        qc.add([Path(note.path).name], "note", DOUBTFUL if note.doubt else "as it was read", note.text)
    return cohort, qc


def build_roster(run: DonorRun) -> tuple[pd.DataFrame, dict[str, Label], dict[str, CovariateInfo], QcList]:
    """``obs``, tasks and covariates of the cohort that a run describes, as :func:`build_cohort` gives them, without
    reading the measurements: samples that only their quality would drop are still there. Where composition is to be
    estimated from the measurements they are read."""
    if run.estimated:
        return roster_of(run, *build_cohort(run))
    qc = QcList()
    raw = kind_of(run).part("prepare", "roster")(run, qc)
    _, obs, tasks, covariates = samples_of(run, raw, qc)
    obs = checked(run, obs, tasks, covariates, raw.source)
    list_missing_covariates(obs, list(covariates), qc)
    with_more = kind_of(run).part("prepare", "roster_covariates", missing=(obs, covariates))
    obs, covariates = with_more(run, obs, covariates)
    return obs, tasks, covariates, qc


def roster_of(
    run: DonorRun, cohort: Cohort, qc: QcList
) -> tuple[pd.DataFrame, dict[str, Label], dict[str, CovariateInfo], QcList]:
    """What :func:`build_roster` gives, of a cohort that was built."""
    tasks = cohort.tasks | cohort.auxiliary
    return cohort.obs, {name: tasks[name] for name in run.tasks}, cohort.covariates, qc


def cohort_of_measurements(run: DonorRun) -> tuple[Cohort, QcList]:
    """The cohort of a run whose samples were measured: genes after quality control and normalisation."""
    qc = QcList()
    say(f"{run.run}: reading {Path(run.measured.path).name}")
    return cohort_from(run, read(run, qc), qc)


def cohort_from(run: DonorRun, raw: Raw, qc: QcList) -> tuple[Cohort, QcList]:
    """The cohort of measurements that were read, or that are in memory; ``qc`` goes on with what was dropped so far."""
    data, obs, tasks, covariates = samples_of(run, raw, qc)
    measured = data.dense()
    say_leaks(measured, data.genes, obs, tasks, data.source, table=False)
    values, samples, genes, size = quality_control(
        measured, data.samples, data.genes, run.measured.scale, run.qc, qc, data.source
    )
    obs, names = checked(run, obs[samples], tasks, covariates, raw.source), data.genes[genes]
    check_twins(values, obs, run.qc.twins == "keep", qc, data.source)
    check_gene_sets(run, names, data.source, qc)
    list_missing_covariates(obs, list(covariates), qc)
    obs, covariates = with_estimates(run, values, names, obs, covariates, data.source, qc)
    preprocessing: dict[str, Any] = {"kind": run.kind, "scale": run.measured.scale, "size": size}
    for key, value in (("layer", run.measured.layer), ("genes", run.measured.genes)):
        if value is not None:
            preprocessing[key] = value  # new samples lie there too
    cohort = Cohort(values, tuple(str(g) for g in names), obs, tasks, covariates, preprocessing)
    return auxiliary_apart(cohort, run), qc
