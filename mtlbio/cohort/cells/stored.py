"""Matrices as HDF5 files and zarr stores claim to hold them, checked before a library trusts them.

scipy does not look at the indices of a compressed matrix before it follows them: one that is out of range reads or
writes memory that is not its own.
"""

from pathlib import Path

import numpy as np
from scipy import sparse

from mtlbio.cohort.cells.stores import Array, Group, below, is_array, is_group, stored_bytes
from mtlbio.errors import InputError, listing
from mtlbio.reading import check_fits, understood

_NUMBERS = "biuf"
_BLOCK = 50_000_000  # indices that are looked at together
# an HDF5 file may claim what was never written, and a library takes its time to make it up
_LEAST_LIE, _MOST_COMPRESSED = 10_000_000, 10_000


def check_claims(place: Group | Array, path: Path) -> None:
    """Raise InputError where the data sets below ``place`` claim more than the memory holds."""
    total, held = 0.0, 0
    with understood(path, "a readable HDF5 file or zarr store"):
        for item in below(place) if is_group(place) else [place] if is_array(place) else []:
            total += float(np.prod([float(n) for n in item.shape])) * item.dtype.itemsize
            held += stored_bytes(item)
    check_fits(path, total, place.name)
    if total > _LEAST_LIE and total > _MOST_COMPRESSED * held:
        raise InputError(f"{path}: {place.name} claims {total:,.0f} bytes and holds {held:,}: a damaged file")


def check_compressed(group: Group, rows: int, columns: int, path: Path, whole: bool = True) -> None:
    """Raise InputError where a matrix of ``data``, ``indices`` and ``indptr`` is none of (rows, columns).

    ``rows`` are what is compressed: columns of a csc matrix. ``whole`` False leaves the indices to
    :func:`check_indices`, block by block as they are read.
    """
    where = f"{path}: {group.name}"
    missing = [key for key in ("data", "indices", "indptr") if not is_array(group.get(key))]
    if missing:
        raise InputError(f"{where}: no {listing(missing)} in it; expected a sparse matrix")
    data, indices, pointers = (group[key] for key in ("data", "indices", "indptr"))
    if any(part.ndim != 1 for part in (data, indices, pointers)) or any(
        p.dtype.kind not in "iu" for p in (indices, pointers)
    ):
        raise InputError(f"{where}: indices and indptr are no lists of whole numbers; expected a sparse matrix")
    if data.dtype.kind not in _NUMBERS:
        raise InputError(f"{where}: data is of type {data.dtype}; expected numbers")
    if pointers.shape[0] != rows + 1:
        raise InputError(f"{where}: indptr has {pointers.shape[0]} values; expected {rows + 1} for a matrix of {rows}")
    if indices.shape[0] != data.shape[0]:
        raise InputError(f"{where}: {indices.shape[0]} indices of {data.shape[0]} values; expected one for each")
    with understood(path, "a readable HDF5 file"):
        places = pointers[:].astype(np.int64)
    if places[0] != 0 or places[-1] != indices.shape[0] or (np.diff(places) < 0).any():
        raise InputError(
            f"{where}: indptr does not run from 0 to the {indices.shape[0]} indices without falling: a damaged file"
        )
    for start in range(0, indices.shape[0] if whole else 0, _BLOCK):
        with understood(path, "a readable HDF5 file"):
            block = indices[start : start + _BLOCK]
        check_indices(block, columns, where)


def check_indices(indices: np.ndarray, columns: int, where: str) -> None:
    """Raise InputError where an index is below 0 or beyond the columns."""
    if len(indices) and (indices.min() < 0 or indices.max() >= columns):
        wrong = int(indices.min() if indices.min() < 0 else indices.max())
        raise InputError(f"{where}: indices hold {wrong}; expected 0 to {columns - 1}: a damaged file")


def compressed_part(group: Group, start: int, stop: int, width: int, path: Path) -> sparse.csr_matrix:
    """Rows ``start`` to ``stop`` of a csr matrix (or columns of a csc, as rows) of a store whose ``indptr`` was checked
    (:func:`check_compressed`); ``width``: its columns (of csc its rows)."""
    with understood(path, "a readable HDF5 file or zarr store"):
        places = np.asarray(group["indptr"][start : stop + 1]).astype(np.int64)
        values = _computable(group["data"][places[0] : places[-1]])
        indices = np.asarray(group["indices"][places[0] : places[-1]])
    check_indices(indices, width, f"{path}: {group.name}")
    return sparse.csr_matrix((values, indices, places - places[0]), shape=(len(places) - 1, width))


def dense_rows(array: Array, start: int, stop: int, turned: bool, path: Path) -> np.ndarray:
    """Some rows of a dense matrix on disk; ``turned``: its rows are the columns there."""
    with understood(path, "a readable HDF5 file or zarr store"):
        return _computable(array[:, start:stop].T if turned else array[start:stop])


def _computable(values: np.ndarray) -> np.ndarray:
    """Numbers of a type that scipy computes with: no half floats, booleans or foreign byte order."""
    values = np.asarray(values)
    if values.dtype.kind == "b" or values.dtype == np.float16:
        return values.astype(np.float32)
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))
