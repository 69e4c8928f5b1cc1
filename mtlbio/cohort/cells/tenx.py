"""Cells or samples as a matrix, their barcodes and its features: what Cell Ranger and its kin write."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import io as scipy_io
from scipy import sparse

from mtlbio.cohort.cells.tenx_h5 import read_h5
from mtlbio.cohort.cells.tenx_text import barcodes_of, check_head, features_of
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.values.gene_names import numbered
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.intake.formats.registry import recognise
from mtlbio.intake.notes import notice
from mtlbio.intake.tenx_files import TenxFiles, find_tenx, is_matrix_market
from mtlbio.reading import understood

Matrix: TypeAlias = Any  # csr_matrix or OnDisk
_RAW = re.compile(r"(^|[_.-])raw([_.-]|$)")


def read_tenx(path: Path, described: Collection[str] | None = None, on_disk: bool = False) -> Measurements:
    """Cells x genes of a folder, a matrix.mtx or an h5 file; several matrices become one.

    Of several matrices each cell has that of its matrix before its name (``GSM1_S1_AAAC-1``). Where ``described`` holds
    not the cells but the matrices themselves (``GSM1``), the cells of each are summed to one sample.
    """
    parts = find_tenx(path)
    if any(map(_unfiltered, parts)):
        notice(path, "raw barcodes, most of them empty droplets: only those that the metadata name are used")
    read = [_read(part, on_disk and len(parts) == 1) for part in parts]
    if len(parts) == 1:
        cells, genes, matrix = read[0]
        return Measurements(cells, _unique(genes, path), matrix, str(path))
    samples = _described_samples(parts, [cells for cells, _, _ in read], described)
    genes, matrices = _common_genes(parts, [(genes, matrix) for _, genes, matrix in read], path)
    names = samples or _labelled(parts, [cells for cells, _, _ in read])
    if samples:
        matrices = [sparse.csr_matrix(matrix.sum(axis=0)) for matrix in matrices]
    _tell(parts, samples, path)
    whole = sparse.csr_matrix(sparse.vstack(matrices, format="csr"))
    return Measurements(np.asarray(names).astype(str), genes, whole, str(path))


def tenx_names(path: Path, described: Collection[str] | None = None) -> np.ndarray:
    """The samples that :func:`read_tenx` gives, without their values."""
    parts = find_tenx(path)
    cells = [_cells(part) for part in parts]
    if len(parts) == 1:
        return cells[0]
    samples = _described_samples(parts, cells, described)
    _tell(parts, samples, path)
    return np.asarray(samples or _labelled(parts, cells)).astype(str)


def _unfiltered(part: TenxFiles) -> bool:
    """Whether a matrix is called raw, as those of all droplets are; GEO's folder GSE1_RAW keeps what was sent."""
    name, folder = part.matrix.name.lower(), part.matrix.parent.name.lower()
    of_folder = name.startswith("matrix.mtx") and not folder.startswith("gse")
    return _RAW.search(name) is not None or (of_folder and _RAW.search(folder) is not None)


def described_in(table: pd.DataFrame, path: str | Path) -> set[str] | None:
    """Names in the description (text) of matrices, of their cells, or of the samples of a file that may call them in
    several ways (GEO's GSM and titles): every column without repetitions; else None."""
    path = Path(path)
    if is_annotated(path):
        return None
    if not (path.is_dir() or is_matrix_market(path) or path.suffix.lower() == ".h5" or recognise(path) is not None):
        return None
    named = [column for column in table.columns if table[column].dropna().is_unique]
    return {value for column in named for value in table[column].dropna()}


def _read(part: TenxFiles, on_disk: bool) -> tuple[np.ndarray, np.ndarray, Matrix]:
    """Cells, genes (a name may stand twice) and cells x genes of one matrix."""
    if part.barcodes is None or part.features is None:
        return read_h5(part.matrix, on_disk)
    head = check_head(part.matrix)
    features, barcodes = features_of(part.features), barcodes_of(part.barcodes)
    turned = head.fits(features.lines, barcodes.lines, part)
    n_genes, n_cells = head.sizes[::-1] if turned else head.sizes
    genes, cells = features.resolved(n_genes), barcodes.resolved(n_cells)
    _check_whole(genes, part.features)
    with understood(part.matrix, "readable as a matrix in MatrixMarket format"):
        matrix = scipy_io.mmread(str(part.matrix))
        matrix.data = matrix.data.astype(np.float32)  # as of every other file, and half as large
        matrix = sparse.csr_matrix(matrix if turned else matrix.T)
    kept = features.of_expression(part.features, len(genes))
    return cells, genes[kept], matrix if kept.all() else matrix[:, kept]


def _cells(part: TenxFiles) -> np.ndarray:
    if part.barcodes is None or part.features is None:
        return read_h5(part.matrix, on_disk=True)[0]
    head, barcodes = check_head(part.matrix), barcodes_of(part.barcodes)
    return barcodes.resolved(next((n for n in head.sizes[::-1] if barcodes.may_be(n)), len(barcodes.lines)))


def _check_whole(genes: np.ndarray, features: Path) -> None:
    """Refuse what alevin-fry writes in its mode USA: a gene in three parts."""
    thirds = [int(np.char.endswith(genes, end).sum()) for end in ("-U", "-A")]
    if len(genes) and all(3 * third == len(genes) for third in thirds):
        raise InputError(
            f"{features}: spliced, unspliced and ambiguous counts apart (names ending in -U and -A); expected one "
            f"count of each gene: load_fry of pyroe or fishpond puts them together"
        )


def _unique(genes: np.ndarray, path: Path) -> np.ndarray:
    """Several identifiers share a symbol in every reference; each stays a gene of its own, as in scanpy."""
    unique = numbered(genes)
    if (unique != genes).any():
        first = unique[unique != genes][0]
        notice(path, f"{int((unique != genes).sum())} features have the name of another one: numbered ({first})")
    return unique


def _labelled(parts: list[TenxFiles], cells: list[np.ndarray]) -> list[str]:
    return [f"{part.label}_{cell}" for part, names in zip(parts, cells, strict=True) for cell in names]


def _described_samples(
    parts: list[TenxFiles], cells: list[np.ndarray], described: Collection[str] | None
) -> list[str] | None:
    """Names of the matrices in a description that has samples, not cells; None where it has cells, or neither."""
    known = set(() if described is None else described)
    if not known or not known.isdisjoint(_labelled(parts, cells)):
        return None
    found = []
    for part in parts:
        words = part.label.split("_")
        names = ["_".join(words[i:j]) for i in range(len(words)) for j in range(len(words), i, -1)]
        found.append(next((name for name in sorted(names, key=len, reverse=True) if name in known), part.label))
    return found if len(known.intersection(found)) > len(parts) // 2 and len(set(found)) == len(found) else None


def _common_genes(
    parts: list[TenxFiles], read: list[tuple[np.ndarray, Matrix]], path: Path
) -> tuple[np.ndarray, list[sparse.csr_matrix]]:
    """The genes that all matrices have, in the order of the first."""
    unique = [numbered(genes) for genes, _ in read]
    if all(np.array_equal(unique[0], genes) for genes in unique):
        return _unique(read[0][0], path), [matrix for _, matrix in read]
    common = set(unique[0]).intersection(*unique[1:])
    genes = np.array([gene for gene in unique[0] if gene in common])
    sizes = listing([f"{part.label} {len(names)}" for part, names in zip(parts, unique, strict=True)], 4)
    notice(path, f"the matrices have different features ({sizes}): the {len(genes)} that all have are kept", doubt=True)
    matrices = []
    for names, (_, matrix) in zip(unique, read, strict=True):
        place = {name: i for i, name in enumerate(names)}
        matrices.append(matrix[:, [place[gene] for gene in genes]])
    return genes, matrices


def _tell(parts: list[TenxFiles], samples: list[str] | None, path: Path) -> None:
    labels = listing([part.label for part in parts], 4)
    if samples:
        notice(
            path,
            f"{len(parts)} matrices ({labels}): the cells of each are summed to the sample that the metadata names",
        )
    else:
        notice(
            path,
            f"{len(parts)} matrices ({labels}): cells are called by both names, such as {parts[0].label}_<barcode>",
        )
