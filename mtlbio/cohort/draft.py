"""A first draft of a run's YAML, guessed from an expression file and its metadata.

Every guess is said, so that a person can correct it: which columns are labels and which are confounders is a
question about the study, and the names of the columns only hint at the answer.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort import guess
from mtlbio.cohort.check import unit_is_cell
from mtlbio.cohort.draft_design import suggest
from mtlbio.cohort.draft_expression import drafted_expression, inline, sample_column
from mtlbio.cohort.drafting import Draft, identifier, path_text, range_text, scalar, scalars
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.cohort.guess import has_word, is_age, is_derived, words
from mtlbio.cohort.guess_scale import guess_scale
from mtlbio.cohort.h5ad import h5ad_obs
from mtlbio.cohort.layers import choose_layer
from mtlbio.cohort.metadata import read_metadata, text_table, without_copies, without_row_numbers
from mtlbio.cohort.units import called_like_cells, sample_columns
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.intake.formats.registry import describes_samples
from mtlbio.reading import file_of
from mtlbio.text import as_number


def draft(
    expression_path: str | Path, metadata_path: str | Path | None = None, folder: str | Path | None = None
) -> tuple[str, list[str]]:
    """Draft the YAML of a run.

    Parameters
    ----------
    expression_path, metadata_path : the two files; the metadata may be left out for an h5ad whose ``obs`` describes the
        samples
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
    if metadata_path is None and describes_samples(expression_path):
        metadata_path = expression_path
    table, source = _table(expression_path, metadata_path)
    choice = choose_layer(expression_path)
    measured = Expression(path=str(expression_path), scale="z").model_copy(update=choice.keys)
    drafted = drafted_expression(measured, table, metadata_path is not None)
    data, sample = drafted.data, None
    if metadata_path is not None:
        sample, data = sample_column(table, data, source)
        table = without_row_numbers(without_copies(table, sample, source), source, keep=sample)
        table = table.set_index(pd.Index(table[sample], dtype=object))
    out = Draft(source, table[table.index.isin(data.samples)])
    named = f"column {sample!r} names them as the expression does" if sample is not None else "the index of obs"
    out.notes += [f"samples: {named}", *choice.notes, *drafted.notes]
    out.donor = _donor_column(out, sample)
    scale, why = data.suggested or guess_scale(data)
    out.notes.append(f"scale: {scale}, because the values are {why}")
    out.table = out.table[out.donors.notna()]
    out.used |= {out.donor, *([sample] if sample is not None else [])}
    out.by = _by(out)
    _tasks(out)
    _covariates(out)
    suggest(out)
    _left_out(out)
    gene_sets = _gene_sets(data.genes, out)
    chosen = inline({**choice.keys, **drafted.keys}, scalar)
    inputs = [f"expression: {{path: {path_text(expression_path, folder)}, scale: {scale}{chosen}}}"]
    keys = [f"path: {path_text(metadata_path, folder)}"] if metadata_path is not None else []
    keys += [f"sample: {scalar(sample)}"] if sample is not None else []
    inputs += [f"metadata: {{{', '.join([*keys, f'donor: {scalar(out.donor)}'])}}}"]
    inputs += [f"pseudobulk: {{by: [{scalars(out.by)}]}}"] if out.by is not None else []
    roles = "confounder: upstream of the disease; technical: processing"
    return out.yaml(expression_path.absolute().parent.name, inputs, roles, gene_sets), out.notes


def _table(expression_path: Path, metadata_path: str | Path | None) -> tuple[pd.DataFrame, str]:
    if metadata_path is not None:
        if not file_of(metadata_path)[0].exists():
            raise InputError(f"{metadata_path}: no such file; expected the metadata as csv, tsv or parquet")
        return text_table(read_metadata(metadata_path)), str(metadata_path)
    if not is_annotated(expression_path):
        raise InputError(
            f"{expression_path}: give the metadata file too; only an h5ad file may carry its own, or a "
            f"table of features (--table)"
        )
    modality = choose_layer(expression_path).modality
    return text_table(h5ad_obs(expression_path, modality)), f"{expression_path} (obs)"


def _donor_column(out: Draft, sample: str | None) -> str:
    table = out.table
    named = [c for c in table.columns if has_word(c, guess.DONOR) and c != sample and table[c].notna().any()]
    if named:
        donor = named[0]
        visits = "some with several samples" if table[donor].dropna().duplicated().any() else "one sample each"
        out.notes.append(f"donors: column {donor!r} ({table[donor].nunique()} donors, {visits})")
        return donor
    if sample is None:
        raise InputError(f"{out.source}: no donor column found (such as donor_id); found: {listing(table.columns, 12)}")
    out.notes.append("donors: no donor column found, so every sample counts as a donor of its own: check this")
    return sample


def _by(out: Draft) -> list[str] | None:
    """Columns that make a pseudobulk sample, or None where the samples are no cells."""
    cells, donors = len(out.table), out.donors.nunique()
    if not unit_is_cell(cells, donors) and not (cells > donors and called_like_cells(out.table.index)):
        return None
    by, mixed = sample_columns(out.table, out.donor)
    out.notes.append(
        f"pseudobulk: {cells} rows of {donors} donors look like single cells; cells are summed by "
        f"{' and '.join(['donor', *by])}"
    )
    out.notes += mixed
    return by


def _tasks(out: Draft) -> None:
    table, columns = out.table, list(out.table.columns)
    disease = [c for c in columns if c.lower() in guess.DISEASE] or out.by
    disease = disease or [c for c in columns if c.lower() in guess.CONDITION]
    for column in disease:
        if out.add_class_task(column, "disease" if column.lower() in guess.DISEASE else column):
            break
    age = next((c for c in columns if is_age(c)), None)
    if age is not None:
        values, wrong = as_number(table[age])
        if len(wrong) or values.nunique() < guess.LEAST_VALUES:
            out.leave_out(age, "holds no numbers that vary enough for a regression")
        else:
            out.add_task(identifier(age), age, "regression", "", range_text(values), f"regression on column {age!r}")
    response = [c for c in columns if has_word(c, guess.RESPONSE) and c not in out.used and not is_derived(c)]
    # of several definitions of response, the one that most donors carry; on a tie the later column
    response.sort(key=lambda c: (out.donors[table[c].notna()].nunique(), columns.index(c)), reverse=True)
    for column in response:
        if out.add_class_task(column, "response" if "response" in words(column) else column):
            break
    if not out.tasks:
        raise InputError(
            f"{out.source}: no column that could be a label was recognised (such as disease, age, response); found: "
            f"{listing(columns, 12)}; write the run by hand (config/README.md)"
        )


def _covariates(out: Draft) -> None:
    for column in out.table.columns:
        age = is_age(column) and (column in out.used or not any(is_age(c) for c in out.used))
        if (column in out.used and not age) or is_derived(column) or out.table[column].isna().all():
            continue
        confounder = age or has_word(column, guess.CONFOUNDER)
        if not confounder and (not has_word(column, guess.TECHNICAL) or has_word(column, guess.POSITION)):
            continue
        continuous = age or column.lower() == "bmi"
        reason = _unfit(out, column, continuous)
        out.used.add(column)
        if reason:
            out.leave_out(column, reason)
            continue
        role, why = ("confounder", "known before the disease") if confounder else ("technical", "a name of processing")
        out.add_covariate(column, role, why, as_number(out.table[column])[0] if continuous else None)


def _unfit(out: Draft, column: str, continuous: bool) -> str | None:
    """Why a column cannot be a covariate, if so."""
    values = out.table[column].dropna()
    levels, numbers = values.nunique(), not len(as_number(values)[1])
    if levels < 2:
        return "has one value only"
    if continuous:
        return None if numbers else "holds text where numbers are due"
    unit = None if out.by is None else [out.donor, *out.by]
    if unit and out.varies_within(unit, column):
        return "differs between the cells of one sample"
    if not has_word(column, guess.TECHNICAL) and levels > 10 and numbers:
        return f"holds {levels} different numbers where a few groups are due"
    if levels > 0.5 * (len(out.table[unit].drop_duplicates()) if unit else len(out.table)):
        return f"has {levels} levels, nearly one per sample: an identifier"
    if has_word(column, ("sex", "gender")) and out.varies_within([out.donor], column):
        return "differs between the samples of one donor: correct it first"
    return None


def _left_out(out: Draft) -> None:
    """Say which columns the draft does not use, and why."""
    used = out.used.union(out.by or ())
    rest = [c for c in out.table.columns if c not in used and out.table[c].notna().any()]
    for belongs, why in (
        (is_derived, "derived values, references or book-keeping: neither label nor covariate"),
        (lambda c: has_word(c, guess.POSITION), "position on an array or plate: add as technical if you suspect it"),
        (lambda c: has_word(c, guess.RESPONSE), "further response-like labels: add as tasks if they are the question"),
        (lambda c: True, "not recognised: add as task or covariate where it is one"),
    ):
        columns = [c for c in rest if belongs(c)]
        rest = [c for c in rest if c not in columns]
        if columns:
            out.notes.append(f"left out: {', '.join(columns)} ({why})")


def _gene_sets(genes: np.ndarray, out: Draft) -> str | None:
    measured = set(genes)
    if not any(len(measured.intersection(members)) >= 3 for members in builtin_sets().values()):
        out.notes.append("gene sets: none, because the built-in sets share no gene names with the expression")
        return None
    out.notes.append("gene sets: the small built-in sets; a GMT file of yours (Hallmark, Reactome) says more")
    return "builtin"
