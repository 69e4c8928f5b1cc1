"""Which way of folding in a cohort takes."""

from __future__ import annotations

from collections.abc import Callable

from mtlbio.cohort.cohort import Cohort
from mtlbio.training.canonical_axes import Canonical
from mtlbio.training.fold_in import fold_in
from mtlbio.training.fold_in_table import fold_in_table


def fold_in_of(cohort: Cohort) -> Callable[..., Canonical]:
    """:func:`fold_in` for measurements, :func:`fold_in_table` for a table of features: the same parameters."""
    return fold_in if cohort.table is None else fold_in_table
