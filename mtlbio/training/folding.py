"""Which way of folding in a cohort takes."""

from __future__ import annotations

from collections.abc import Callable

from mtlbio.cohort.cohort import Cohort
from mtlbio.kinds import kind_named
from mtlbio.training.canonical_axes import CanonicalAxes


def fold_in_of(cohort: Cohort) -> Callable[..., CanonicalAxes]:
    """:func:`mtlbio.training.fold_in.fold_in` for measurements; what other kinds of run have has its parameters."""
    return kind_named(cohort.kind).part("train", "canonical_axes")
