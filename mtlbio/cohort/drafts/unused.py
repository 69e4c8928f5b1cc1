"""Columns of the metadata that a run does not use, and why a draft would not: a word on them before anything is run."""

import pandas as pd

from mtlbio.cohort.cells.h5ad import h5ad_obs
from mtlbio.cohort.drafts import guess
from mtlbio.cohort.drafts.draft_labels import age_column, unfit
from mtlbio.cohort.drafts.draft_values import clean, is_amount_column
from mtlbio.cohort.drafts.drafting import Draft
from mtlbio.cohort.drafts.guess import is_called, is_derived, is_response
from mtlbio.cohort.drafts.guess_columns import time_to_event
from mtlbio.cohort.metadata import read_metadata, text_table, without_row_numbers
from mtlbio.cohort.read import used_columns
from mtlbio.cohort.tabular import named_columns
from mtlbio.intake.notes import Note
from mtlbio.kinds.schemas import DonorRun

_NAMED = 20  # columns
TIME_TO_EVENT = "a time to an event and whether it happened: a task of kind survival reads both (docs/survival.md)"


def unused(run: DonorRun) -> list[Note]:
    """Notes on the metadata's columns that no key of a run names."""
    features = getattr(run, "features", None)
    path = run.metadata.path or (features.path if features is not None else None)
    table = h5ad_obs(run.measured.path) if path is None else read_metadata(path)
    source = f"{run.measured.path} (obs)" if path is None else path
    cells = getattr(run, "pseudobulk", None)
    used = {run.metadata.sample, *used_columns(run, table, source)}
    if features is not None and path == features.path:
        for key in ("numeric", "categories"):
            used |= set(named_columns(getattr(features, key), table.columns, used, source, key))
    table = without_row_numbers(text_table(table), source, keep=run.metadata.sample)
    return of_table(table, used, run.metadata.donor, None if cells is None else list(cells.by), source)


def of_table(table: pd.DataFrame, used: set[str], donor: str, by: list[str] | None, source: str) -> list[Note]:
    """Notes on the columns of a text table that are not ``used``; ``by`` as in :class:`Draft`.

    A doubt for what is called like a label or a confounder and cannot be used as it is; a note that lists the rest.
    """
    left = [c for c in table.columns if c not in used and table[c].notna().any()]
    out = Draft(source, table, donor, by)
    clean(out, [donor])
    age, notes = age_column(out.table[[c for c in out.table.columns if c in left]]), list[Note]()
    times = time_to_event(out.table[left])
    if times:
        notes.append(Note(source, f"not used: {', '.join(times)} ({TIME_TO_EVENT})", True))
    for column in [c for c in left if c not in times]:
        like, reason = _like(column, column == age), ""
        if like == "label":
            trial = Draft(source, out.table, donor, by)
            reason = "" if trial.add_class_task(column, column) else trial.notes[-1].partition(f"{column!r} ")[2]
        elif like:
            reason = unfit(out, column, column == age or is_amount_column(column)) or ""
        if reason and reason != "has one value only" and "where a few groups are due" not in reason:
            notes.append(Note(source, f"column {column!r} is called like a {like} and is not used: it {reason}", True))
    said = " ".join(note.text for note in notes)
    named = [c for c in left if c not in times and not is_derived(c) and repr(c) not in said]
    if named:
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        notes.append(Note(source, f"columns that the run does not use: {', '.join(named[:_NAMED])}{more}"))
    return notes


def _like(column: str, is_age: bool) -> str | None:
    """What a column is called like: a label, a confounder, a name of processing; None for what says nothing."""
    if is_derived(column):
        return None
    if is_called(column, guess.DISEASE) or is_response(column):
        return "label"
    role = "confounder" if is_age else guess.role_of(column)
    return "batch" if role == "technical" else role
