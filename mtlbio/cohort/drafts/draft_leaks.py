"""Columns of measurements or features that alone tell a label of a draft."""

import numpy as np
import pandas as pd

from mtlbio.cohort.drafts.drafting import Draft
from mtlbio.cohort.leak import in_words, leaks
from mtlbio.cohort.measurements import Measurements
from mtlbio.intake.amounts import read_amounts

_MOST = 500_000_000  # values that are looked through: more are cells


def leaks_of(out: Draft, data: Measurements) -> list[str]:
    """A note on measurements that alone tell a task; those that are many are no news before a run."""
    places = pd.Index(data.samples).get_indexer(out.table.index)
    if len(data.samples) * len(data.genes) > _MOST or (places < 0).any():
        return []
    values, notes = data.dense()[places], list[str]()
    for column in out.task_columns:
        y, is_class = codes_of(out, column)
        found = leaks(values, data.genes, y, out.donors.to_numpy().astype(str), is_class)
        lines = in_words(found, f"tasks.{out.names[column]}", "AUROC" if is_class else "R2")
        notes += [f"check this: {line}" for line in lines if line.startswith("a leak")]
    return notes


def features_without_leaks(
    out: Draft, numbers: dict, numeric: list[str], categories: list[str]
) -> tuple[list[str], list[str]]:
    """Features of a table without those that alone tell a label, which are left out."""
    columns = {c: numbers[c][0].to_numpy(dtype=float)[:, None] for c in numeric}
    columns |= {c: pd.get_dummies(out.table[c]).to_numpy(dtype=float) for c in categories}
    if not columns:
        return numeric, categories
    owner = np.repeat(list(columns), [v.shape[1] for v in columns.values()])
    values, struck = np.concatenate(list(columns.values()), axis=1), set[str]()
    for column in out.task_columns:
        y, is_class = codes_of(out, column)
        for leak in leaks(values, owner, y, out.donors.to_numpy().astype(str), is_class):
            if leak.column not in struck:
                metric = "AUROC" if is_class else "R2"
                out.leave_out(leak.column, f"alone tells {column!r} ({metric} {leak.value:.3g}): a leak, no feature")
            struck.add(leak.column)
    return [c for c in numeric if c not in struck], [c for c in categories if c not in struck]


def codes_of(out: Draft, column: str) -> tuple[np.ndarray, bool]:
    """(samples,) codes or values of a task's column, NaN where missing, and whether they are classes."""
    if out.kind_of[column] in ("regression", "survival"):
        return read_amounts(out.table[column]).values.to_numpy(dtype=float), False
    codes = pd.factorize(out.table[column])[0].astype(float)
    return np.where(codes < 0, np.nan, codes), True
