"""Methylation in percent: what is between 0 and 100 at places that are called cg... is meant as a fraction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtlbio.intake.notes import notice

_SITE = re.compile(r"(cg\d{8}|ch\.[\dXY]+\.\d+[FR]?|chr[\dXYM]+[:._-]\d+([:._-]\d+)?)([_.].*)?", re.IGNORECASE)
_LOOKED_AT = 1000


def are_sites(names: Sequence[str]) -> bool:
    """Whether names of columns are places of methylation: of an array (cg...), or of the genome."""
    names = list(names[:_LOOKED_AT])
    return bool(names) and sum(_SITE.fullmatch(str(name)) is not None for name in names) > len(names) / 2


def as_fractions(values: np.ndarray, names: Sequence[str], path: Path) -> np.ndarray:
    """The values divided by 100 where they are percent (between 0 and 100, at places of methylation), which is said."""
    if not are_sites(names) or not values.size:
        return values
    low, high = np.nanmin(values), np.nanmax(values)
    # a beta that rounding or a batch's correction took a little out of 0 to 1 is none in percent
    # whole numbers may be reads
    if not (low >= 0 and 2 < high <= 100) or (values == np.round(values)).all():
        return values
    notice(path, f"methylation in percent (from {low:g} to {high:g}): divided by 100")
    return values / 100
