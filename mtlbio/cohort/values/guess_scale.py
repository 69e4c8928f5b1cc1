"""What scale measurements are on, and values of which nothing can be told before they are mended."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.measurements import Measurements, OnDisk
from mtlbio.cohort.values.gene_columns import column_of
from mtlbio.cohort.values.named_scale import read_named
from mtlbio.cohort.values.other_kind import LARGEST_LOG, of_another_kind
from mtlbio.cohort.values.scale_reading import INTENSITIES
from mtlbio.cohort.values.value_profile import Profile, profile
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice

_FLOOR = 1_000  # no intensity of a mass spectrometer that was detected is smaller
_CODES = (-9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, -1e5, -1e6)


def guess_scale(data: Measurements) -> tuple[str, str]:
    """Scale of the values and what speaks for it; doubts are noted.

    Raises
    ------
    InputError
        Infinite values, or values that are on no scale that a run can have.
    """
    _refuse_infinite(data)
    whole = profile(data)
    refuse_codes(data.source, whole)
    apart, _ = of_another_kind(whole)
    seen = whole if isinstance(data.matrix, OnDisk) else whole.of(~apart, data)
    if not seen.whole:
        _refuse_mixed(data)
    found = read_named(seen, data.source)
    if zeros := zeros_apart(seen):
        notice(data.source, zeros, doubt=True)
    if found.scale is None:
        where = f"{first_negative(data, seen)}; " if found.kind == "counts with negatives" else ""
        raise InputError(f"{data.source}: {where or found.why + ': '}{found.otherwise}")
    if found.otherwise:
        notice(data.source, f"scale: {found.scale}? {found.why}; {found.otherwise}", doubt=True)
    return found.scale, found.why


def code_for_missing(seen: Profile) -> tuple[float, int] | None:
    """A number such as -999 that stands far from all others, several times, and how often; None where there is none."""
    values = seen.values
    for code in (values[0], values[-1]) if len(values) > 2 else ():
        same = values == code
        rest = np.abs(values[~same])
        if code in _CODES and same.sum() > 1 and len(rest) and rest.max() * 3 < abs(code):
            return float(code), int(same.sum())
    return None


def refuse_codes(source: str, seen: Profile) -> None:
    """Refuse numbers that stand for missing values."""
    code = code_for_missing(seen)
    if code is not None:
        raise InputError(
            f"{source}: {code[0]:g} stands {code[1]} times far from all others: a code for missing "
            f"values? Write NA; expression.missing says what becomes of these"
        )


def zeros_apart(seen: Profile) -> str:
    """What speaks for zeros that stand for missing values, among values that are all far from zero; else empty."""
    zeros = float((seen.values == 0).mean())
    least = float(seen.positive[0])
    typical = float(np.median(seen.positive))
    far = least > 0.3 * typical and not seen.whole or least > _FLOOR and typical > INTENSITIES
    if seen.low < 0 or not far or not 0.001 < zeros < 0.9:
        return ""
    return f"{zeros:.1%} of the values are 0 and all others are above {least:.3g}: if 0 stands for missing, write NA"


def first_negative(data: Measurements, seen: Profile) -> str:
    """Where the least of counts is that are whole numbers but for some negative ones, and how many these are."""
    place = int(np.flatnonzero(data.genes == seen.genes[int(np.argmin(seen.lowest))])[0])
    found = f"found {seen.low:g}"
    if not isinstance(data.matrix, OnDisk):
        column = column_of(data, place)
        found = f"sample {str(data.samples[int(np.argmin(column))])!r}: found {column.min():g}"
    number = int(seen.negative.sum())
    return f"gene {str(data.genes[place])!r}, {found}: whole numbers as counts are, but for {number} below 0"


def _refuse_mixed(data: Measurements) -> None:
    """Refuse logarithms among which a few samples hold no logarithms."""
    if not isinstance(data.matrix, np.ndarray) or len(data.samples) < 10 or not len(data.genes):
        return
    there = np.where(np.isfinite(data.matrix), data.matrix, -np.inf)
    typical, most = np.quantile(there, (0.5, 0.98), axis=1, method="lower")
    apart = most > LARGEST_LOG
    if 0 < apart.mean() <= 0.2 and typical[apart].min() > 3 * typical[~apart].max() > 0:
        names = listing([repr(str(name)) for name in data.samples[apart]], 4)
        raise InputError(
            f"{data.source}: sample(s) {names} reach {most[apart].max():g} where the others end near "
            f"{most[~apart].max():.3g}: on another scale? Take their logarithm too, or leave them out"
        )


def _refuse_infinite(data: Measurements) -> None:
    _, block = next(data.blocks())
    infinite = np.isinf(block if isinstance(block, np.ndarray) else block.data)
    if infinite.any():
        where = ""
        if isinstance(block, np.ndarray):
            row, gene = (int(places[0]) for places in np.nonzero(infinite))
            where = f" (such as gene {str(data.genes[gene])!r}, sample {str(data.samples[row])!r})"
        raise InputError(
            f"{data.source}: {int(infinite.sum())} infinite values{where}: logs of zero? Add one before the "
            f"logarithm, or write NA"
        )
