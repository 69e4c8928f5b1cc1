"""What stands in the metadata's columns, before labels are read of it: values that mean nothing, numbers in disguise,
names in two ways of writing.

What the YAML asks for is done; what it does not ask for is said (:func:`mtlbio.intake.notes.notice`).
"""

from collections.abc import Collection

import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.intake.amounts import read_amounts
from mtlbio.intake.keyed import key_of, without_key
from mtlbio.intake.missing_words import is_no_value, looks_missing, written
from mtlbio.intake.notes import notice
from mtlbio.intake.spelling import pooled, shown, variants
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import TaskSection, label_kind
from mtlbio.labels.base import Value
from mtlbio.text import matching


def understood_content(run: DonorRun, table: pd.DataFrame, source: str) -> pd.DataFrame:
    """A text table of the columns that a run uses, with what its ``metadata`` asks for.

    Values of ``metadata.missing`` become NaN, ways of writing are pooled where ``metadata.spelling`` says so, numbers
    in disguise become plain ones where a number is due.

    Raises
    ------
    InputError
        A class of which the run names some ways of writing and the column has others.
    """
    numeric, classes, donor = number_columns(run), class_columns(run), run.metadata.donor
    table = _without_keys(table, source)
    table = without_missing(table, run.metadata.missing, source, {donor, run.metadata.family}, run.metadata.sample)
    _say_missing(run, table, source, numeric, classes)
    for column in [c for c in table.columns if c in numeric]:
        table[column] = as_plain_numbers(table[column], source)
    for column in [c for c in table.columns if c in classes or c == donor]:
        table[column] = in_one_spelling(table[column], run, source)
    return table


def in_one_spelling(column: pd.Series, run: DonorRun, source: str) -> pd.Series:
    """A column of names with one way of writing for each where ``metadata.spelling`` says so; else others are named."""
    if run.metadata.spelling == "pool":
        return pooled(column, _named(run, str(column.name)))
    if groups := variants(column):
        _check_classes(run, str(column.name), groups, source)
        _say_variants(str(column.name), groups, "donors" if column.name == run.metadata.donor else "levels", source)
    return column


def number_columns(run: DonorRun) -> set[str]:
    """Columns of which the run expects numbers."""
    tasks = {column for name in run.tasks for column in _task_columns(run, name, numbers=True)}
    return tasks | {run.covariate_column(n) for n in run.recorded if run.covariates[n].kind == "continuous"}


def class_columns(run: DonorRun) -> set[str]:
    """Columns whose values the run takes for names of classes, levels and conditions."""
    tasks = {column for name in run.tasks for column in _task_columns(run, name, numbers=False)}
    further = {column for task in run.tasks.values() for column in task.where}
    cells = getattr(run, "pseudobulk", None)
    further |= set(cells.by) if cells is not None else set()
    levels = {run.covariate_column(n) for n in run.recorded if run.covariates[n].kind == "categorical"}
    return (tasks | further | levels) - number_columns(run)


def without_missing(
    table: pd.DataFrame, codes: list, source: str, names: Collection[str | None] = (), sample: str | None = None
) -> pd.DataFrame:
    """The table without the values of ``metadata.missing``, but for the samples' names; what was found is said.

    In columns of ``names`` (donors) only words count: a donor may be called 9.
    """
    table, found = table.copy(deep=False), dict[str, dict[str, int]]()
    for column in [c for c in table.columns if codes and c != sample]:
        texts = written(codes, table[column], column in names)
        if texts:
            found[column] = {text: int((table[column] == text).sum()) for text in texts}
            table[column] = table[column].mask(table[column].isin(texts))
    if found:
        notice(source, f"read as missing, as metadata.missing says: {told(found)}")
    return table


def as_plain_numbers(column: pd.Series, source: str) -> pd.Series:
    """The text of a column of numbers with plain ones in place of those in disguise; each way of writing is said.

    Words for "not known" become NaN: among numbers they can be nothing else. What is no number stays, for an error
    that quotes it (:func:`mtlbio.text.numbers`).
    """
    words = {text: count for text, count in looks_missing(column, codes=False).items() if is_no_value(text)}
    if words:
        notice(source, f"read as missing, since numbers are due: {told({str(column.name): words})}")
        column = column.mask(column.isin(list(words)))
    found = read_amounts(column)
    for line, doubt in found.said:
        notice(source, f"column {column.name!r}: {line}", doubt)
    if not found.said:
        return column
    plain = found.values.map(lambda value: f"{value:.15g}", na_action="ignore").astype(object)
    return plain.where(~column.isin(list(found.wrong.unique())), column)


def told(found: dict[str, dict[str, int]]) -> str:
    """``sex 'n/a' (5); age '-9' (2)``: values of columns, and their samples."""
    values = {column: listing([f"{text!r} ({n})" for text, n in of.items()], 6) for column, of in found.items()}
    return "; ".join(f"{column} {texts}" for column, texts in values.items())


def _task_columns(run: DonorRun, name: str, numbers: bool) -> list[str]:
    """Columns of a task that hold numbers, or those that hold names."""
    keys = label_kind(run.tasks[name].kind).number_keys()
    return [column for key, column in run.task_columns(name).items() if (key in keys) == numbers]


def _values_column(run: DonorRun, name: str) -> str:
    """The column that holds the classes which a task names."""
    return run.task_columns(name)[label_kind(run.tasks[name].kind).names_values_of]


def _without_keys(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with values such as ``disease state: SLE`` in place of which stands ``SLE``."""
    table = table.copy(deep=False)
    for column in table.columns:
        key = key_of(table[column])
        if key:
            notice(source, f"column {column!r} holds {key!r}: {key}: is left off its values")
            table[column] = without_key(table[column], key)
    return table


def _say_missing(run: DonorRun, table: pd.DataFrame, source: str, numeric: set[str], classes: set[str]) -> None:
    """Name what looks like a missing value and counts as a value."""
    found = dict[str, dict[str, int]]()
    for column in [c for c in table.columns if c in numeric | classes | {run.metadata.donor}]:
        values = looks_missing(table[column], codes=column != run.metadata.donor, number=column in numeric)
        meant = _named(run, column)
        values = {t: n for t, n in values.items() if t not in meant and not (column in numeric and is_no_value(t))}
        if values:
            found[column] = values
    if found:
        codes = list(dict.fromkeys(text for values in found.values() for text in values))
        notice(
            source,
            f"values that look missing count as values: {told(found)}; if they mean that nothing is known, write "
            f"missing: [{', '.join(map(repr, codes[:12]))}] under metadata",
            doubt=True,
        )


def _say_variants(column: str, groups: list[dict[str, int]], what: str, source: str) -> None:
    more = f" and {len(groups) - 5} further groups" if len(groups) > 5 else ""
    notice(
        source,
        f"column {column!r}: {what} that differ in their way of writing only are taken for different ones: "
        f"{'; '.join(shown(group) for group in groups[:5])}{more}; if they are the same, write spelling: pool under "
        f"metadata",
        doubt=True,
    )


def _values(task: TaskSection) -> list[tuple[str, Value]]:
    """The classes that a task names, by key."""
    single = [(key, getattr(task, key, None)) for key in ("positive", "negative")]
    listed = [(key, getattr(task, key, None)) for key in ("classes", "censored")]
    several = [(key, v) for key, values in listed for v in (values if isinstance(values, list) else [values])]
    return [(key, value) for key, value in (*single, *several) if value is not None]


def _named(run: DonorRun, column: str) -> set[str]:
    """Values of a column that the run's YAML names itself."""
    named = set[str]()
    for name, task in run.tasks.items():
        named |= {str(value).strip() for key, value in task.where.items() if key == column}
        if _values_column(run, name) == column:
            named |= {str(value).strip() for _, value in _values(task)}
    return named


def _check_classes(run: DonorRun, column: str, groups: list[dict[str, int]], source: str) -> None:
    """Refuse a class of which the run names some ways of writing and the column has others."""
    for name, task in run.tasks.items():
        named = _values(task) if _values_column(run, name) == column else []
        for group in groups:
            meant = {text: (key, value) for key, value in named for text in matching(value, group)}
            if meant and len(meant) < len(group):
                key, value = next(iter(meant.values()))
                raise InputError(
                    f"{source}: tasks.{name}.{key}: {value!r} matches only some of {shown(group)} in column "
                    f"{column!r}, which differ in their way of writing only; write spelling: pool under metadata to "
                    f"take them for one, or correct the table"
                )
