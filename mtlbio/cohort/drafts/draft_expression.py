"""The measurements of a draft: which way they lie, who is in them, and what keys of ``expression`` they need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cells.tenx import described_in
from mtlbio.cohort.drafts.guess import words
from mtlbio.cohort.expression import genes_in, names_of_columns, read_expression
from mtlbio.cohort.genesets import builtin_sets
from mtlbio.cohort.measurements import Measurements, OnDisk, check_names
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.values.annotation import is_of_people, names_genes
from mtlbio.cohort.values.gene_columns import only
from mtlbio.cohort.values.guess_scale import refuse_codes
from mtlbio.cohort.values.matching import matched, named_as
from mtlbio.cohort.values.missing import gaps_in, proposal
from mtlbio.cohort.values.other_kind import of_another_kind
from mtlbio.cohort.values.tidy import tidied
from mtlbio.cohort.values.value_profile import profile
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.text import TO_CHOOSE

_LEAST_IN_SET, _MOST_COLUMNS = 3, 3
_FEW_GENES = 20
_SMALL = 50_000_000  # values: what fits into memory is looked at whole


@dataclass(frozen=True)
class DraftedExpression:
    """Measurements as a draft reads them.

    Attributes
    ----------
    data : without what is no gene, its samples named as the metadata names them
    keys : further keys of ``expression`` by name, as values of YAML
    notes : what was guessed, one line each
    """

    data: Measurements
    keys: dict[str, str | list[str]]
    notes: list[str]


def drafted_expression(expression: Expression, table: pd.DataFrame, described: bool) -> DraftedExpression:
    """Read the measurements of a draft.

    Parameters
    ----------
    expression : path (and whatever else is known); its scale is not looked at
    table : the metadata as text
    described : whether the metadata is a file of its own

    Raises
    ------
    InputError
        Whatever :func:`mtlbio.cohort.expression.read_expression` raises.
    """
    # a flat expression file may hold its identifiers under the same name
    likely = next((c for c in table.columns if "sample" in words(c)), "sample_id")
    lies = genes_in(expression.path, likely, table if described else None)
    keys: dict[str, str | list[str]] = {"genes_in": "rows"} if lies == "rows" else {}
    obs = described_in(table, expression.path) if described else table.index
    data = read_expression(expression.model_copy(update={"genes_in": lies}), likely, obs, on_disk=True)
    check_names(data)
    if isinstance(data.matrix, OnDisk) and len(data.samples) * len(data.genes) <= _SMALL:
        data = replace(data, matrix=data.dense())
    if keys and (better := _with_symbols(expression, likely, data)) is not None:
        keys["genes"], data = better
    data = tidied(data, None, QcList())
    notes = ["genes: in rows, samples in columns (genes_in: rows)"] if keys else []
    notes += [f"genes: named by column {keys['genes']!r}, as the gene sets name them"] if "genes" in keys else []
    if isinstance(data.matrix, OnDisk):
        return DraftedExpression(data, keys, notes)
    if described:
        _refuse_swapped(data, table)
    drop = _no_genes(data)
    if drop:
        keys["drop"] = list(drop)
        data = only(data, ~np.isin(data.genes, list(drop)))
        notes += [f"left out of the genes (drop): {name!r}, {why}: check this" for name, why in list(drop.items())[:6]]
    gaps = gaps_in(data)
    if gaps is not None:
        keys["missing"] = proposal(gaps)
        notes.append(f"missing: {keys['missing']}, because of {gaps}; drop, fill and stop are valid")
    return DraftedExpression(data, keys, notes)


def sample_column(table: pd.DataFrame, data: Measurements, source: str) -> tuple[str, Measurements]:
    """The column of the metadata that names the samples (``TO_CHOOSE`` where none does), and the measurements with its
    names."""
    once = table[~table.duplicated()]
    unique = [c for c in table.columns if once[c].dropna().is_unique and table[c].notna().any()]
    shared = {c: int(table[c].isin(data.samples).sum()) for c in unique}
    best = _best(shared)
    if best is not None and shared[best]:
        return best, replace(data, samples=named_as(data.samples, table[best].dropna(), Path(data.source)))
    twice = {c: table[c].isin(data.samples).mean() for c in table.columns if c not in unique}
    most = max(twice, key=lambda c: twice[c], default=None)
    if most is not None and twice[most] > 0.5:
        return most, data  # said where it is made the index
    renamed = {c: matched(data.samples, table[c].dropna())[0] for c in unique}
    shared = {c: int(table[c].isin(names).sum()) for c, names in renamed.items()}
    best = _best(shared)
    if best is not None and shared[best]:
        return best, replace(data, samples=named_as(data.samples, table[best].dropna(), Path(data.source)))
    if np.isin(data.samples, table.columns).mean() > 0.5:
        raise InputError(
            f"{source}: its columns are the samples ({listing(data.samples, 3)}): turned on its side? expected a row "
            f"for every sample: transpose it"
        )
    return TO_CHOOSE, data


def _best(shared: dict[str, int]) -> str | None:
    """The column that most samples are in; of several the one that is called so."""
    return max(shared, key=lambda c: (shared[c], "sample" in words(c), "id" in words(c)), default=None)


def inline(keys: dict[str, str | list[str]], scalar) -> str:
    """Further keys of ``expression`` as they stand in its braces; ``scalar`` writes one value."""
    texts = {k: scalar(v) if isinstance(v, str) else f"[{', '.join(map(scalar, v))}]" for k, v in keys.items()}
    return "".join(f", {key}: {text}" for key, text in texts.items())


def _with_symbols(expression: Expression, likely: str, data: Measurements) -> tuple[str, Measurements] | None:
    """Another column that names genes as the built-in gene sets do, where the first does not, and what is read so."""
    if _in_sets(data.genes):
        return None
    columns = [c for c in names_of_columns(expression.path) if names_genes(c)][:_MOST_COLUMNS]
    for column in columns:
        try:
            found = read_expression(expression.model_copy(update={"genes_in": "rows", "genes": column}), likely)
        except InputError:  # a column of other things that is called so
            continue
        if _in_sets(found.genes):
            return column, found
    return None


def _in_sets(genes: np.ndarray) -> bool:
    measured = set(genes.tolist())
    return any(len(measured.intersection(members)) >= _LEAST_IN_SET for members in builtin_sets().values())


def _refuse_swapped(data: Measurements, table: pd.DataFrame) -> None:
    """Refuse a description of samples where measurements are due, and the other way round."""
    some = table.iloc[:, : 10 * _FEW_GENES]
    if len(data.genes) > _FEW_GENES or table.shape[1] < 3 * max(len(data.genes), _FEW_GENES):
        return
    numbers = [pd.to_numeric(some[c], errors="coerce").notna().mean() > 0.5 for c in some.columns]
    if np.mean(numbers) > 0.9:
        raise InputError(
            f"{data.source}: holds {len(data.genes)} column(s) of numbers, and the file that should describe the "
            f"samples {table.shape[1]:,}: give the measurements first, then the metadata"
        )


def _no_genes(data: Measurements) -> dict[str, str]:
    """Columns that are no genes, and why: named as metadata are, or far from all others."""
    seen = profile(data)
    refuse_codes(data.source, seen)
    _, odd = of_another_kind(seen)
    named = {name: "called as metadata are" for name in data.genes.tolist() if is_of_people(name)}
    far = {name: f"looks like a number of another kind ({why})" for name, why in odd.items()}
    return named | far
