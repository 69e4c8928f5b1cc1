"""AnnData files (h5ad): the measurements, the names of samples and genes, and what describes the samples."""

from contextlib import AbstractContextManager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, sparse_dataset
from scipy import sparse

from mtlbio.cohort.hdf5 import opened_hdf5
from mtlbio.cohort.measurements import Measurements, OnDisk
from mtlbio.cohort.stored import check_claims, check_compressed
from mtlbio.errors import InputError, listing
from mtlbio.reading import understood


def read_h5ad(path: Path, layer: str | None, on_disk: bool) -> Measurements:
    """X or a layer of an h5ad; ``on_disk`` leaves a row-compressed matrix in the file."""
    with _h5(path) as file:
        samples, genes = _both_names(file, ("obs", "var") if layer else ("obs", "var", "X"), path)
        layers = list(file["layers"]) if "layers" in file else []
        if layer is not None and layer not in layers:
            raise InputError(f"{path}: expression.layer: no layer {layer!r}; found: {listing(layers)}")
        key = "X" if layer is None else f"layers/{layer}"
        matrix = _matrix(file[key], (len(samples), len(genes)), path, on_disk)
    return Measurements(samples, genes, matrix, str(path))


def h5ad_names(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Samples and genes of an h5ad (text), without its measurements."""
    with _h5(path) as file:
        return _both_names(file, ("obs", "var"), path)


def h5ad_obs(path: str | Path) -> pd.DataFrame:
    """``obs`` of an h5ad as it is typed, its index as text."""
    with _h5(Path(path)) as file:
        if not isinstance(file.get("obs"), h5py.Group):
            raise InputError(f"{path}: not an h5ad file: no obs in it")
        obs = _frame(file, "obs", Path(path))
    return obs.set_axis(pd.Index(obs.index.astype(str), name="sample", dtype=object), axis=0)


def _matrix(stored, shape: tuple[int, int], path: Path, on_disk: bool) -> OnDisk | sparse.csr_matrix | np.ndarray:
    """A matrix of an h5ad that is what obs and var say, and fits into memory unless it stays on disk."""
    with understood(path, f"an h5ad file whose {stored.name} is a matrix"):
        claimed = tuple(stored.shape if isinstance(stored, h5py.Dataset) else sparse_dataset(stored).shape)
        by_rows = isinstance(stored, h5py.Group) and sparse_dataset(stored).format == "csr"
    if claimed != shape:
        raise InputError(f"{path}: {stored.name} has shape {claimed}; obs and var say {shape}")
    left = on_disk and by_rows
    if isinstance(stored, h5py.Group):
        check_compressed(stored, *(shape if by_rows else shape[::-1]), path, whole=not left)
    elif stored.dtype.kind not in "biuf":
        raise InputError(f"{path}: {stored.name} is of type {stored.dtype}; expected numbers")
    if left:
        return OnDisk(path, stored.name, np.ones(shape[0], dtype=bool))
    check_claims(stored, path)
    with understood(path, f"an h5ad file whose {stored.name} is a matrix"):
        matrix = read_elem(stored)
        return sparse.csr_matrix(matrix) if sparse.issparse(matrix) else np.asarray(matrix, dtype=np.float32)


def _frame(file: h5py.File, key: str, path: Path) -> pd.DataFrame:
    """obs or var of an open h5ad."""
    check_claims(file[key], path)
    with understood(path, f"an h5ad file whose {key} is a table"):
        frame = read_elem(file[key])
        if isinstance(frame, pd.DataFrame):
            return frame
    raise InputError(f"{path}: {key} is no table; expected an h5ad as AnnData writes it")


def _both_names(file, needed: tuple[str, ...], path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Samples and genes of an open h5ad that has what is needed."""
    missing = [key for key in needed if key not in file]
    if missing:
        raise InputError(f"{path}: not an h5ad file with expression: no {listing(missing)} in it")
    return _text(_frame(file, "obs", path).index), _text(_frame(file, "var", path).index)


def _h5(path: Path) -> AbstractContextManager[h5py.File]:
    return opened_hdf5(path, "a readable HDF5 file, as AnnData or 10x Cell Ranger writes it")


def _text(values) -> np.ndarray:
    return np.asarray(values).astype(str)
