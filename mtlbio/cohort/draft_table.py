"""A first draft of a run's YAML from one table of patients: genotypes, clinical numbers and doses side by side.

As in :mod:`mtlbio.cohort.draft` every guess is said. What stands in the table and is not recognised as a label, an
identifier or a place becomes a feature, so a person has to strike what is known only once the label is.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pandas as pd

from mtlbio.cohort.draft import class_task
from mtlbio.cohort.drafting import FOLDS, Draft, column_key, identifier, levels_text, path_text, range_text, scalar
from mtlbio.cohort.guess import CONFOUNDER, DISEASE, DONOR, RESPONSE, TECHNICAL, has_word, is_derived, words
from mtlbio.cohort.guess_table import BODY, PLACE, guess_transform, guess_unit, is_amount, is_dose, varies_enough
from mtlbio.cohort.metadata import read_metadata, text_table
from mtlbio.cohort.tabular import MISSING, MOST_LEVELS, MOST_OF_SAMPLES, OTHER
from mtlbio.errors import InputError, listing
from mtlbio.text import as_number

_GAPS = 0.2  # a covariate that more people lack would cost the trial all of them
_WRITTEN = 0.05  # share of text among numbers up to which the text looks like a way to write "missing"


def draft_of_one(path: Path, metadata: Path | None, folder: Path) -> tuple[str, list[str]]:
    """As :func:`draft_table`, refused where there is a second file.

    Raises
    ------
    InputError
        ``metadata`` was given too.
    """
    if metadata is not None:
        raise InputError(
            f"--table: found {metadata} too; expected one table that holds features, labels and covariates"
        )
    return draft_table(path, folder)


def draft_table(path: str | Path, folder: str | Path | None = None) -> tuple[str, list[str]]:
    """Draft the YAML of a run on a table of features.

    Parameters
    ----------
    path : csv, tsv (.gz) or parquet, one row per sample, holding features, labels and covariates.
    folder : where the YAML will stand, as for :func:`mtlbio.cohort.draft.draft`

    Returns
    -------
    text : the YAML, each guess with a comment
    notes : the guesses and what was left out, one plain line each

    Raises
    ------
    InputError
        Unreadable file, no column that names the samples, no column that could be a label, or no feature left.
    """
    path = Path(path)
    table = text_table(read_metadata(path, "table"))
    out = Draft()
    sample, donor = _identifiers(table, out, str(path))
    out.used |= {sample, donor}
    table = table.set_index(pd.Index(table[sample], dtype=object))
    table = table[table[donor].notna()]
    numbers = {c: as_number(table[c]) for c in table.columns}
    _tasks(table, numbers, table[donor], out, str(path))
    technical = _covariates(table, numbers, out)
    numeric, categories = _features(table, numbers, technical, out)
    if not numeric and not categories:
        raise InputError(f"{path}: no column is left to be a feature; found: {listing(table.columns, 12)}")
    rare = 10 if len(table) >= 500 else 5
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", path.name.split(".")[0]).strip("._-") or "run"
    lines = ["# A draft: every line is a guess from the names and values of the columns. Read it and correct it."]
    lines += [f"# {note}" for note in out.notes]
    lines += [f"run: {scalar(name)}", "features:", f"  path: {path_text(path, folder)}"]
    lines += _list("numeric", numeric) + _list("categories", categories)
    lines += [f"  rare: {rare}   # levels of fewer samples are pooled"]
    lines += [f"metadata: {{sample: {scalar(sample)}, donor: {scalar(donor)}}}   # the same file"]
    lines += ["tasks:", *(f"  {task}" for task in out.tasks)]
    if out.covariates:
        lines += ["covariates:   # confounder: upstream of the dose; technical: where and how it was recorded"]
        lines += [f"  {covariate}" for covariate in out.covariates]
    if out.folds < FOLDS:
        lines += [f"splits: {{folds: {out.folds}}}   # the rarest class has {out.folds} donors"]
    return "\n".join(lines) + "\n", out.notes


def _identifiers(table: pd.DataFrame, out: Draft, source: str) -> tuple[str, str]:
    """Columns that name samples and donors."""
    unique = [c for c in table.columns if table[c].notna().all() and table[c].is_unique]
    named = [c for c in unique if "sample" in words(c)] + [c for c in unique if has_word(c, DONOR)]
    named += [c for c in unique if words(c)[-1] == "id"]
    # without a hint in the name only text that comes first: a measurement may be unique as well
    named += [c for c in unique[:1] if c == table.columns[0] and len(as_number(table[c])[1]) == len(table)]
    people = [c for c in table.columns if has_word(c, DONOR) and table[c].notna().any()]
    if not named:
        seen = f" (column {people[0]!r} repeats or has gaps)" if people else ""
        raise InputError(
            f"{source}: no column names the rows, each by a value of its own{seen}; expected one such as patient_id, "
            f"or sample_id beside a patient who has several rows; found: {listing(table.columns, 12)}"
        )
    sample = named[0]
    donor = next((c for c in people if c != sample and table[c].dropna().duplicated().any()), sample)
    rows = "one row each" if donor == sample else f"{table[donor].nunique()} donors with several rows, column {donor!r}"
    out.notes.append(f"samples: column {sample!r} names the {len(table)} rows; donors: {rows}")
    return sample, donor


def _tasks(table: pd.DataFrame, numbers: dict, donors: pd.Series, out: Draft, source: str) -> None:
    for column in table.columns:
        if column in out.used or not is_dose(column):
            continue
        values, wrong = numbers[column]
        if len(wrong) or not varies_enough(values):
            what = f"holds text such as {wrong.iloc[0]!r}" if len(wrong) else "has too few different values"
            out.notes.append(f"not sure: {column!r} is called like a dose but {what}; not used as a label")
            continue
        transform, why = guess_transform(values)
        unit, name = guess_unit(column), identifier(column)
        keys = f"kind: regression{column_key(name, column)}"
        keys += f", transform: {transform}" if transform != "none" else ""
        keys += f", unit: {scalar(unit)}" if unit else ""
        out.tasks.append(f"{name}: {{{keys}}}   # {range_text(values)}")
        scale = f"learnt on the {transform}" if transform != "none" else "learnt as it is"
        told = f"in {unit}" if unit else "unit unknown: add unit: mg/day or the like"
        out.notes.append(f"task {name}: regression, {scale} ({why}); {told}")
        out.used.add(column)
    for column in table.columns:
        disease = column.lower() in DISEASE
        if column not in out.used and (disease or has_word(column, RESPONSE)) and not is_derived(column):
            class_task(table, donors, None, column, "disease" if disease else column, out)
            out.used.add(column)  # a label of whatever kind is no feature
    if not out.tasks:
        raise InputError(
            f"{source}: no column that could be a label was recognised (such as dose_mg_week, ic50, response); found: "
            f"{listing(table.columns, 12)}; write the run by hand (docs/doses.md; of sequences docs/proteins.md)"
        )


def _covariates(table: pd.DataFrame, numbers: dict, out: Draft) -> set[str]:
    """Add covariates; the technical ones are returned, because they should not be features."""
    technical, aged = set(), False
    # of several columns for the age a number says more than a band
    order = sorted(table.columns, key=lambda c: words(c)[0] == "age" and not is_amount(*numbers[c]))
    for column in order:
        age = words(column)[0] == "age"
        place = has_word(column, TECHNICAL) or has_word(column, PLACE)
        if column in out.used or (age and aged) or is_derived(column) or table[column].nunique() < 2:
            continue
        if not (age or place or has_word(column, (*CONFOUNDER, *BODY))):
            continue
        amount = is_amount(*numbers[column]) and not place
        if place:
            technical.add(column)
        absent, levels = table[column].isna().mean(), table[column].nunique()
        if absent > _GAPS:
            out.notes.append(
                f"not sure: {column!r} is missing for {absent:.0%}, so it is no covariate (the trial needs people with "
                f"all covariates known)"
            )
            continue
        if not amount and levels > max(MOST_OF_SAMPLES * len(table), 2):
            out.notes.append(f"left out: {column!r} has {levels} levels in {len(table)} rows, too many for a covariate")
            continue
        role, name = "technical" if place else "confounder", identifier(column)
        kind = ", kind: continuous" if amount else ""
        shown = range_text(numbers[column][0]) if amount else levels_text(table[column])
        out.covariates.append(f"{name}: {{role: {role}{kind}{column_key(name, column)}}}   # {shown}")
        why = "a place or a batch, so no feature either" if place else "known before the dose, and a feature too"
        out.notes.append(f"covariate {name}: {role} ({why})")
        aged |= age
    return technical


def _features(table: pd.DataFrame, numbers: dict, technical: set[str], out: Draft) -> tuple[list[str], list[str]]:
    """Columns of numbers and of categories; what fits neither is said."""
    numeric, categories, codes = list[str](), list[str](), list[str]()
    # bands of age come last, where it is known whether the age stands there as a number
    for column in sorted(table.columns, key=lambda c: words(c)[0] == "age" and not is_amount(*numbers[c])):
        if column in out.used | technical or table[column].isna().all():
            continue
        values, wrong = numbers[column]
        levels, known = set(table[column].dropna()), int(table[column].notna().sum())
        if len(levels) < 2:
            out.notes.append(f"left out: {column!r} has one value only")
        elif is_derived(column):
            out.notes.append(f"left out: {column!r} is called like a derived value or book-keeping")
        elif any(w in ("dose", "doses", "dosage") for w in words(column)):
            out.notes.append(f"left out: {column!r} speaks of the dose, so it may be known only once the dose is")
        elif words(column)[0] == "age" and any(words(c)[0] == "age" for c in numeric):
            out.notes.append(f"left out: {column!r}, because the age is there already")
        elif is_amount(values, wrong):
            numeric.append(column)
        elif 0 < len(wrong) <= _WRITTEN * known and is_amount(values, wrong[:0]):
            out.notes.append(
                f"left out: {column!r} holds text such as {wrong.iloc[0]!r} among numbers; write NA for it"
            )
        elif len(levels) > min(MOST_LEVELS, max(MOST_OF_SAMPLES * known, 2)):
            out.notes.append(f"left out: {column!r} has {len(levels)} levels in {known} rows: free text or a name")
        elif {OTHER, MISSING} & levels:
            word = sorted({OTHER, MISSING} & levels)[0]
            out.notes.append(f"left out: {column!r} has a level {word!r}, a word that mtlbio itself uses; rename it")
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
    if not columns:
        return []
    text = f"{key}: [{', '.join(map(scalar, columns))}]"
    return textwrap.wrap(
        text, 110, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
