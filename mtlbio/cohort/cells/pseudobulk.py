"""Single cells become donor-level samples: the donor is the unit, a cell is not."""

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.cells.on_disk import Block
from mtlbio.cohort.measurements import Measurements, ValueChecks
from mtlbio.cohort.qc import QcList
from mtlbio.errors import InputError, listing
from mtlbio.progress import say


def pseudobulk(
    data: Measurements, obs: pd.DataFrame, by: pd.DataFrame, scale: str, min_cells: int, qc: QcList, source: str
) -> tuple[Measurements, pd.DataFrame]:
    """Sum (counts) or average (other scales) the cells of a donor, within each level of ``by``.

    Parameters
    ----------
    data : cells x genes; read block by block, so the matrix may stay on disk
    obs : one row per cell: ``donor``, tasks and covariates (:func:`mtlbio.cohort.samples.encode`); numbers are
        averaged, all other columns must be constant within a sample
    by : one row per cell, text: the columns besides the donor that make a sample; may have no columns
    min_cells : samples of fewer cells are dropped and listed in ``qc``

    Returns
    -------
    data : samples (``donor|level|...``, sorted) x genes, float64
    obs : one row per sample

    Raises
    ------
    InputError
        A categorical column of ``obs`` that differs between the cells of one sample, no sample of ``min_cells``, or
        values of cells that cannot be what ``scale`` says.
    """
    complete = by.notna().all(axis=1).to_numpy()
    for column in by.columns:
        missing = by.index[by[column].isna()]
        qc.add(missing, "cell", "pseudobulk level missing", f"dropped: no {column}")
    data, obs, by = data.keep(complete), obs[complete], by[complete]
    keys = pd.concat([obs["donor"], by], axis=1).astype(str)
    # grouped on the columns, not on the joined name: a level may itself hold a bar
    keys.columns = range(keys.shape[1])
    code = keys.groupby(list(keys.columns), sort=True).ngroup().to_numpy()
    first = np.unique(code, return_index=True)[1]
    names = keys.iloc[first].agg("|".join, axis=1).to_numpy().astype(str)
    cells = np.bincount(code, minlength=len(names))
    enough = cells >= min_cells
    qc.add(names[~enough], "sample", "few cells", [f"{n} of {min_cells} cells" for n in cells[~enough]])
    if not enough.any():
        best = cells.max() if len(cells) else 0
        raise InputError(
            f"{source}: pseudobulk.min_cells: no donor{''.join(f' x {c}' for c in by.columns)} has {min_cells} cells "
            f"(the largest has {best})"
        )
    say(f"pseudobulk: {len(code)} cells to {enough.sum()} samples")
    sample_obs = _collapse(obs, code, names, enough, source)
    sums = _sums(data, code, len(names), scale)[enough]
    if scale != "counts":
        sums = sums / cells[enough, None]
    return Measurements(names[enough], data.genes, sums, data.source), sample_obs


def _sums(data: Measurements, code: np.ndarray, groups: int, scale: str) -> np.ndarray:
    """Indicator (groups x cells) times cells x genes, part by part; float64, exact for counts. Checks the values."""
    sums, checks = np.zeros((groups, len(data.genes))), ValueChecks(data, scale)
    for rows, columns, block in data.parts():
        checks.look_at(rows, columns, block)
        cells = (code[rows], np.arange(block.shape[0]))
        indicator = sparse.csr_matrix((np.ones(block.shape[0]), cells), shape=(groups, block.shape[0]))
        _add(sums[:, columns], indicator, block)
    if len(data.genes):
        checks.check_variation()
    return sums


def _add(sums: np.ndarray, indicator: sparse.csr_matrix, block: Block) -> None:
    """Add indicator times block to sums, in the order in which the block is compressed."""
    if not sparse.issparse(block):
        sums += indicator @ block.astype(np.float64)
        return
    by_columns = block.format == "csc"
    values = block.astype(np.float64)
    product = values.T @ sparse.csr_matrix(indicator.T) if by_columns else indicator @ values
    if product.nnz * 4 > sums.size:
        sums += product.T.toarray() if by_columns else product.toarray()
        return
    found = product.tocoo()  # each place stands once in a product
    sums[(found.col, found.row) if by_columns else (found.row, found.col)] += found.data


def _collapse(obs: pd.DataFrame, code: np.ndarray, names: np.ndarray, enough: np.ndarray, source: str) -> pd.DataFrame:
    """One row per sample: the mean of a number, the one value of a category."""
    result = pd.DataFrame(index=pd.Index(names[enough], name="sample", dtype=object))
    for column in obs.columns:
        grouped = obs[column].groupby(code)
        if pd.api.types.is_numeric_dtype(obs[column].dtype):
            result[column] = grouped.mean().to_numpy()[enough]
            continue
        levels = grouped.nunique().to_numpy()
        mixed = np.flatnonzero((levels > 1) & enough)
        if len(mixed):
            values = sorted(obs[column][code == mixed[0]].dropna().unique())
            raise InputError(
                f"{source}: {column!r} differs between the cells of sample {str(names[mixed[0]])!r} "
                f"({listing(values, 4)}): add its column to pseudobulk.by or leave {column!r} out"
            )
        values = grouped.first().reindex(range(len(names)))[enough]
        result[column] = values.array if column != "donor" else values.to_numpy().astype(object)
    return result
