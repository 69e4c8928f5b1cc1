"""What 10x Cell Ranger writes: a folder of matrix, barcodes and features, or one h5 file."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.hdf5 import opened_hdf5
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.stored import check_claims, check_tenx_folder, check_tenx_h5
from mtlbio.errors import InputError
from mtlbio.reading import opened, understood


def read_tenx(path: Path) -> Measurements:
    """Cells x genes of a folder or an h5 file."""
    import scanpy as sc

    if path.is_dir():
        check_tenx_folder(path)
    else:
        check_tenx_h5(path)
    with understood(path, "readable as 10x output"):
        adata = sc.read_10x_mtx(path) if path.is_dir() else sc.read_10x_h5(path)
        # several identifiers share a symbol in every 10x reference; scanpy's way keeps each as its own gene
        adata.var_names_make_unique()
        matrix = sparse.csr_matrix(adata.X)
    return Measurements(_text(adata.obs_names), _text(adata.var_names), matrix, str(path))


def tenx_names(path: Path) -> np.ndarray:
    """The cells of a folder or an h5 file (text), without its measurements."""
    if path.is_dir():
        files = sorted(path.glob("*barcodes.tsv*"))
        if not files:
            raise InputError(f"{path}: a folder without barcodes.tsv(.gz); expected the folder of 10x Cell Ranger")
        with understood(files[0], "a list of barcodes"), opened(files[0], "a list of barcodes") as lines:
            return _text(pd.read_csv(lines, sep="\t", header=None, dtype=str, usecols=[0])[0])
    with opened_hdf5(path, "a readable HDF5 file, as 10x Cell Ranger writes it") as file:
        if "matrix/barcodes" not in file:  # Cell Ranger 2 keeps them below the genome's name
            return read_tenx(path).samples
        check_claims(file["matrix/barcodes"], path)
        with understood(path, "what 10x Cell Ranger writes as h5"):
            return _text(file["matrix/barcodes"].asstr()[:])


def _text(values) -> np.ndarray:
    return np.asarray(values).astype(str)
