"""Reading expression: h5ad, csv/tsv, parquet and the two 10x formats, samples in rows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.measurements import Measurements, OnDisk
from mtlbio.cohort.metadata import TABLES, csv_header, parquet_schema, read_csv, read_parquet, suffix, unique_ids
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.text import as_text

FORMATS = ("h5ad", "h5 (10x)", "a 10x/mtx folder", *TABLES)


def read_expression(
    expression: Expression, sample_column: str, known: Collection[str] | None = None, on_disk: bool = False
) -> Measurements:
    """Read the measurements that a run names.

    Parameters
    ----------
    expression : path, scale and layer from the run
    sample_column : column of identifiers in a csv, tsv or parquet file; where there is none, the index or the first
        text column.
    known : sample identifiers of the metadata: tells samples from genes
    on_disk : leave a row-compressed h5ad matrix on disk and read it in blocks (single cells before pseudobulk)

    Raises
    ------
    InputError
        Unknown format, unreadable file, missing layer, genes in rows, text among the numbers, duplicated samples.
    """
    path = Path(expression.path)
    ending = suffix(path)
    if expression.layer is not None and ending != ".h5ad":
        raise InputError(f"{path}: expression.layer: {expression.layer!r} given, but only h5ad files have layers")
    if path.is_dir() or ending == ".h5":
        data = _read_10x(path)
    elif ending == ".h5ad":
        data = _read_h5ad(path, expression.layer, on_disk)
    elif ending in TABLES:
        return _from_frame(_read_frame(path, sample_column), path, known)
    else:
        raise InputError(f"{path}: expression.path: format {ending!r} is unknown; valid: {listing(FORMATS, 12)}")
    _orientation(data.samples, data.genes, known, path)
    unique_ids(data.samples, str(path))
    return data


def sample_names(expression: Expression, sample_column: str, known: Collection[str] | None = None) -> np.ndarray:
    """The samples of an expression file (text) in its order, without reading the measurements.

    Parameters and errors as in :func:`read_expression`, as far as names can tell.
    """
    path = Path(expression.path)
    ending = suffix(path)
    if path.is_dir():
        files = sorted(path.glob("*barcodes.tsv*"))
        if not files:
            raise InputError(f"{path}: a folder without barcodes.tsv(.gz); expected the folder of 10x Cell Ranger")
        samples = pd.read_csv(files[0], sep="\t", header=None, dtype=str, usecols=[0])[0].to_numpy()
        genes = np.array([], dtype=str)
    elif ending == ".h5":
        with _h5(path) as file:
            if "matrix/barcodes" not in file:  # Cell Ranger 2 keeps them below the genome's name
                return _read_10x(path).samples
            samples, genes = file["matrix/barcodes"].asstr()[:], np.array([], dtype=str)
    elif ending == ".h5ad":
        from anndata.io import read_elem

        with _h5(path) as file:
            missing = [k for k in ("obs", "var") if k not in file]
            if missing:
                raise InputError(f"{path}: not an h5ad file with expression: no {listing(missing)} in it")
            samples, genes = (read_elem(file[k]).index.to_numpy().astype(str) for k in ("obs", "var"))
    elif ending in TABLES:
        table, genes = _read_ids(path, sample_column)
        samples = table.index.to_numpy()
    else:
        raise InputError(f"{path}: expression.path: format {ending!r} is unknown; valid: {listing(FORMATS, 12)}")
    samples = samples.astype(str)
    _orientation(samples, genes, known, path)
    unique_ids(samples, str(path))
    return samples


def h5ad_obs(path: str | Path) -> pd.DataFrame:
    """``obs`` of an h5ad as it is typed, its index as index."""
    import h5py
    from anndata.io import read_elem

    with _h5(Path(path)) as file:
        if not isinstance(file.get("obs"), h5py.Group):
            raise InputError(f"{path}: not an h5ad file: no obs in it")
        return read_elem(file["obs"])


def _read_h5ad(path: Path, layer: str | None, on_disk: bool) -> Measurements:
    import h5py
    from anndata.io import read_elem, sparse_dataset

    with _h5(path) as file:
        missing = [k for k in ("obs", "var", "X") if k not in file and not (k == "X" and layer)]
        if missing:
            raise InputError(f"{path}: not an h5ad file with expression: no {listing(missing)} in it")
        layers = list(file["layers"]) if "layers" in file else []
        if layer is not None and layer not in layers:
            raise InputError(f"{path}: expression.layer: no layer {layer!r}; found: {listing(layers)}")
        key = "X" if layer is None else f"layers/{layer}"
        samples, genes = (read_elem(file[k]).index.to_numpy().astype(str) for k in ("obs", "var"))
        element = file[key]
        if on_disk and isinstance(element, h5py.Group) and sparse_dataset(element).format == "csr":
            matrix: OnDisk | sparse.csr_matrix | np.ndarray = OnDisk(path, key, np.ones(len(samples), dtype=bool))
        else:
            matrix = read_elem(element)
            matrix = sparse.csr_matrix(matrix) if sparse.issparse(matrix) else np.asarray(matrix, dtype=np.float32)
    return Measurements(samples, genes, matrix, str(path))


def _h5(path: Path):
    import h5py

    try:
        return h5py.File(path)
    except OSError:
        raise InputError(f"{path}: not a readable HDF5 file; expected what AnnData writes as h5ad") from None


def _read_10x(path: Path) -> Measurements:
    import scanpy as sc

    if path.is_dir() and not any(path.glob("*matrix.mtx*")):
        raise InputError(f"{path}: a folder without matrix.mtx(.gz); expected the folder that 10x Cell Ranger writes")
    try:
        adata = sc.read_10x_mtx(path) if path.is_dir() else sc.read_10x_h5(path)
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path}: not readable as 10x output ({' '.join(str(error).split())[:120]})") from None
    # several identifiers share a symbol in every 10x reference; scanpy's way keeps each as its own gene
    adata.var_names_make_unique()
    names = (adata.obs_names.to_numpy().astype(str), adata.var_names.to_numpy().astype(str))
    return Measurements(*names, sparse.csr_matrix(adata.X), str(path))


def _read_frame(path: Path, sample_column: str) -> pd.DataFrame:
    """Samples as text index, everything else as columns."""
    if suffix(path) == ".parquet":
        table = read_parquet(path)
        if sample_column not in table.columns and isinstance(table.index, pd.RangeIndex):
            text = [c for c in table.columns if not pd.api.types.is_numeric_dtype(table[c].dtype)]
            if not text:
                raise InputError(
                    f"{path}: no sample identifiers: expected a column {sample_column!r}, an index or a text column"
                )
            table = table.set_index(text[0])
        elif sample_column in table.columns:
            table = table.set_index(sample_column)
    else:
        header, _ = csv_header(path)
        column = header.index(sample_column) if sample_column in header else 0
        table = read_csv(path, header, text=False, id_column=column)
        ids = table.iloc[:, column]
        table = table.iloc[:, [i for i in range(len(header)) if i != column]].set_axis(ids, axis=0)
    return _text_index(table, path)


def _read_ids(path: Path, sample_column: str) -> tuple[pd.DataFrame, np.ndarray]:
    """As :func:`_read_frame` without its columns, and the names of all columns of the file."""
    if suffix(path) == ".parquet":
        import pyarrow as pa

        schema = parquet_schema(path)
        column = sample_column if sample_column in schema.names else None
        indexed = any(isinstance(c, str) for c in (schema.pandas_metadata or {}).get("index_columns", ()))
        if column is None and not indexed:
            text = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
            column = text[0] if text else None
            if column is None:
                raise InputError(
                    f"{path}: no sample identifiers: expected a column {sample_column!r}, an index or a text column"
                )
        table = read_parquet(path, [] if column is None else [column])
        # a column that was saved as the index comes back as the index
        table = table.set_index(column) if column in table.columns else table
        return _text_index(table, path), np.array(schema.names)
    header, _ = csv_header(path)
    place = header.index(sample_column) if sample_column in header else 0
    table = read_csv(path, header, text=False, id_column=place, only_ids=True)
    return _text_index(table.set_axis(table.iloc[:, 0], axis=0).iloc[:, :0], path), np.array(header)


def _text_index(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    ids = as_text(pd.Series(table.index))
    if ids.isna().any():
        row = int(np.flatnonzero(ids.isna())[0]) + 1
        raise InputError(f"{path}: no sample identifier in row {row} (rows counted below the header)")
    table.index = pd.Index(ids.to_numpy(), dtype=object)
    table.columns = [str(c).strip() for c in table.columns]
    return table


def _from_frame(table: pd.DataFrame, path: Path, known: Collection[str] | None) -> Measurements:
    samples, genes = table.index.to_numpy().astype(str), table.columns.to_numpy().astype(str)
    _orientation(samples, genes, known, path)
    unique_ids(samples, str(path))
    for position, dtype in enumerate(table.dtypes):
        if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
            continue
        column = table.iloc[:, position]
        wrong = column[column.notna() & pd.to_numeric(column, errors="coerce").isna()]
        shown = f"{str(wrong.iloc[0])[:40]!r} in sample {wrong.index[0]!r}" if len(wrong) else f"type {dtype}"
        raise InputError(
            f"{path}: column {str(genes[position])!r} is not numeric (found {shown}); every column beside the sample "
            f"identifier is taken for a gene"
        )
    matrix = table.to_numpy(dtype=np.float32, na_value=np.nan)
    return Measurements(samples, genes, matrix, str(path))


def _orientation(samples: np.ndarray, genes: np.ndarray, known: Collection[str] | None, path: Path) -> None:
    """Samples of the metadata that stand in the columns give a transposed matrix away."""
    if known is None:
        return
    known = set(known)
    if not known.intersection(samples) and known.intersection(genes):
        first = str(next(g for g in genes if g in known))
        raise InputError(
            f"{path}: genes in rows? The metadata's samples (such as {first!r}) are the columns here: transpose the "
            f"matrix, samples go in rows"
        )
