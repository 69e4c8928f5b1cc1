"""Which matrix of an AnnData a run means, and whether it is one: X, ``raw.X`` or a layer."""

from pathlib import Path
from typing import Literal

import numpy as np
from anndata.io import sparse_dataset
from scipy import sparse

from mtlbio.cohort.cells.loom import is_loom
from mtlbio.cohort.cells.on_disk import OnDisk
from mtlbio.cohort.cells.stored import check_claims, check_compressed, compressed_part, dense_rows
from mtlbio.cohort.cells.stores import Array, Group, is_array, is_group
from mtlbio.errors import InputError, listing
from mtlbio.reading import understood

_RAW = ("raw", "raw.X", "raw/X")  # how people write it


def matrices(root: Group) -> dict[str, tuple[str, str]]:
    """Every matrix by the name that ``expression.layer`` gives it (``X``, ``raw`` or that of the layer; ``raw.X`` where
    a layer is called raw): its place, and that of the genes' table."""
    if is_loom(root):
        return {"X": ("matrix", "var")} | {str(name): (f"layers/{name}", "var") for name in root.get("layers", ())}
    found, layers = {}, root.get("layers")
    layers = [str(name) for name in layers] if is_group(layers) else []
    raw = "raw.X" if "raw" in layers else "raw"
    if _is_matrix(root.get("X")):
        found["X"] = ("X", "var")
    if is_group(root.get("raw")) and _is_matrix(root["raw"].get("X")):
        found[raw] = ("raw/X", "raw/var")
    elif _is_matrix(root.get("raw.X")):  # before anndata 0.7
        found[raw] = ("raw.X", "raw.var")
    return found | {name: (f"layers/{name}", "var") for name in layers}


def place_of(root: Group, layer: str | None, path: Path) -> tuple[str, str]:
    """Places of a matrix and of its genes' table.

    Raises
    ------
    InputError
        No such layer, or no X where none is named.
    """
    found = matrices(root)
    name = layer or "X"
    if layer in _RAW and layer not in found:
        name = next((known for known in ("raw.X", "raw") if known in found), layer)
    if name in found:
        return found[name]
    there = listing([n for n in found if n != "X"])
    if layer is None:
        raise InputError(
            f"{path}: not an h5ad file with expression: no X in it; expression.layer may name another matrix; "
            f"found: {there}"
        )
    raise InputError(f"{path}: expression.layer: no layer {layer!r}; found: {there}")


def matrix_of(root: Group, key: str, shape: tuple[int, int], path: Path, whole: bool) -> OnDisk:
    """A matrix that is what obs and var say, still in its file; ``whole``: it is going to be read at once.

    Raises
    ------
    InputError
        Another shape, no numbers, a damaged sparse matrix, or a claim beyond the memory or what is stored.
    """
    stored = root[key]
    where = f"{path}: {stored.name}"
    with understood(path, f"an h5ad file whose {stored.name} is a matrix"):
        claimed = tuple(stored.shape if is_array(stored) else sparse_dataset(stored).shape)
        form = "dense" if is_array(stored) else sparse_dataset(stored).format
    layout: Literal["csr", "csc", "dense", "turned"] = (
        "turned" if is_loom(root) else "csr" if form == "csr" else "csc" if form == "csc" else "dense"
    )
    claimed = claimed[::-1] if layout == "turned" else claimed
    if claimed != shape:
        raise InputError(f"{where} has shape {claimed}; obs and var say {shape}")
    if is_group(stored):
        check_compressed(stored, *(shape[::-1] if layout == "csc" else shape), path, whole=False)
    elif stored.dtype.kind not in "biuf":
        raise InputError(f"{where} is of type {stored.dtype}; expected numbers")
    if whole:
        check_claims(stored, path)
    return OnDisk(path, stored.name, shape, layout, np.ones(shape[0], dtype=bool))


def in_memory(matrix: OnDisk, stored: Group | Array) -> sparse.csr_matrix | np.ndarray:
    """All of a matrix, of which ``stored`` is the group or array in an open store."""
    rows, columns = matrix.shape
    if matrix.layout == "csr":
        return compressed_part(stored, 0, rows, columns, matrix.path)
    if matrix.layout == "csc":
        return compressed_part(stored, 0, columns, rows, matrix.path).T.tocsr()
    return dense_rows(stored, 0, rows, matrix.layout == "turned", matrix.path).astype(np.float32)


def _is_matrix(item: object) -> bool:
    return is_group(item) or (is_array(item) and len(item.shape) == 2)  # type: ignore[attr-defined]
