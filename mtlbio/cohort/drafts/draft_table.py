"""A first draft of a run's YAML from one table of patients: genotypes, clinical numbers and doses side by side.

What stands in the table and is not recognised as a label, an identifier or a place becomes a feature, so a person has
to strike what is known only once the label is.
"""

import textwrap
from pathlib import Path

import pandas as pd

from mtlbio.cohort.drafts import guess
from mtlbio.cohort.drafts.draft_choices import to_choose
from mtlbio.cohort.drafts.draft_design import suggest
from mtlbio.cohort.drafts.draft_labels import add_choices
from mtlbio.cohort.drafts.draft_leaks import features_without_leaks
from mtlbio.cohort.drafts.draft_survival import add_survival
from mtlbio.cohort.drafts.draft_values import clean, is_amount_column, metadata_keys
from mtlbio.cohort.drafts.drafting import Draft, path_text, range_text, scalar, scalars
from mtlbio.cohort.drafts.guess import has_word, is_age, is_called, is_derived, is_response, words
from mtlbio.cohort.drafts.guess_columns import donor_columns, is_sample_name
from mtlbio.cohort.drafts.guess_table import BODY, PLACE, guess_transform, guess_unit, is_amount, is_dose
from mtlbio.cohort.metadata import read_metadata, text_table, without_row_numbers
from mtlbio.cohort.tabular import MISSING, MOST_LEVELS, MOST_OF_SAMPLES, OTHER
from mtlbio.errors import InputError, listing
from mtlbio.intake.amounts import read_amounts
from mtlbio.intake.names import is_row_number
from mtlbio.text import TO_CHOOSE, as_number

_GAPS = 0.2  # a covariate that more people lack would cost the trial all of them
_WRITTEN = 0.05  # share of text among numbers up to which the text looks like a way to write "missing"


def draft_table(
    path: str | Path, metadata: str | Path | None = None, folder: str | Path | None = None
) -> tuple[str, list[str]]:
    """Draft the YAML of a run on a table of features.

    ``path`` is a csv, tsv (.gz) or parquet, one row per sample, holding features, labels and covariates; ``metadata``
    is refused. ``folder`` and what is given back as for :func:`mtlbio.cohort.drafts.draft.draft`.

    Raises
    ------
    InputError
        A second file, an unreadable one, no column that names the samples, no column that could be a label, or no
        feature left.
    """
    if metadata is not None:
        raise InputError(
            f"--table: found {metadata} too; expected one table that holds features, labels and covariates"
        )
    path = Path(path)
    out = Draft(str(path), text_table(read_metadata(path, "table")))
    sample = _identifiers(out)
    out.table = without_row_numbers(out.table, path, keep=sample)
    out.table = out.table.set_index(pd.Index(out.table[sample], dtype=object))
    clean(out, [sample, out.donor, *donor_columns(out.table)])
    out.table = out.table[out.donors.notna()]
    numbers = {c: _numbers(out, c) for c in out.table.columns}
    _tasks(out, numbers)
    technical = _covariates(out, numbers)
    suggest(out)
    numeric, categories = _features(out, numbers, technical)
    numeric, categories = features_without_leaks(out, numbers, numeric, categories)
    out.features = [*numeric, *categories]
    if not numeric and not categories:
        found = out.table.columns.drop(TO_CHOOSE, errors="ignore")
        raise InputError(f"{path}: no column is left to be a feature; found: {listing(found, 12)}")
    inputs = ["features:", f"  path: {path_text(path, folder)}"]
    inputs += _list("numeric", numeric) + _list("categories", categories)
    inputs += [f"  rare: {10 if len(out.table) >= 500 else 5}   # levels of fewer samples are pooled"]
    keys = [f"sample: {scalar(sample)}", f"donor: {scalar(out.donor)}", *metadata_keys(out)]
    inputs += [f"metadata: {{{', '.join(keys)}}}   # the same file", *to_choose(out, sample)]
    roles = "confounder: upstream of the dose; technical: where and how it was recorded"
    return out.yaml(path.name.split(".")[0], inputs, roles), out.notes


def _identifiers(out: Draft) -> str:
    """The column that names the samples; the one that names donors is set."""
    table = out.table
    unique = [c for c in table.columns if table[c].notna().all() and table[c].is_unique]
    named = [c for c in unique if is_sample_name(c)] + [c for c in unique if c in donor_columns(table)]
    named += [c for c in unique if words(c)[-1] == "id"]
    # without a hint in the name only text that comes first: a measurement may be unique as well
    named += [c for c in unique[:1] if c == table.columns[0] and len(as_number(table[c])[1]) == len(table)]
    people = donor_columns(table)
    named += [c for c in unique if is_row_number(c, table[c])]
    if not named:
        hint = f" (column {people[0]!r} repeats or has gaps)" if people else ""
        out.notes.append(
            f"samples: no column names the rows, each by a value of its own{hint}: add one such as patient_id, or "
            f"sample_id beside a patient who has several rows, and name it as metadata.sample"
        )
        out.table = table.assign(**{TO_CHOOSE: [f"row {i + 1}" for i in range(len(table))]})
        out.donor = people[0] if people and table[people[0]].notna().all() else TO_CHOOSE
        out.used = {TO_CHOOSE, out.donor}
        return TO_CHOOSE
    sample = named[0]
    donor = next((c for c in people if c != sample and table[c].dropna().duplicated().any()), sample)
    rows = "one row each" if donor == sample else f"{table[donor].nunique()} donors with several rows, column {donor!r}"
    out.notes.append(f"samples: column {sample!r} names the {len(table)} rows; donors: {rows}")
    out.donor, out.used = donor, {sample, donor}
    return sample


def _tasks(out: Draft, numbers: dict) -> None:
    for column in out.table.columns:
        if column in out.used or not is_dose(column):
            continue
        values, wrong = numbers[column]
        if len(wrong) or values.nunique() < guess.LEAST_VALUES:
            what = f"holds text such as {wrong.iloc[0]!r}" if len(wrong) else "has too few different values"
            out.notes.append(f"not sure: {column!r} is called like a dose but {what}; not used as a label")
            continue
        (transform, why), unit = guess_transform(values), guess_unit(column)
        more, scale, in_unit = "", "learnt as it is", "unit unknown: add unit: mg/day or the like"
        if transform != "none":
            more, scale = f", transform: {transform}", f"learnt on the {transform}"
        if unit:
            more, in_unit = f"{more}, unit: {scalar(unit)}", f"in {unit}"
        note = f"regression, {scale} ({why}); {in_unit}"
        out.add_task(out.name_of(column), column, "regression", more, range_text(values), note)
    add_survival(out)
    for column in out.table.columns:
        disease = is_called(column, guess.DISEASE)
        if column not in out.used and (disease or is_response(column)) and not is_derived(column):
            out.add_class_task(column, "disease" if disease else column)
            out.used.add(column)  # a label of whatever kind is no feature
    for column in [c for c in out.table.columns if is_called(c, guess.LABEL) and c not in out.used]:
        if not out.tasks:
            out.add_class_task(column, column)
    if not out.tasks:
        add_choices(out, [], taken=False)
        out.notes.append("tasks: a column that becomes a label is no feature any more: strike it there")


def _covariates(out: Draft, numbers: dict) -> set[str]:
    """Add covariates; the technical ones are returned, because they should not be features."""
    table, technical, aged = out.table, set[str](), False
    for column in _bands_last(table, numbers):
        age, levels = is_age(column) or words(column)[0] == "age", table[column].nunique()
        place = has_word(column, guess.TECHNICAL) or has_word(column, PLACE)
        if column in out.used or (age and aged) or is_derived(column) or levels < 2:
            continue
        if not (age or place or has_word(column, (*guess.CONFOUNDER, *BODY))):
            continue
        amount, absent = is_amount(*numbers[column]) and not place, table[column].isna().mean()
        if place:
            technical.add(column)
        if absent > _GAPS:
            out.notes.append(
                f"not sure: {column!r} is missing for {absent:.0%}, so it is no covariate (the trial needs people with "
                f"all covariates known)"
            )
        elif not amount and levels > max(MOST_OF_SAMPLES * len(table), 2):
            out.leave_out(column, f"has {levels} levels in {len(table)} rows, too many for a covariate")
        else:
            why = "a place or a batch, so no feature either" if place else "known before the dose, and a feature too"
            role = "technical" if place else "confounder"
            out.add_covariate(column, role, why, numbers[column][0] if amount else None)
            aged |= age
    return technical


def _numbers(out: Draft, column: str) -> tuple[pd.Series, pd.Series]:
    """Numbers of a column and the texts that are none, of which those in disguise are read. A column of nothing but
    ranges and bounds is one of categories, unless its name asks for a number."""
    values, wrong = as_number(out.table[column])
    found = read_amounts(out.table[column])
    banded = len(wrong) > 0.5 * out.table[column].notna().sum() and any(doubt for _, doubt in found.said)
    if len(found.wrong) or (banded and not is_amount_column(column)):
        return values, wrong
    out.notes += [f"numbers of {column!r}: {line}" for line, _ in found.said]
    return found.values, found.wrong


def _bands_last(table: pd.DataFrame, numbers: dict) -> list[str]:
    """Columns; of several for the age a number says more than a band, which comes last."""
    return sorted(table.columns, key=lambda c: words(c)[0] == "age" and not is_amount(*numbers[c]))


def _features(out: Draft, numbers: dict, technical: set[str]) -> tuple[list[str], list[str]]:
    """Columns of numbers and of categories; what fits neither is said."""
    table = out.table
    numeric, categories, codes = list[str](), list[str](), list[str]()
    for column in _bands_last(table, numbers):
        if column in out.used | technical or table[column].isna().all():
            continue
        values, wrong = numbers[column]
        levels, rows = set(table[column].dropna()), int(table[column].notna().sum())
        if len(levels) < 2:
            out.leave_out(column, "has one value only")
        elif is_row_number(column, table[column]):
            out.leave_out(column, "counts the rows")
        elif is_derived(column):
            out.leave_out(column, "is called like a derived value or book-keeping")
        elif any(w in ("dose", "doses", "dosage") for w in words(column)):
            out.leave_out(column, "speaks of the dose, so it may be known only once the dose is")
        elif words(column)[0] == "age" and any(words(c)[0] == "age" for c in numeric):
            out.notes.append(f"left out: {column!r}, because the age is there already")
        elif is_amount(values, wrong):
            numeric.append(column)
        elif 0 < len(wrong) <= _WRITTEN * rows and is_amount(values, wrong[:0]):
            out.leave_out(column, f"holds text such as {wrong.iloc[0]!r} among numbers; write NA for it")
        elif len(levels) > min(MOST_LEVELS, max(MOST_OF_SAMPLES * rows, 2)):
            out.leave_out(column, f"has {len(levels)} levels in {rows} rows: free text or a name")
        elif {OTHER, MISSING} & levels:
            word = sorted({OTHER, MISSING} & levels)[0]
            out.leave_out(column, f"has a level {word!r}, a word that mtlbio itself uses; rename it")
        else:
            categories.append(column)
            if not len(wrong) and len(levels) > 2:
                codes.append(column)
    if codes:
        out.notes.append(f"not sure: few whole numbers in {', '.join(codes)}: move to numeric where they are amounts")
    out.notes.append("features: all other columns; strike what is known only after the label")
    return numeric, categories


def _list(key: str, columns: list[str]) -> list[str]:
    """A YAML list in lines that can be read."""
    text = f"{key}: [{scalars(columns)}]" if columns else ""
    return textwrap.wrap(
        text, 110, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
