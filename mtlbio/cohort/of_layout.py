"""Measurements of files and folders that have a layout of a vendor or repository (:mod:`mtlbio.intake.formats`)."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from mtlbio.cohort.measurements import Measurements
from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import measuring
from mtlbio.reading import understood


def of_layout(path: Path, named: str | None = None, described: Collection[str] | None = None) -> Measurements:
    """The measurements of a file or folder with such a layout.

    Parameters
    ----------
    named : the layout, where the run names it
    described : sample identifiers of the metadata: where a file has several names of its samples, those are taken that
        stand there

    Raises
    ------
    InputError
        No such layout, or a damaged file.
    """
    layout = measuring(path, named)
    if layout is None or layout.read is None:
        raise InputError(f"{path}: no layout of a vendor or repository; expected one")
    with understood(path, layout.title):
        content = layout.read(path).named_as(described)
    values = content.values
    samples, genes = (np.array([str(name) for name in names], dtype=str) for names in (values.index, values.columns))
    suggested = None if content.scale is None else (content.scale, content.why)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused by its sample and gene
        matrix = values.to_numpy(dtype=np.float32)
    return Measurements(samples, genes, matrix, str(path), suggested)
