"""Names of the genes of an AnnData: the index of ``var``, or a column of it."""

from pathlib import Path

import numpy as np
import pandas as pd
from anndata.utils import make_index_unique

from mtlbio.cohort.cells.frames import as_names, columns_of, frame_of, index_of
from mtlbio.cohort.cells.loom import is_loom, loom_frame
from mtlbio.cohort.cells.stores import Group
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.reading import understood
from mtlbio.text import as_text, suggestion


def gene_names(root: Group, key: str, column: str | None, path: Path) -> np.ndarray:
    """Names of the genes whose table lies at ``key`` of an open AnnData.

    A name that stands for several genes is numbered, as scanpy does it (GENE, GENE-1), and a gene without a name in
    ``column`` keeps the index: both are told.

    Raises
    ------
    InputError
        No such column.
    """
    return names_of_genes(gene_table(root, key, column, path), column, path)


def names_of_genes(table: pd.DataFrame, column: str | None, path: str | Path) -> np.ndarray:
    """Names of the genes of their table, as :func:`gene_names` has them; ``path`` names it."""
    names = np.char.strip(as_names(table.index)) if len(table) else as_names(table.index)
    if column is not None:
        named = as_text(table[column])
        lacking = named.isna().to_numpy()
        if lacking.any():
            notice(path, f"expression.genes: {int(lacking.sum())} genes have no {column}: they keep their identifier")
        names = np.where(lacking, names, named.fillna("").to_numpy().astype(str))
    unique = numbered(names)
    again = np.unique(names[unique != names])
    if len(again):
        numbers = f"numbered ({unique[unique != names][0]})"
        notice(path, f"{len(again)} gene names stand for several genes ({listing(again, 3)}): {numbers}")
    return unique


def gene_table(root: Group, key: str, column: str | None, path: Path) -> pd.DataFrame:
    """The table of the genes: only its index where no column is asked for."""
    if is_loom(root):
        with understood(path, "a loom file"):
            table = loom_frame(root, "var")
    elif column is None:
        return pd.DataFrame(index=index_of(root, key, path))
    else:
        table = frame_of(root, key, path)
        if column not in table.columns and key != "var" and "var" in root:
            # raw.var often has no columns; those of var go by the same identifiers
            whole = frame_of(root, "var", path)
            if column in whole.columns and whole.index.is_unique:
                table = table.assign(**{column: whole[column].reindex(table.index)})
    if column is not None and column not in table.columns:
        raise InputError(f"{path}: expression.genes: var has no column {column!r}; {suggestion(column, table.columns)}")
    return table


def gene_columns(root: Group, key: str, path: Path) -> list[str]:
    """Columns that may name the genes (:func:`gene_table`)."""
    if is_loom(root):
        return list(gene_table(root, key, None, path).columns)
    return list(dict.fromkeys([*columns_of(root, key), *columns_of(root, "var")]))


def numbered(names: np.ndarray) -> np.ndarray:
    """Names of which those that stand again have a number behind them.

    Examples
    --------
    >>> numbered(np.array(["A", "B", "A"])).tolist()
    ['A', 'B', 'A-1']
    """
    return names if pd.Index(names).is_unique else make_index_unique(pd.Index(names)).to_numpy().astype(str)
