"""Latents and measurements that are in memory, as files would be read."""

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.content import understood_content
from mtlbio.cohort.given.source import Source, matrix_and_names
from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import text_table
from mtlbio.cohort.prepare import cohort_from
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import measured, used_columns
from mtlbio.cohort.values.gene_names import names_of_genes
from mtlbio.errors import InputError, listing
from mtlbio.kinds.schemas import DonorRun
from mtlbio.text import suggestion


class InAnnData(Source):
    """A matrix of obsm of an AnnData (or MuData) in memory."""

    def __init__(self, adata, key: str):
        self.path, self.adata, self.key = "adata", adata, key

    def latents(self) -> Measurements:
        """``adata.obsm[key]``; an InputError where there is none."""
        if self.key not in self.adata.obsm:
            there = list(self.adata.obsm)
            raise InputError(f"adata: no {self.key!r} in obsm; {suggestion(self.key, there)}")
        where = f"adata.obsm[{self.key!r}]"
        values, dims = matrix_and_names(self.adata.obsm[self.key], where)
        return Measurements(names_of(self.adata.obs), dims, values, where)

    def obs(self) -> pd.DataFrame:
        """``adata.obs``."""
        return named(self.adata.obs)

    @property
    def names_of_loadings(self) -> list[str]:
        """Matrices of varm."""
        return [str(name) for name in self.adata.varm]

    def loadings(self, name: str, genes: str | None) -> tuple[np.ndarray, np.ndarray]:
        """``adata.varm[name]`` and the names of var."""
        weights, _ = matrix_and_names(self.adata.varm[name], f"adata.varm[{name!r}]")
        if genes is not None and genes not in self.adata.var:
            raise InputError(f"adata: genes: no column {genes!r} in var; {suggestion(genes, self.adata.var.columns)}")
        return weights, np.asarray(self.adata.var_names if genes is None else self.adata.var[genes]).astype(str)


class InFrame(Source):
    """A DataFrame of latents, samples in rows, with a DataFrame that describes them."""

    def __init__(self, table: pd.DataFrame, obs: pd.DataFrame, weights: pd.DataFrame | None = None):
        self.path, self.table, self.described, self.weights = "latents", table, obs, weights

    def latents(self) -> Measurements:
        """The numbers of the table."""
        values, dims = matrix_and_names(self.table, "latents")
        return Measurements(names_of(self.table), dims, values, "latents")

    def obs(self) -> pd.DataFrame:
        """The description, whose index names the samples as that of the latents does."""
        return named(self.described)

    @property
    def names_of_loadings(self) -> list[str]:
        """One, where weights were given."""
        return [] if self.weights is None else ["loadings"]

    def loadings(self, name: str, genes: str | None) -> tuple[np.ndarray, np.ndarray]:
        """Weights, genes in rows."""
        assert self.weights is not None
        dims = [str(c).strip() for c in self.table.columns]
        missing = [dim for dim in dims if dim not in map(str, self.weights.columns)]
        if missing:
            raise InputError(f"loadings: no column {missing[0]!r}; expected genes in rows and a column per dimension")
        return self.weights.set_axis(list(map(str, self.weights.columns)), axis=1)[dims].to_numpy(float), names_of(
            self.weights
        )


def measurements_of(adata, layer: str | None = None, genes: str | None = None) -> Measurements:
    """X, ``raw.X`` (``layer="raw"``) or a layer of an AnnData.

    ``genes``: column of var with the genes' names; the index where left out.

    Raises
    ------
    InputError
        No such layer or column, or no X.
    """
    holder = _holder(adata, layer)
    if layer is not None and holder is adata and layer not in adata.layers:
        raise InputError(f"adata: layer: no layer {layer!r}; found: {listing(list(adata.layers))}")
    matrix = getattr(holder, "X", None) if holder is not adata or layer is None else adata.layers[layer]
    if matrix is None:
        raise InputError(f"adata: no {'raw.X' if layer == 'raw' else 'X'} in it; expected measurements")
    names = genes_of(adata, layer, genes)
    values = matrix[:] if not isinstance(matrix, np.ndarray) and not sparse.issparse(matrix) else matrix
    values = sparse.csr_matrix(values) if sparse.issparse(values) else np.asarray(values)
    return Measurements(names_of(adata.obs), names, values, "adata")


def genes_of(adata, layer: str | None = None, genes: str | None = None) -> np.ndarray:
    """Names of the genes of X, ``raw.X`` or a layer; arguments and error as of :func:`measurements_of`."""
    table = _holder(adata, layer).var
    if genes is not None and genes not in table:
        raise InputError(f"adata: genes: no column {genes!r} in var; {suggestion(genes, table.columns)}")
    return names_of_genes(table, genes, "adata")


def _holder(adata, layer: str | None):
    return adata.raw if layer == "raw" and layer not in adata.layers and adata.raw is not None else adata


def cohort_in_memory(run: DonorRun, adata) -> tuple[Cohort, QcList]:
    """The cohort of the measurements and the description in an AnnData, and what was dropped on the way.

    Errors as of ``mtlbio prepare``.
    """
    qc, obs = QcList(), named(adata.obs)
    table = understood_content(run, text_table(obs, used_columns(run, obs, "adata.obs")), "adata.obs")
    data = measurements_of(adata, run.measured.layer, run.measured.genes)
    return cohort_from(run, measured(run, data, table, "adata.obs", qc), qc)


def named(obs: pd.DataFrame) -> pd.DataFrame:
    """A description whose index is text."""
    return obs.set_axis(pd.Index(names_of(obs), name="sample", dtype=object), axis=0)


def names_of(table: pd.DataFrame) -> np.ndarray:
    """The index as text, without blanks around names."""
    return np.char.strip(np.asarray(table.index).astype(str))
