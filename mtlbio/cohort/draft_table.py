"""A first draft of a run's YAML from one table of patients: genotypes, clinical numbers and doses side by side.

What stands in the table and is not recognised as a label, an identifier or a place becomes a feature, so a person has
to strike what is known only once the label is.
"""

import textwrap
from pathlib import Path

import pandas as pd

from mtlbio.cohort import guess
from mtlbio.cohort.draft_design import suggest
from mtlbio.cohort.drafting import Draft, identifier, path_text, range_text, scalar, scalars
from mtlbio.cohort.guess import has_word, is_derived, words
from mtlbio.cohort.guess_table import BODY, PLACE, guess_transform, guess_unit, is_amount, is_dose
from mtlbio.cohort.metadata import read_metadata, text_table, without_row_numbers
from mtlbio.cohort.tabular import MISSING, MOST_LEVELS, MOST_OF_SAMPLES, OTHER
from mtlbio.errors import InputError, listing
from mtlbio.text import as_number

_GAPS = 0.2  # a covariate that more people lack would cost the trial all of them
_WRITTEN = 0.05  # share of text among numbers up to which the text looks like a way to write "missing"


def draft_table(
    path: str | Path, metadata: str | Path | None = None, folder: str | Path | None = None
) -> tuple[str, list[str]]:
    """Draft the YAML of a run on a table of features.

    ``path`` is a csv, tsv (.gz) or parquet, one row per sample, holding features, labels and covariates; ``metadata``
    is refused. ``folder`` and what is given back as for :func:`mtlbio.cohort.draft.draft`.

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
    out = Draft(str(path), without_row_numbers(text_table(read_metadata(path, "table")), path))
    sample = _identifiers(out)
    out.table = out.table.set_index(pd.Index(out.table[sample], dtype=object))
    out.table = out.table[out.donors.notna()]
    numbers = {c: as_number(out.table[c]) for c in out.table.columns}
    _tasks(out, numbers)
    technical = _covariates(out, numbers)
    suggest(out)
    numeric, categories = _features(out, numbers, technical)
    if not numeric and not categories:
        raise InputError(f"{path}: no column is left to be a feature; found: {listing(out.table.columns, 12)}")
    inputs = ["features:", f"  path: {path_text(path, folder)}"]
    inputs += _list("numeric", numeric) + _list("categories", categories)
    inputs += [f"  rare: {10 if len(out.table) >= 500 else 5}   # levels of fewer samples are pooled"]
    inputs += [f"metadata: {{sample: {scalar(sample)}, donor: {scalar(out.donor)}}}   # the same file"]
    roles = "confounder: upstream of the dose; technical: where and how it was recorded"
    return out.yaml(path.name.split(".")[0], inputs, roles), out.notes


def _identifiers(out: Draft) -> str:
    """The column that names the samples; the one that names donors is set."""
    table = out.table
    unique = [c for c in table.columns if table[c].notna().all() and table[c].is_unique]
    named = [c for c in unique if "sample" in words(c)] + [c for c in unique if has_word(c, guess.DONOR)]
    named += [c for c in unique if words(c)[-1] == "id"]
    # without a hint in the name only text that comes first: a measurement may be unique as well
    named += [c for c in unique[:1] if c == table.columns[0] and len(as_number(table[c])[1]) == len(table)]
    people = [c for c in table.columns if has_word(c, guess.DONOR) and table[c].notna().any()]
    if not named:
        hint = f" (column {people[0]!r} repeats or has gaps)" if people else ""
        raise InputError(
            f"{out.source}: no column names the rows, each by a value of its own{hint}; expected one such as "
            f"patient_id, or sample_id beside a patient who has several rows; found: {listing(table.columns, 12)}"
        )
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
        out.add_task(identifier(column), column, "regression", more, range_text(values), note)
    for column in out.table.columns:
        disease = column.lower() in guess.DISEASE
        if column not in out.used and (disease or has_word(column, guess.RESPONSE)) and not is_derived(column):
            out.add_class_task(column, "disease" if disease else column)
            out.used.add(column)  # a label of whatever kind is no feature
    if not out.tasks:
        raise InputError(
            f"{out.source}: no column that could be a label was recognised (such as dose_mg_week, ic50, response); "
            f"found: {listing(out.table.columns, 12)}; write the run by hand (docs/doses.md; of sequences "
            f"docs/proteins.md)"
        )


def _covariates(out: Draft, numbers: dict) -> set[str]:
    """Add covariates; the technical ones are returned, because they should not be features."""
    table, technical, aged = out.table, set[str](), False
    for column in _bands_last(table, numbers):
        age, levels = words(column)[0] == "age", table[column].nunique()
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
