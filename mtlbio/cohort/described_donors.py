"""A description of donors beside a file of cells: told with the line that puts it where it belongs."""

from pathlib import Path

import pandas as pd

from mtlbio.cohort.cells.h5ad import h5ad_obs
from mtlbio.cohort.cells.layers import choose_layer
from mtlbio.cohort.metadata import text_table
from mtlbio.errors import InputError
from mtlbio.intake.annotated import is_annotated

_LEAST = 3  # different names that two columns have to share


def check_described(expression_path: str | Path, table: pd.DataFrame, source: str) -> None:
    """Refuse metadata (text) that describe the donors of an AnnData, of which ``obs`` says whose each cell is.

    Raises
    ------
    InputError
        No column names the cells, and one holds what a column of ``obs`` does.
    """
    if not is_annotated(expression_path):
        return
    obs = text_table(h5ad_obs(expression_path, choose_layer(expression_path).modality))
    if any(table[column].isin(obs.index).any() for column in table.columns):
        return
    best, share = None, 0.5
    for column in table.columns:
        names = table[column].dropna()
        if not names.is_unique or len(names) < _LEAST or names.str.fullmatch(r"\d{1,2}(\.\d+)?").all():
            continue
        for own in obs.columns:
            values = obs[own].dropna()
            shared = values[values.isin(names)]
            if len(values) and shared.nunique() >= _LEAST and len(shared) > max(share * len(obs), shared.nunique()):
                best, share = (column, own), len(shared) / len(obs)
    if best is not None:
        column, own = best
        raise InputError(
            f"{source}: describes no rows of {expression_path}, but what obs[{own!r}] of it holds, in column "
            f"{column!r}: put it into obs, in Python: adata.obs = adata.obs.join(table.set_index({column!r}), "
            f"on={own!r}), write that, and leave the metadata file out"
        )
