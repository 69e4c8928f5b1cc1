"""Whether measurements can be what a run's scale says, with both readings where they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from mtlbio.cohort.measurements import Measurements, OnDisk
from mtlbio.cohort.values.gene_columns import in_memory
from mtlbio.cohort.values.guess_scale import first_negative, refuse_codes, zeros_apart
from mtlbio.cohort.values.named_scale import read_named, says_counts
from mtlbio.cohort.values.other_kind import LARGEST_LOG, of_another_kind
from mtlbio.cohort.values.scale_reading import Reading, estimated_counts
from mtlbio.cohort.values.value_profile import Profile, profile
from mtlbio.errors import InputError
from mtlbio.intake.notes import notice

_ENOUGH = 200  # values, to be sure of a reading
_SEVERAL = 0.05  # share of columns: fewer that are out of range are named one by one
_AS_THEY_ARE = "to use them as they are: scale: z"
_RAW = ("counts", "estimated counts", "linear", "intensities", "negative intensities", "percent")
# scale of a run -> readings that it cannot be (an error), and that it may be (a doubt)
_REFUSED = {
    "counts": ("linear", "beta", "percent", "log", "log2", "z", "negative intensities"),
    "log": (*_RAW, "beta"),
    "log2": (*_RAW, "beta"),
    "z": (),
    "beta": ("percent",),
    "percent": ("beta",),
    "linear": (),
}
_DOUBTED = {
    "z": (*_RAW, "beta"),
    "log": ("binary", "genotypes"),
    "log2": ("binary", "genotypes"),
    "beta": ("binary",),
    "linear": ("counts", "log", "log2", "beta", "percent"),
}


def check_scale(data: Measurements, scale: str) -> None:
    """Refuse values that look like another scale than the run's; note where they may be.

    Raises
    ------
    InputError
        Naming what the values look like and what the run says of them.
    """
    if isinstance(data.matrix, OnDisk):  # cells are checked as they are summed
        return
    whole = profile(data)
    refuse_codes(data.source, whole)
    apart, odd = of_another_kind(whole)
    for gene, why in odd.items():
        if _breaks(whole, gene, scale):
            raise InputError(f"{data.source}: scale: {scale}, but {odd_column(gene, why)}")
        notice(data.source, odd_column(gene, why), doubt=True)
    seen = whole.of(~apart, data)
    if len(seen.values) < _ENOUGH or len(data.samples) < 3 or not (seen.highest > seen.lowest).any():
        return
    found = read_named(seen, data.source)
    if zeros := zeros_apart(seen):
        notice(data.source, zeros, doubt=True)
    if found.kind == "counts with negatives" and scale == "counts":
        raise InputError(f"{data.source}: {first_negative(data, seen)}; scale counts: {found.otherwise}")
    outside = (np.abs(seen.highest) > LARGEST_LOG).mean() > _SEVERAL or seen.high <= LARGEST_LOG
    refused = found.kind in _REFUSED[scale] and _certain(found, scale, seen, data.source)
    if refused and outside:
        way_out = f"scale: {found.scale}" if found.scale else found.otherwise
        as_is = f"; {_AS_THEY_ARE}" if scale in ("log", "log2") and seen.high <= LARGEST_LOG else ""
        raise InputError(f"{data.source}: scale: {scale}, but the values are {found.why}: {way_out}{as_is}")
    if (
        found.kind in _DOUBTED.get(scale, ())
        and seen.high <= LARGEST_LOG
        or scale == "linear"
        and found.kind in _DOUBTED[scale]
    ):
        notice(data.source, f"scale: {scale}, but the values look like {found.why}: scale: {found.scale}?", doubt=True)


def _breaks(seen: Profile, gene: str, scale: str) -> bool:
    """Whether most values of an odd column cannot be on the scale: one value alone is better named with its sample."""
    at = seen.genes == gene
    typical, high = seen.typical[at].max(), np.abs(seen.highest[at]).max()
    if scale == "counts":
        return bool(seen.fractional[at].max() > 0.5 * len(seen.totals) or typical < 0)
    if scale in ("beta", "percent"):
        return bool(not 0 <= typical <= (1 if scale == "beta" else 100))
    return bool(typical < 0 if scale == "linear" else high > LARGEST_LOG)


def _certain(found: Reading, scale: str, seen: Profile, source: str) -> bool:
    """Whether a reading leaves no room for what the run says."""
    if found.kind == "counts":
        return seen.high > 2
    if found.kind == "beta":
        return seen.high > 0.5
    return scale != "counts" or not estimated_counts(seen, says_counts(source))


def odd_column(name: str, why: str = "") -> str:
    """What is said of a column that is likely no gene."""
    looks = f" looks like a number of another kind ({why})" if why else " is called as metadata are"
    return f"column {name!r}{looks}: if it is no gene, remove it or write expression.drop: [{name}]"


def as_counts(data: Measurements, scale: str) -> Measurements:
    """Estimated counts (salmon, tximport, RSEM) rounded to whole ones, with a note; all else as it is."""
    if scale != "counts" or isinstance(data.matrix, OnDisk):
        return data
    seen = profile(data)
    apart, _ = of_another_kind(seen)
    seen = seen.of(~apart, data)
    kinds = ("estimated counts", "linear")
    if not estimated_counts(seen, says_counts(data.source)) or read_named(seen, data.source).kind not in kinds:
        return data
    matrix = in_memory(data)
    stored = matrix if isinstance(matrix, np.ndarray) else matrix.data
    changed = float((stored != np.round(stored)).mean())
    notice(data.source, f"estimated counts rounded to whole numbers ({changed:.0%} of the values were not whole)")
    if isinstance(matrix, np.ndarray):
        return replace(data, matrix=np.round(matrix))
    rounded = sparse.csr_matrix((np.round(matrix.data), matrix.indices, matrix.indptr), matrix.shape)
    rounded.eliminate_zeros()
    return replace(data, matrix=rounded)
