"""A first draft of a run's YAML, guessed from an expression file and its metadata.

Every guess is said, so that a person can correct it: which columns are labels and which are confounders is a
question about the study, and the names of the columns only hint at the answer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.check import unit_is_cell
from mtlbio.cohort.drafting import Draft, column_key, identifier, levels_text, range_text, scalar, yaml_text
from mtlbio.cohort.expression import h5ad_obs, read_expression
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.cohort.guess import (
    CONDITION,
    CONFOUNDER,
    DISEASE,
    DONOR,
    POSITION,
    RESPONSE,
    TECHNICAL,
    guess_positive,
    guess_scale,
    has_word,
    is_age,
    is_derived,
    words,
)
from mtlbio.cohort.measurements import Measurements, check_names
from mtlbio.cohort.metadata import read_metadata, text_table
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.text import as_number


def draft(
    expression_path: str | Path, metadata_path: str | Path | None = None, folder: str | Path | None = None
) -> tuple[str, list[str]]:
    """Draft the YAML of a run.

    Parameters
    ----------
    expression_path, metadata_path : the two files; the metadata may be left out for an h5ad whose ``obs`` describes the
        samples.
    folder : where the YAML will stand: paths in it become relative to that folder. Absolute paths where left out.

    Returns
    -------
    text : the YAML, each guess with a comment
    notes : the guesses and what was left out, one plain line each

    Raises
    ------
    InputError
        Unreadable files, no column that identifies the samples, no column that could be a label, or values that are
        on no scale that a run can have.
    """
    expression_path = Path(expression_path)
    table, source = _table(expression_path, metadata_path)
    out = Draft()
    data = read_expression(Expression(path=str(expression_path), scale="z"), _likely_sample(table, metadata_path))
    check_names(data)
    sample = _sample_column(table, data, source) if metadata_path is not None else None
    out.notes.append(
        f"samples: column {sample!r} names them as the expression does" if sample else "samples: the index of obs"
    )
    if sample:
        table = table.set_index(pd.Index(table[sample], dtype=object))
    table = table[table.index.isin(data.samples)]
    donor = _donor_column(table, sample, out, source)
    scale, why = guess_scale(data)
    out.notes.append(f"scale: {scale}, because the values are {why}")
    table = table[table[donor].notna()]
    out.used |= {donor, *([sample] if sample else [])}
    by = _by(table, donor, out)
    donors = table[donor]
    _tasks(table, donors, by, out, source)
    _covariates(table, donors, by, out)
    _left_out(table, donors, out)
    gene_sets = _gene_sets(data.genes, out)
    text = yaml_text(expression_path, metadata_path, folder, scale, sample, donor, by, gene_sets, out)
    return text, out.notes


def _table(expression_path: Path, metadata_path: str | Path | None) -> tuple[pd.DataFrame, str]:
    if metadata_path is not None:
        if not Path(metadata_path).is_file():
            raise InputError(f"{metadata_path}: no such file; expected the metadata as csv, tsv or parquet")
        return text_table(read_metadata(metadata_path)), str(metadata_path)
    if expression_path.suffix != ".h5ad":
        raise InputError(
            f"{expression_path}: give the metadata file too; only an h5ad file may carry its own, or a "
            f"table of features (--table)"
        )
    table = text_table(h5ad_obs(expression_path))
    table.index = table.index.astype(str)
    return table, f"{expression_path} (obs)"


def _likely_sample(table: pd.DataFrame, metadata_path: str | Path | None) -> str:
    """Name under which a flat expression file may hold its identifiers."""
    named = [c for c in table.columns if "sample" in words(c)]
    return named[0] if named and metadata_path is not None else "sample_id"


def _sample_column(table: pd.DataFrame, data: Measurements, source: str) -> str:
    samples, genes = set(data.samples), set(data.genes)
    shared = {c: table[c].isin(samples).sum() for c in table.columns if table[c].dropna().is_unique}
    best = max(shared, key=lambda c: (shared[c], "sample" in words(c), "id" in words(c)), default=None)
    if best is not None and shared[best]:
        return best
    turned = next((c for c in table.columns if table[c].isin(genes).any()), None)
    if turned is not None:
        raise InputError(
            f"{data.source}: genes in rows? Values of column {turned!r} of {source} are the columns here: transpose "
            f"the matrix, samples go in rows"
        )
    raise InputError(
        f"{source}: no column names the samples as {data.source} does (there: {listing(data.samples, 3)}); "
        f"found: {listing(table.columns, 12)}"
    )


def _donor_column(table: pd.DataFrame, sample: str | None, out: Draft, source: str) -> str:
    named = [c for c in table.columns if has_word(c, DONOR) and c != sample and table[c].notna().any()]
    if named:
        repeated = table[named[0]].dropna().duplicated().any()
        out.notes.append(
            f"donors: column {named[0]!r} ({table[named[0]].nunique()} donors"
            f"{', some with several samples' if repeated else ', one sample each'})"
        )
        return named[0]
    if sample is None:
        raise InputError(f"{source}: no donor column found (such as donor_id); found: {listing(table.columns, 12)}")
    out.notes.append("donors: no donor column found, so every sample counts as a donor of its own: check this")
    return sample


def _by(table: pd.DataFrame, donor: str, out: Draft) -> list[str] | None:
    """Columns that make a pseudobulk sample, or None where the samples are no cells."""
    if not unit_is_cell(len(table), table[donor].nunique()):
        return None
    named = [c for c in table.columns if has_word(c, CONDITION) and 2 <= table[c].nunique() <= 10][:1]
    out.notes.append(
        f"pseudobulk: {len(table)} rows of {table[donor].nunique()} donors look like single cells; "
        f"cells are summed by donor{' and ' + named[0] if named else ''}"
    )
    return named


def _tasks(table: pd.DataFrame, donors: pd.Series, by: list[str] | None, out: Draft, source: str) -> None:
    disease = [c for c in table.columns if c.lower() in DISEASE] or [c for c in table.columns if c in (by or [])]
    disease = disease or [c for c in table.columns if c.lower() in CONDITION]
    for column in disease:
        if class_task(table, donors, by, column, "disease" if column.lower() in DISEASE else column, out):
            break
    age = [c for c in table.columns if is_age(c)]
    for column in age[:1]:
        values, wrong = as_number(table[column])
        if len(wrong) or values.nunique() < 10:
            out.notes.append(f"left out: {column!r} holds no numbers that vary enough for a regression")
            continue
        name = identifier(column)
        out.tasks.append(f"{name}: {{kind: regression{column_key(name, column)}}}   # {range_text(values)}")
        out.notes.append(f"task {name}: regression on column {column!r}")
        out.used.add(column)
    response = [c for c in table.columns if has_word(c, RESPONSE) and c not in out.used and not is_derived(c)]
    # of several definitions of response, the one that most donors carry; on a tie the later column
    response.sort(key=lambda c: (donors[table[c].notna()].nunique(), list(table.columns).index(c)), reverse=True)
    for column in response:
        if class_task(table, donors, by, column, "response" if "response" in words(column) else column, out):
            break
    if not out.tasks:
        raise InputError(
            f"{source}: no column that could be a label was recognised (such as disease, age, response); found: "
            f"{listing(table.columns, 12)}; write the run by hand (config/README.md)"
        )


def class_task(
    table: pd.DataFrame, donors: pd.Series, by: list[str] | None, column: str, name: str, out: Draft
) -> bool:
    """Add a binary or multiclass task, or say why not."""
    labels = table[column].dropna()
    carriers = donors[labels.index].groupby(labels).nunique()
    carriers = carriers[carriers >= 3]
    name = identifier(name)
    if by is not None and column not in by and _varies(table, [donors, *(table[c] for c in by)], column):
        out.notes.append(f"left out: {column!r} differs between the cells of one sample")
        return False
    if name == "disease" and _varies(table, [donors], column):
        out.notes.append(f"left out: {column!r} differs between the samples of one donor, a disease may not")
        return False
    if len(carriers) < 2:
        out.notes.append(f"left out: {column!r} has fewer than two classes of three donors or more")
        return False
    out.folds = min(out.folds, int(carriers.min()))
    comment = listing([f"{c} {n}" for c, n in carriers.items()], 6)
    if len(carriers) == 2:
        positive = guess_positive(carriers)
        negative = next(c for c in carriers.index if c != positive)
        only = "" if labels.nunique() == 2 else f", negative: {scalar(negative)}"
        task = f"kind: binary{column_key(name, column)}, positive: {scalar(positive)}{only}"
        out.notes.append(f"task {name}: column {column!r}, {positive!r} counts as 1, {negative!r} as 0")
    else:
        classes = f", classes: [{', '.join(map(scalar, carriers.index))}]" if len(carriers) < labels.nunique() else ""
        task = f"kind: multiclass{column_key(name, column)}{classes}"
        out.notes.append(f"task {name}: column {column!r}, {len(carriers)} classes")
    out.tasks.append(f"{name}: {{{task}}}   # donors: {comment}")
    out.used.add(column)
    return True


def _covariates(table: pd.DataFrame, donors: pd.Series, by: list[str] | None, out: Draft) -> None:
    for column in table.columns:
        name = identifier(column)
        age = is_age(column) and (column in out.used or not any(is_age(c) for c in out.used))
        if (column in out.used and not age) or is_derived(column) or table[column].isna().all():
            continue
        confounder = age or has_word(column, CONFOUNDER)
        technical = not confounder and has_word(column, TECHNICAL) and not has_word(column, POSITION)
        if not (confounder or technical):
            continue
        reason = _unfit(table, donors, by, column, age)
        if reason:
            out.notes.append(f"left out: {column!r} {reason}")
            out.used.add(column)
            continue
        role = "confounder" if confounder else "technical"
        kind = ", kind: continuous" if age or column.lower() == "bmi" else ""
        shown = range_text(as_number(table[column])[0]) if kind else levels_text(table[column])
        out.covariates.append(f"{name}: {{role: {role}{kind}{column_key(name, column)}}}   # {shown}")
        why = "known before the disease" if confounder else "a name of processing"
        out.notes.append(f"covariate {name}: {role} ({why})")
        out.used.add(column)


def _unfit(table: pd.DataFrame, donors: pd.Series, by: list[str] | None, column: str, age: bool) -> str | None:
    """Why a column cannot be a covariate, if so."""
    values = table[column].dropna()
    if values.nunique() < 2:
        return "has one value only"
    if age or column.lower() == "bmi":
        return "holds text where numbers are due" if len(as_number(values)[1]) else None
    unit = [donors, *(table[c] for c in by)] if by is not None else [pd.Series(table.index, index=table.index)]
    if by is not None and _varies(table, unit, column):
        return "differs between the cells of one sample"
    units = len(pd.concat(unit, axis=1).drop_duplicates())
    if not has_word(column, TECHNICAL) and values.nunique() > 10 and not len(as_number(values)[1]):
        return f"holds {values.nunique()} different numbers where a few groups are due"
    if values.nunique() > 0.5 * units:
        return f"has {values.nunique()} levels, nearly one per sample: an identifier"
    if has_word(column, ("sex", "gender")) and _varies(table, [donors], column):
        return "differs between the samples of one donor: correct it first"
    return None


def _left_out(table: pd.DataFrame, donors: pd.Series, out: Draft) -> None:
    """Say which columns the draft does not use, and why."""
    rest = [c for c in table.columns if c not in out.used and table[c].notna().any()]
    derived = [c for c in rest if is_derived(c)]
    position = [c for c in rest if c not in derived and has_word(c, POSITION)]
    responses = [c for c in rest if c not in derived and has_word(c, RESPONSE)]
    others = [c for c in rest if c not in (*derived, *position, *responses)]
    for columns, why in (
        (derived, "derived values, references or book-keeping: neither label nor covariate"),
        (position, "position on an array or plate: add as technical if you suspect it"),
        (responses, "further response-like labels: add as tasks if they are the question"),
        (others, "not recognised: add as task or covariate where it is one"),
    ):
        if columns:
            out.notes.append(f"left out: {', '.join(columns)} ({why})")


def _gene_sets(genes: np.ndarray, out: Draft) -> str | None:
    known = set(genes)
    sets = sum(len(known.intersection(members)) >= 3 for members in builtin_sets().values())
    if not sets:
        out.notes.append("gene sets: none, because the built-in sets share no gene names with the expression")
        return None
    out.notes.append("gene sets: the small built-in sets; a GMT file of yours (Hallmark, Reactome) says more")
    return "builtin"


def _varies(table: pd.DataFrame, unit: list[pd.Series], column: str) -> bool:
    keys = [u.to_numpy() for u in unit]
    return bool((table[column].groupby(keys).nunique() > 1).any())
