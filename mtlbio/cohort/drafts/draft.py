"""A first draft of a run's YAML, guessed from an expression file and its metadata.

Every guess is said, so that a person can correct it: which columns are labels and which are confounders is a
question about the study, and the names of the columns only hint at the answer.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cells.h5ad import h5ad_obs
from mtlbio.cohort.cells.layers import choose_layer
from mtlbio.cohort.cells.units import look_like_cells, sample_columns
from mtlbio.cohort.check import unit_is_cell
from mtlbio.cohort.described_donors import check_described
from mtlbio.cohort.drafts.draft_choices import to_choose, to_name
from mtlbio.cohort.drafts.draft_design import suggest
from mtlbio.cohort.drafts.draft_expression import drafted_expression, inline, sample_column
from mtlbio.cohort.drafts.draft_labels import add_covariates, add_tasks, say_left_out
from mtlbio.cohort.drafts.draft_leaks import leaks_of
from mtlbio.cohort.drafts.draft_values import clean, metadata_keys
from mtlbio.cohort.drafts.drafting import Draft, path_text, scalar, scalars
from mtlbio.cohort.drafts.guess_columns import donor_columns, shared_beginnings
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.cohort.metadata import read_metadata, text_table, without_copies, without_row_numbers
from mtlbio.cohort.values.guess_scale import guess_scale
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.annotated import is_annotated
from mtlbio.intake.formats.registry import describes_samples
from mtlbio.reading import file_of
from mtlbio.text import TO_CHOOSE


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
        Unreadable files, or values that are on no scale that a run can have.
    """
    expression_path = Path(expression_path)
    if metadata_path is None and describes_samples(expression_path):
        metadata_path = expression_path
    table, source = _table(expression_path, metadata_path)
    choice = choose_layer(expression_path)
    measured = Expression(path=str(expression_path), scale="z").model_copy(update=choice.keys)
    drafted = drafted_expression(measured, table, metadata_path is not None)
    data, sample = drafted.data, None
    if len(data.samples) == 1:
        raise InputError(
            f"{expression_path}: holds one sample ({data.samples[0]}); expected a table of all samples, or the folder "
            f"that holds a file of each"
        )
    if metadata_path is not None:
        sample, data = sample_column(table, data, source)
    if sample not in (None, TO_CHOOSE):
        table = without_row_numbers(without_copies(table, sample, source), source, keep=sample)
        table = table.set_index(pd.Index(table[sample], dtype=object))
    out = Draft(source, table if sample == TO_CHOOSE else table[table.index.isin(data.samples)])
    named = "the index of obs" if sample is None else f"column {sample!r} names them as the expression does"
    named = to_name(out, data.samples) if sample == TO_CHOOSE else named
    out.notes += [f"samples: {named}", *choice.notes, *drafted.notes]
    clean(out, [*([] if sample is None else [sample]), *donor_columns(table)])
    out.donor = _donor_column(out, sample)
    scale, why = data.suggested or guess_scale(data)
    out.notes.append(f"scale: {scale}, because the values are {why}")
    nobody = int(out.donors.isna().sum())
    out.notes += [f"donors: {nobody} samples have none and are left out"] if nobody else []
    out.table = out.table[out.donors.notna()]
    out.used |= {out.donor, *([sample] if sample is not None else [])}
    out.by = _by(out) if sample != TO_CHOOSE else None
    add_tasks(out)
    add_covariates(out)
    if out.by is None and sample != TO_CHOOSE:
        out.notes += leaks_of(out, data)
    suggest(out)
    say_left_out(out)
    gene_sets = _gene_sets(data.genes, out)
    chosen = inline({**choice.keys, **drafted.keys}, scalar)
    inputs = [f"expression: {{path: {path_text(expression_path, folder)}, scale: {scale}{chosen}}}"]
    keys = [f"path: {path_text(metadata_path, folder)}"] if metadata_path is not None else []
    keys += [f"sample: {scalar(sample)}"] if sample is not None else []
    inputs += [f"metadata: {{{', '.join([*keys, f'donor: {scalar(out.real(out.donor))}', *metadata_keys(out)])}}}"]
    inputs += to_choose(out, sample)
    inputs += [f"pseudobulk: {{by: [{scalars(map(out.real, out.by))}]}}"] if out.by is not None else []
    roles = "confounder: upstream of the disease; technical: processing"
    return out.yaml(expression_path.absolute().parent.name, inputs, roles, gene_sets), out.notes


def _table(expression_path: Path, metadata_path: str | Path | None) -> tuple[pd.DataFrame, str]:
    if metadata_path is not None:
        if not file_of(metadata_path)[0].exists():
            raise InputError(f"{metadata_path}: no such file; expected the metadata as csv, tsv or parquet")
        table = text_table(read_metadata(metadata_path))
        check_described(expression_path, table, str(metadata_path))
        return table, str(metadata_path)
    if not is_annotated(expression_path):
        raise InputError(
            f"{expression_path}: give the metadata file too; only an h5ad file may carry its own, or a "
            f"table of features (--table)"
        )
    modality = choose_layer(expression_path).modality
    return text_table(h5ad_obs(expression_path, modality)), f"{expression_path} (obs)"


def _donor_column(out: Draft, sample: str | None) -> str:
    table = out.table
    named = [c for c in donor_columns(table) if c != sample]
    if named:
        donor = named[0]
        visits = "some with several samples" if table[donor].dropna().duplicated().any() else "one sample each"
        out.notes.append(f"donors: column {donor!r} ({table[donor].nunique()} donors, {visits})")
        return donor
    if sample in (None, TO_CHOOSE):
        out.table = out.table.assign(**{TO_CHOOSE: out.table.index})
        out.notes.append("donors: no column is called like one of donors: name it as metadata.donor")
        return TO_CHOOSE
    pair = shared_beginnings(table.index)
    told = f"; {pair[0]!r} and {pair[1]!r} look like samples of one: if so, write a column of donors" if pair else ""
    out.notes.append(f"donors: no donor column found, so every sample counts as a donor of its own: check this{told}")
    return sample


def _by(out: Draft) -> list[str] | None:
    """Columns that make a pseudobulk sample, or None where the samples are no cells."""
    cells, donors = len(out.table), out.donors.nunique()
    if not unit_is_cell(cells, donors) and not look_like_cells(out.table, out.donor):
        return None
    by, mixed = sample_columns(out.table, out.donor)
    out.notes.append(
        f"pseudobulk: {cells} rows of {donors} donors look like single cells; cells are summed by "
        f"{' and '.join(['donor', *by])}"
    )
    out.notes += mixed
    return by


def _gene_sets(genes: np.ndarray, out: Draft) -> str | None:
    measured = set(genes)
    if not any(len(measured.intersection(members)) >= 3 for members in builtin_sets().values()):
        out.notes.append("gene sets: none, because the built-in sets share no gene names with the expression")
        return None
    out.notes.append("gene sets: the small built-in sets; a GMT file of yours (Hallmark, Reactome) says more")
    return "builtin"
