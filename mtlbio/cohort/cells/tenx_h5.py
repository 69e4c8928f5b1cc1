"""The h5 files of Cell Ranger: version 3 (one matrix, with the type of every feature) and 2 (a group per genome)."""

from pathlib import Path

import h5py
import numpy as np
from scipy import sparse

from mtlbio.cohort.cells.frames import as_names
from mtlbio.cohort.cells.hdf5 import opened_hdf5
from mtlbio.cohort.cells.on_disk import OnDisk
from mtlbio.cohort.cells.stored import check_claims, check_compressed, compressed_part
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.reading import understood

_WHAT = "what 10x Cell Ranger writes as h5"
_EXPRESSION = "Gene Expression"


def holds_anndata(path: Path) -> bool:
    """Whether a file that ends in .h5 is an AnnData (or MuData) in truth."""
    with opened_hdf5(path, f"a readable HDF5 file: {_WHAT}") as file:
        return "obs" in file and ("var" in file or "mod" in file)


def read_h5(path: Path, on_disk: bool) -> tuple[np.ndarray, np.ndarray, sparse.csr_matrix | OnDisk]:
    """Cells, genes (a name may stand twice) and cells x genes.

    Raises
    ------
    InputError
        No matrix as Cell Ranger writes it, several genomes, or a damaged file.
    """
    with opened_hdf5(path, f"a readable HDF5 file: {_WHAT}") as file:
        group = _matrix(file, path)
        names = group["features"] if isinstance(group.get("features"), h5py.Group) else group
        for key in ("barcodes", "shape"):
            if key not in group:
                raise InputError(f"{path}: not {_WHAT}: no {group.name}/{key}")
        for place in (group["barcodes"], names):
            if place is not group:
                check_claims(place, path)
        with understood(path, _WHAT):
            cells = as_names(group["barcodes"][:])
            genes = as_names(_first(names, ("name", "gene_names", "id", "genes"))[:])
            size = tuple(int(n) for n in group["shape"][:])
            types = as_names(names["feature_type"][:]) if "feature_type" in names else None
        if size != (len(genes), len(cells)) or (types is not None and len(types) != len(genes)):
            raise InputError(
                f"{path}: {group.name} has shape {size}; its names are {len(genes)} features and {len(cells)} cells"
            )
        check_compressed(group, len(cells), len(genes), path, whole=False)
        kept = _of_expression(types, len(genes), path)
        shape = (len(cells), len(genes))
        if on_disk:
            columns = None if kept.all() else kept
            return cells, genes[kept], OnDisk(path, group.name, shape, "csr", np.ones(len(cells), dtype=bool), columns)
        check_claims(group, path)
        matrix = compressed_part(group, 0, len(cells), len(genes), path)
    return cells, genes[kept], matrix if kept.all() else matrix[:, kept]


def _matrix(file: h5py.File, path: Path) -> h5py.Group:
    groups = {name: item for name, item in file.items() if isinstance(item, h5py.Group) and "indptr" in item}
    if len(groups) > 1:
        raise InputError(f"{path}: holds several genomes ({listing(groups)}); expected one: split the file by genome")
    if not groups:
        hint = " (the file of molecules: filtered_feature_bc_matrix.h5 is due)" if "molecule_idx" in file else ""
        hint = hint or (" (the file of molecules: filtered_feature_bc_matrix.h5 is due)" if "umi" in file else "")
        raise InputError(f"{path}: not {_WHAT}: no matrix in it; found: {listing(file)}{hint}")
    return next(iter(groups.values()))


def _first(group: h5py.Group, names: tuple[str, ...]) -> h5py.Dataset:
    return group[next((name for name in names if name in group), names[0])]


def _of_expression(types: np.ndarray | None, count: int, path: Path) -> np.ndarray:
    """(count,) the features that are genes where others were measured too; told."""
    if types is None or _EXPRESSION not in types:
        return np.ones(count, dtype=bool)
    kept = types == _EXPRESSION
    if not kept.all():
        left = listing([f"{int((types == kind).sum())} of {kind}" for kind in np.unique(types[~kept])])
        notice(path, f"the {int(kept.sum())} features of {_EXPRESSION} are read, not {left}")
    return kept
