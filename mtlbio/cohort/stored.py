"""Matrices as HDF5 and MatrixMarket files claim to hold them, checked before a library trusts them.

scipy does not look at the indices of a compressed matrix before it follows them: one that is out of range reads or
writes memory that is not its own.
"""

from pathlib import Path

import h5py
import numpy as np
from scipy import sparse

from mtlbio.cohort.hdf5 import opened_hdf5
from mtlbio.cohort.stores import Array, Group, below, is_array, is_group, stored_bytes
from mtlbio.errors import InputError, listing
from mtlbio.reading import check_fits, lines_of, regular_file, text_of, understood

_NUMBERS = "biuf"
_BLOCK = 50_000_000  # indices that are looked at together
# the shortest entry is "1 1 1" and a line end; gzip shrinks to a thousandth at best
_LEAST_ENTRY, _MOST_SHRUNK = 6, 1032
_ENTRY_IN_MEMORY = 16
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


def check_tenx_h5(path: Path) -> None:
    """Raise InputError where a matrix of a Cell Ranger h5 is damaged, in version 3 or 2 (a group per genome)."""
    with opened_hdf5(path, "what 10x Cell Ranger writes as h5") as file:
        check_claims(file, path)
        groups = [group for group in file.values() if isinstance(group, h5py.Group) and "indptr" in group]
        for group in groups:
            genes, cells = (int(n) for n in group["shape"][:])
            check_compressed(group, cells, genes, path)


def check_tenx_folder(folder: Path) -> None:
    """Raise InputError where the numbers at the head of matrix.mtx are not those of its neighbours, or cannot be."""
    matrix, barcodes, features = tenx_files(folder)
    size = regular_file(matrix, "a matrix in MatrixMarket format").st_size
    with understood(matrix, "text in MatrixMarket format"), text_of(matrix, "a matrix") as text:
        lines = lines_of(text, matrix)
        banner = next(lines, "")
        numbers = next((line.split() for line in lines if not line.startswith("%") and line.strip()), [])
    words = banner.lower().split()
    if words[:3] != ["%%matrixmarket", "matrix", "coordinate"] or words[4:5] != ["general"] or words[3] == "complex":
        raise InputError(
            f"{matrix}: begins with {' '.join(banner.split())[:60]!r}; expected "
            f"%%MatrixMarket matrix coordinate integer general"
        )
    if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise InputError(f"{matrix}: found {' '.join(numbers)[:60]!r} for its size; expected genes, cells and entries")
    rows, columns, entries = (int(number) for number in numbers)
    for count, file in ((rows, features), (columns, barcodes)):
        found = _lines(file)
        if count != found:
            raise InputError(
                f"{matrix}: claims {count:,} where {file.name} has {found:,} lines; expected the same number"
            )
    most = size * (_MOST_SHRUNK if matrix.suffix == ".gz" else 1) // _LEAST_ENTRY
    if entries > min(most, rows * columns):
        raise InputError(
            f"{matrix}: claims {entries:,} entries of {rows:,} x {columns:,} in {size:,} bytes; expected at most "
            f"{min(most, rows * columns):,}: a damaged file"
        )
    check_fits(matrix, entries * _ENTRY_IN_MEMORY)


def tenx_files(folder: Path) -> tuple[Path, Path, Path]:
    """Matrix, barcodes and features of a Cell Ranger folder: gzipped, or not where there is a genes.tsv (version 2)."""
    old = (folder / "genes.tsv").is_file()
    names = (
        ("matrix.mtx", "barcodes.tsv", "genes.tsv") if old else ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz")
    )
    if not any(folder.glob("*matrix.mtx*")):
        raise InputError(f"{folder}: a folder without matrix.mtx(.gz); expected the folder that 10x Cell Ranger writes")
    matrix, barcodes, features = (folder / name for name in names)
    return matrix, barcodes, features


def _lines(path: Path) -> int:
    with understood(path, "a text table"), text_of(path, "a line for each") as text:
        return sum(1 for line in lines_of(text, path) if line.strip())
