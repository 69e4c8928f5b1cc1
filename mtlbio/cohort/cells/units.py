"""What makes a sample of the cells of a donor: no two time points, treatments or tissues may be put together.

A sum over the cells before and after a treatment has lost what the study was made for, and nothing in it says so.
"""

from collections.abc import Iterator

import pandas as pd

from mtlbio.cohort.drafts import guess
from mtlbio.cohort.drafts.guess import has_word, is_derived, words
from mtlbio.errors import listing
from mtlbio.intake.notes import notice
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import label_kind
from mtlbio.text import as_text

# what changes in a donor from sample to sample
_CONDITIONS = (
    *guess.CONDITION,
    *guess.DISEASE,
    *("time", "timepoint", "timepoints", "tp", "visit", "day", "days", "week", "month", "hour", "hours", "cycle"),
    *("treated", "stimulus", "stimulated", "perturbation", "perturbed", "guide", "drug", "compound", "dose", "dosage"),
    *("challenge", "vaccination", "therapy", "intervention", "exposure", "state", "stage", "tissue", "organ", "region"),
    *("compartment", "site", "location", "anatomical", "lesion", "side", "biopsy", "tumor", "tumour", "genotype"),
    *("type", "pathology", "origin"),
)
# a name of what went onto the machine together
_SAMPLES = (
    *("sample", "sample_id", "sampleid", "sample_name", "sample_uuid", "library", "library_id", "library_uuid"),
    *("orig.ident", "orig_ident", "specimen", "specimen_id", "biosample", "biosample_id", "gsm", "channel"),
)
# columns that only single cells have, or whose values many cells of a donor share
_TYPES = (
    *("cell_type", "celltype", "cell_types", "celltypes", "author_cell_type", "predicted_celltype"),
    *("leiden", "louvain", "seurat_clusters", "cluster", "clusters", "cell_subtype", "annotation", "phase"),
    *("suspension_type",),
)
# words of what is said of a cell
_OF_CELLS = (
    *("cell", "cells", "celltype", "cluster", "clusters", "leiden", "louvain", "annotation", "pseudotime", "phase"),
    *("doublet", "singlet", "demux", "hto", "hash", "qc", "filter", "malignancy", "annotated"),
    *("latent", "n", "pct", "percent", "ontology", "suspension", "barcode", "development", "developmental"),
)
_BARCODE = r"(?<![A-Za-z])[ACGT]{12,}(?![A-Za-z])"
_FEW_CELLS = 5  # on average of a donor and a type
_LEAST_CELLS = 10  # on average in a sample: of fewer a column says something of cells


def look_like_cells(table: pd.DataFrame, donor: str) -> bool:
    """Whether rows can only be cells though they are few: by their names (``AAACCTGAGAAACCAT-1``), or because several
    of them share a donor and a type of cell, which bulk samples of sorted cells do not.

    Parameters
    ----------
    table : one row per cell or sample, text
    donor : its column of donors
    """
    table = table.rename_axis(index=None)
    if len(table) <= table[donor].nunique():
        return False
    named = bool(table.index.astype(str).str.contains(_BARCODE).mean() > 0.9)
    types = [column for column in table.columns if column.lower().replace(".", "_") in _TYPES]
    return named or any(table.groupby([donor, c]).ngroups * _FEW_CELLS <= table[c].notna().sum() > 0 for c in types)


def is_condition(column: str) -> bool:
    """Whether a name is that of something that may change in a donor from sample to sample."""
    said_of_cells = any(word in _OF_CELLS for word in words(column))
    return has_word(column, _CONDITIONS) and not said_of_cells and not is_derived(column)


def is_sample(column: str) -> bool:
    """Whether a name is that of the samples that the cells came in."""
    return column.lower() in _SAMPLES


def sample_columns(table: pd.DataFrame, donor: str) -> tuple[list[str], list[str]]:
    """The columns that make a sample of the cells of a donor, and what there is to say about them.

    Those with the name of a condition that take several values within a donor; then the name of the sample, where each
    is of one donor and it tells apart what the conditions do not. A column that follows from those before it is not
    needed.

    Parameters
    ----------
    table : one row per cell, text
    donor : its column of donors
    """
    table = table[table[donor].notna()].rename_axis(index=None)  # an index may be called like a column
    by: list[str] = []
    for column in [*filter(is_condition, table.columns), *filter(is_sample, table.columns)]:
        values = table[column]
        if column == donor or values.nunique() < 2 or not _splits(table, [donor, *by], column):
            continue
        if is_sample(column) and (table.groupby(column, observed=True)[donor].nunique() > 1).any():
            continue
        groups = table.groupby([donor, *by, column], observed=True).ngroups
        if groups * _LEAST_CELLS <= len(table):
            by.append(column)
    mixed = [c for c in table.columns if c not in by and (_is_of_processing(c) or is_sample(c)) and c != donor]
    notes = [
        f"pseudobulk: {found} are put together: add {column} to by if they are samples of their own"
        for column, found in _mixed(table, [donor, *by], mixed)
    ]
    return by, notes


def tell_mixed(run: DonorRun, table: pd.DataFrame, source: str) -> None:
    """Say which columns of the description take several values within a sample of a run that has no word for them.

    A doubt of what has the name of a condition, and of numbers that are labels: their mean is taken.
    """
    if run.pseudobulk is None:
        return
    unit = list(dict.fromkeys([run.metadata.donor, *run.pseudobulk.by]))
    labels = {
        column: name
        for name, task in run.tasks.items()
        for column in run.task_columns(name).values()
        if label_kind(task.kind).averaged
    }
    told = [c for c in table.columns if c not in unit and (is_condition(c) or is_sample(c) or c in labels)]
    asked = pd.DataFrame({c: as_text(table[c]) for c in [*unit, *told]}).rename_axis(index=None)
    for column, found in _mixed(asked, unit, told):
        if column in labels:
            notice(source, f"tasks.{labels[column]}: {found} are averaged", doubt=True)
        else:
            end = f"put together: add {column} to pseudobulk.by, unless that is meant"
            notice(source, f"pseudobulk: {found} are {end}", doubt=is_condition(column))


def _mixed(table: pd.DataFrame, unit: list[str], columns: list[str]) -> Iterator[tuple[str, str]]:
    """Columns that take several values within a unit, with an example in words."""
    for column in columns:
        levels = table.groupby(unit, observed=True)[column].nunique()
        if not (levels > 1).any():
            continue
        first = levels.index[levels > 1][0]
        first = first if isinstance(first, tuple) else (first,)
        rows = (table[unit] == list(first)).all(axis=1)
        values = sorted(table.loc[rows, column].dropna().unique())
        yield column, f"cells of several values of {column!r} in one sample ({' x '.join(first)}: {listing(values, 4)})"


def _splits(table: pd.DataFrame, unit: list[str], column: str) -> bool:
    return bool((table.groupby(unit, observed=True)[column].nunique() > 1).any())


def _is_of_processing(column: str) -> bool:
    return has_word(column, guess.TECHNICAL) and not has_word(column, guess.POSITION) and not is_derived(column)
