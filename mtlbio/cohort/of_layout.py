"""Measurements of files and folders that have a layout of a vendor or repository (:mod:`mtlbio.intake.formats`)."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import unique_ids
from mtlbio.config import Expression
from mtlbio.errors import InputError
from mtlbio.intake.formats.registry import measuring
from mtlbio.reading import understood


def of_layout(expression: Expression, described: Collection[str] | None = None) -> Measurements | None:
    """The measurements of a file that has such a layout; None of ordinary tables, h5ad and 10x.

    Parameters
    ----------
    expression : path of the run, and the layout where the run names one
    described : sample identifiers of the metadata: where a file has several names of its samples, those are taken that
        stand there

    Raises
    ------
    InputError
        A damaged file, or one that holds no table; samples that stand twice; a layer.
    """
    path = Path(expression.path)
    layout = measuring(path, expression.format)
    if layout is None or layout.read is None:
        return None
    if expression.layer is not None:
        raise InputError(f"{path}: expression.layer: {expression.layer!r} given, but only h5ad files have layers")
    with understood(path, layout.title):
        content = layout.read(path).named_as(described)
    values = content.values
    samples, genes = (np.array([str(name) for name in names], dtype=str) for names in (values.index, values.columns))
    unique_ids(samples, str(path))
    suggested = None if content.scale is None else (content.scale, content.why)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused by its sample and gene
        matrix = values.to_numpy(dtype=np.float32)
    return Measurements(samples, genes, matrix, str(path), suggested)
