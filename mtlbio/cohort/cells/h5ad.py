"""Measurements with a description of their samples: AnnData (h5ad, zarr), a modality of MuData (h5mu), loom."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cells.frames import frame_of, index_of
from mtlbio.cohort.cells.loom import is_loom, loom_frame
from mtlbio.cohort.cells.matrix import in_memory, matrix_of, place_of
from mtlbio.cohort.cells.modality import chosen, with_common
from mtlbio.cohort.cells.stores import Group, opened_store
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.values.gene_names import gene_names, numbered
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.reading import understood

EXPECTED = "a readable HDF5 file, as AnnData or 10x Cell Ranger writes it"


def read_h5ad(expression: Expression, on_disk: bool = False) -> Measurements:
    """What a run names of an AnnData, MuData or loom file: X, ``raw.X`` or a layer, with the names that belong to it.

    ``on_disk`` leaves the matrix in the file (:class:`mtlbio.cohort.cells.on_disk.OnDisk`).
    """
    path = Path(expression.path)
    with opened_annotated(path, expression.modality) as root:
        key, var = place_of(root, expression.layer, path)
        samples, genes = _samples(root, path), gene_names(root, var, expression.genes, path)
        matrix = matrix_of(root, key, (len(samples), len(genes)), path, whole=not on_disk)
        values = matrix if on_disk else in_memory(matrix, root[key])
    return Measurements(samples, genes, values, str(path))


def h5ad_names(expression: Expression) -> tuple[np.ndarray, np.ndarray]:
    """Samples and genes (text), without the measurements."""
    path = Path(expression.path)
    with opened_annotated(path, expression.modality) as root:
        _, var = place_of(root, expression.layer, path)
        return _samples(root, path), gene_names(root, var, expression.genes, path)


def h5ad_obs(path: str | Path, modality: str | None = None) -> pd.DataFrame:
    """``obs`` as it is typed; its index is text without blanks around it, and numbered where a name stands twice.

    Of MuData: that of the modality, with what only the ``obs`` above it has.
    """
    path = Path(path)
    with opened_annotated(path, modality, whole=True) as root:
        obs = with_common(root, _frame(chosen(root, modality, path), "obs", path), path)
        names = _samples(chosen(root, modality, path), path)
    unique = numbered(names)
    if (unique != names).any():
        notice(path, f"obs: {int((unique != names).sum())} names stand a second time; they are numbered (name-1, ...)")
    return obs.set_axis(pd.Index(unique, name="sample", dtype=object), axis=0)


@contextmanager
def opened_annotated(path: Path, modality: str | None, whole: bool = False) -> Iterator[Group]:
    """The group that is an AnnData (or loom) in an open store; ``whole``: the top, where a MuData keeps what is common.

    Raises
    ------
    InputError
        No such store, one of another kind, or no such modality.
    """
    with opened_store(path, EXPECTED) as root:
        if "tables" in root and "obs" not in root:
            tables = [f"tables/{name}" for name in root["tables"]]
            raise InputError(f"{path}: a SpatialData store: give the path of a table in it ({listing(tables)})")
        found = chosen(root, modality, path)
        if not is_loom(found):
            missing = [key for key in ("obs", "var") if key not in found]
            if missing:
                raise InputError(
                    f"{path}: not an h5ad file with expression: no {listing(missing)} in it (found: {listing(found)})"
                )
        yield root if whole else found


def _frame(root: Group, key: str, path: Path) -> pd.DataFrame:
    if is_loom(root):
        with understood(path, "a loom file"):
            return loom_frame(root, key)
    return frame_of(root, key, path)


def _samples(root: Group, path: Path) -> np.ndarray:
    """Names of the samples, without the blanks around them that tables lose too."""
    names = index_of(root, "obs", path) if not is_loom(root) else _frame(root, "obs", path).index.to_numpy().astype(str)
    stripped = np.char.strip(names) if len(names) else names
    if (stripped != names).any():
        notice(path, f"{int((stripped != names).sum())} sample names have blanks before or behind them: dropped")
    return stripped
