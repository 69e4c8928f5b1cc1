"""Labels of a task that a run never saw, from a table with samples or donors and a column of the label."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.metadata import by_sample, read_metadata, text_table
from mtlbio.config.keys import explain
from mtlbio.errors import InputError, listing
from mtlbio.evaluation.bootstrap import fewest
from mtlbio.integrity.added import added_tasks
from mtlbio.labels import Label, TaskSection, label_kind
from mtlbio.progress import say
from mtlbio.text import suggestion

LEAST = 10  # labelled donors
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


def read_labels(
    path: Path, cohort: Cohort, name: str, kind: str, column: str | None, keys: dict[str, Any]
) -> tuple[Label, pd.Series]:
    """The label, and its column for the cohort's samples, in their order, missing where there is none.

    Parameters
    ----------
    path : a table; one of its columns names samples of the run, or donors, whose samples then all have the label
    name, kind, column, keys : of the task, its kind, its column (the task's name where None), and further keys of the
        kind, as a run's YAML has them

    Raises
    ------
    InputError
        An unknown kind or key, a missing column, samples that the run does not have, or labels that nothing can be
        learnt from.
    """
    label, section = label_kind(kind), section_of(kind, keys | ({} if column is None else {"column": column}))
    named = label.columns(name, section)
    table = read_metadata(path, "labels")
    missing = [text for text in named.values() if text not in table.columns]
    if missing:
        raise InputError(f"{path}: no column {missing[0]!r} with the label; {suggestion(missing[0], table.columns)}")
    others = [text for text in table.columns if text not in named.values()]
    rows = _of_samples(text_table(table), others, cohort, str(path))
    columns = {key: rows[text].rename(text) for key, text in named.items()}
    if columns["column"].notna().sum() == 0:
        raise InputError(
            f"{path}: column {named['column']!r}: no label in it; expected {LEAST} donors or more with one"
        )
    read, task = label.read(name, section, columns, str(path), lambda *row: say(f"{row[2]}: {row[3]}"))
    _check_enough(read, task, cohort, f"{path}: column {named['column']!r}")
    return task, read


def section_of(kind: str, keys: dict[str, Any]) -> TaskSection:
    """Keys of a kind of label, checked; an InputError where one is unknown or does not fit."""
    label = label_kind(kind)
    if "where" in keys:
        raise InputError("--key where: not for an added task; leave the labels of other samples out of the table")
    try:
        section = label.section.model_validate({"kind": kind, **keys})
        label.check("--key", section)
    except ValidationError as error:
        raise InputError(f"--key {explain(error, label.section)}") from None
    except ValueError as error:
        raise InputError(str(error).replace("--key.", "--key ")) from None
    return section


def check_name(name: str, cohort: Cohort, results: Path) -> None:
    """An InputError where a task cannot have this name, or something of the run has it already."""
    if not _NAME.fullmatch(name):
        raise InputError(f"--task: found {name!r}; expected a letter, then letters, digits or _ (100 at most)")
    taken = {"a task": [*cohort.tasks, *cohort.auxiliary], "a covariate": list(cohort.covariates)}
    taken |= {"a column": list(cohort.obs.columns), "an added task": added_tasks(results)}
    for what, names in taken.items():
        if name in names:
            way = f"`mtlbio remove-task {results} {name}` first, or give" if what == "an added task" else "give"
            raise InputError(f"--task: {name!r} is {what} of {results}; {way} another name")


def _of_samples(text: pd.DataFrame, others: list[str], cohort: Cohort, source: str) -> pd.DataFrame:
    """The rows by sample of the cohort, in its order: by the column that names most samples, or donors, of the run."""
    samples, donors = set(cohort.samples), set(cohort.donors)
    pairs = [(column, by, known) for column in others for by, known in (("samples", samples), ("donors", donors))]
    found = [(float(text[column].isin(known).mean()), by, column) for column, by, known in pairs]
    share, by, ids = max(found, default=(0.0, "", ""))  # of two that name as many, the samples
    if share == 0:
        raise InputError(
            f"{source}: no column names samples or donors of the run; found {listing(text.columns)}; expected names "
            f"such as {cohort.samples[0]} or {cohort.donors[0]}"
        )
    rows = by_sample(text, ids, source)
    strange = [name for name in rows.index if name not in (samples if by == "samples" else donors)]
    if strange:
        raise InputError(
            f"{source}: column {ids!r}: {len(strange)} of {len(rows)} {by} are not in the run ({listing(strange, 3)}); "
            "leave them out, or `mtlbio predict` them later"
        )
    whole = rows.reindex(cohort.samples if by == "samples" else cohort.donors)
    return whole.set_axis(cohort.obs.index)


def _check_enough(column: pd.Series, task: Label, cohort: Cohort, where: str) -> None:
    """An InputError where fewer than ``LEAST`` donors have the label, or fewer than two a class of it."""
    known, y = column.notna().to_numpy(), task.y(column)
    count, lacks = len(np.unique(cohort.donors[known])), task.lacks(column[known])
    if count < LEAST:
        raise InputError(f"{where}: {count} donors with a label; expected {LEAST} or more")
    if lacks:
        raise InputError(f"{where}: {lacks} among the labels; nothing can be learnt from them")
    rarest = fewest(task, y, cohort.clusters)
    if rarest < 2:
        raise InputError(
            f"{where}: {rarest} donor of the rarest label; expected 2 or more, so that one can be held out"
        )
