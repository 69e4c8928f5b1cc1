"""Whether the design can be analysed at all: one clear line before any work starts."""

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.cohort.family import clusters_of, families_of
from mtlbio.cohort.genesets import load_sets
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.split import FOLDS
from mtlbio.errors import InputError, listing
from mtlbio.intake.missing_words import is_no_value
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label, label_kind

# What a person has once: two values within a donor are a mistake in the table, not a course of events.
_FIXED_COVARIATES = ("sex", "gender")
_FIXED_TASKS = ("disease", "diagnosis", "case", "status")

# An average of more samples per donor than this, without pseudobulk, are cells.
_MAX_SAMPLES_PER_DONOR = 50
_MIN_COMMON_GENES = 3
# A categorical covariate with more levels than this that are all numbers is likely a measurement.
_MAX_NUMERIC_LEVELS = 10


def unit_is_cell(rows: int, donors: int) -> bool:
    """Whether so many rows per donor can only be single cells."""
    return rows > _MAX_SAMPLES_PER_DONOR * max(donors, 1)


def check_unit(run: DonorRun, obs: pd.DataFrame, source: str) -> None:
    """Refuse single cells that would be taken for samples."""
    if run.pseudobulk is not None:
        return
    donors = obs["donor"].nunique()
    if unit_is_cell(len(obs), donors):
        raise InputError(
            f"{source}: {len(obs)} samples of {donors} donors look like single cells; add "
            f"`pseudobulk: {{by: [...]}}` to the run (`by`: columns such as condition or cell_type)"
        )


def check_fixed(run: DonorRun, obs: pd.DataFrame, source: str) -> None:
    """Refuse donors recorded with two sexes or two diagnoses.

    Most of what is known about a donor may change from visit to visit (age, treatment, response). Two kinds of column
    may not: a categorical confounder called sex or gender, and a class task called disease, diagnosis, case or status
    (by its name or its column).
    """
    covariates = [
        (f"covariates.{name}", name, run.covariate_column(name), _FIXED_COVARIATES)
        for name, covariate in run.covariates.items()
        if covariate.role == "confounder" and covariate.kind == "categorical"
    ]
    tasks = [
        (f"tasks.{name}", name, run.task_column(name), _FIXED_TASKS)
        for name, task in run.tasks.items()
        if not label_kind(task.kind).averaged
    ]
    for key, name, column, fixed in covariates + tasks:
        if name.lower() not in fixed and column.lower() not in fixed:
            continue
        levels = obs.groupby("donor", observed=True)[name].nunique()
        twice = levels.index[levels > 1]
        if len(twice):
            hint = " (a label that may change between visits needs another name)" if key.startswith("tasks") else ""
            values = sorted(obs.loc[obs["donor"] == twice[0], name].dropna().unique())
            nobody = [str(donor) for donor in twice if is_no_value(str(donor))]
            if nobody:  # several people in one
                hint += f"; if {nobody[0]!r} is no donor, write missing: [{nobody[0]!r}] under metadata"
            raise InputError(
                f"{source}: {key}: donor(s) {listing(twice, 5)} recorded with two values ({listing(values)} for "
                f"{twice[0]}); expected one per donor: correct the table{hint}"
            )


def check_design(
    run: DonorRun, obs: pd.DataFrame, tasks: dict[str, Label], covariates: dict[str, CovariateInfo], source: str
) -> None:
    """Check labels, covariates and folds of the samples that are left after quality control.

    Raises
    ------
    InputError
        Fewer (labelled) donors or families than folds, a constant label or covariate, an identifier declared as
        covariate, a held out level without labels, or one without which a class cannot be learnt.
    """
    folds = (run.splits.folds or FOLDS) if run.splits.kind == "donor" else 2
    donors = obs["donor"].nunique()
    if donors < folds:
        raise InputError(
            f"{source}: splits.folds: {folds} folds need as many donors; found {donors} donor(s) in column "
            f"{run.metadata.donor!r} after quality control"
        )
    for name, task in tasks.items():
        task.check_labels(obs[["donor", name]].dropna(), folds, f"{source}: tasks.{name}")
    if run.splits.kind == "donor" and families_of(obs) is not None:
        _check_families(f"{source}: metadata.family: column {run.metadata.family!r}", obs, tasks, folds)
    for name, covariate in covariates.items():
        _check_covariate(f"{source}: covariates.{name}", obs[["donor", name]].dropna(), covariate)
    # folds of several levels are checked when they are made (mtlbio.cohort.split)
    if run.splits.by is not None and run.splits.folds is None:
        _check_leave_out(f"{source}: splits.by: {run.splits.by}", obs, run.splits.by, tasks)
    also = run.splits.also
    if also is not None and also.folds is None:
        _check_leave_out(f"{source}: splits.also.by: {also.by}", obs, also.by, tasks)


def _check_covariate(where: str, labelled: pd.DataFrame, covariate: CovariateInfo) -> None:
    values, pairs = labelled[covariate.name], labelled.drop_duplicates()
    levels = values.nunique()
    if levels < 2:
        raise InputError(f"{where}: one value only ({listing(values.unique())}): it can explain nothing; leave it out")
    if covariate.kind == "continuous":
        return
    numeric = pd.to_numeric(values.astype(object), errors="coerce").notna().all()
    # chips and plates are whole numbers, measurements are not
    measured = covariate.name.lower() == "age" or values.astype(str).str.contains(r"\.\d*[1-9]", regex=True).any()
    if levels > _MAX_NUMERIC_LEVELS and numeric and measured:
        raise InputError(
            f"{where}: {levels} levels that are all numbers (such as {values.iloc[0]}) declared as categorical; "
            f"expected kind: continuous"
        )
    if levels > 2 and levels > 0.8 * len(values):
        raise InputError(
            f"{where}: {levels} levels in {len(values)} samples look like an identifier; a categorical covariate needs "
            f"several samples per level (a number: kind: continuous)"
        )
    if levels > 2 and len(pairs) == levels == pairs["donor"].nunique() and len(values) > levels:
        raise InputError(f"{where}: one level per donor ({levels}): that is the donor itself; leave it out")


def _check_families(where: str, obs: pd.DataFrame, tasks: dict[str, Label], folds: int) -> None:
    """A fold holds whole families, so there have to be as many of them, and of those with every class."""
    families = clusters_of(obs)
    found = len(np.unique(families))
    if found < folds:
        raise InputError(f"{where}: {folds} folds (splits.folds) need as many families; found {found}")
    for name, task in tasks.items():
        known = obs[name].notna().to_numpy()
        for label in task.classes or (None,):
            carriers = known if label is None else known & (obs[name].astype(object) == label).to_numpy()
            count = len(np.unique(families[carriers]))
            if count < folds:
                what = f"a label of tasks.{name}" if label is None else f"class {label!r} of tasks.{name}"
                raise InputError(
                    f"{where}: {count} families with {what}, fewer than the {folds} folds; lower splits.folds"
                )


def _check_leave_out(where: str, obs: pd.DataFrame, by: str, tasks: dict[str, Label]) -> None:
    for level, held_out in obs.groupby(by, observed=True):
        if held_out[list(tasks)].isna().to_numpy().all():
            raise InputError(f"{where} {level!r} holds no label of any task ({len(held_out)} samples): nothing to test")
        training = obs[~np.isin(clusters_of(obs), clusters_of(held_out))]
        for name, task in tasks.items():
            lack = task.lacks(training[name].dropna())
            if lack:
                raise InputError(
                    f"{where}: holding out {level!r} (and its {held_out['donor'].nunique()} donors) leaves {lack} to "
                    f"train tasks.{name} on; expected every class outside each level"
                )


def check_gene_sets(run: DonorRun, genes: np.ndarray, source: str, qc: QcList) -> None:
    """Refuse a GMT file that shares fewer than three genes with the cohort in every set."""
    sets, cohort_genes = load_sets(run.gene_sets), set(genes)
    if not sets or max(len(cohort_genes.intersection(members)) for members in sets.values()) >= _MIN_COMMON_GENES:
        return
    example = next((g for members in sets.values() for g in members), "(none)")
    common = (
        f"no set shares {_MIN_COMMON_GENES} genes with {source} (cohort: {listing(genes, 2)}; sets: {example}, ...)"
    )
    if run.gene_sets != "builtin":
        raise InputError(f"{run.gene_sets}: gene_sets: {common}; expected the same kind of identifier")
    qc.add(["gene_sets"], "note", "no gene in common", f"builtin: {common}")
