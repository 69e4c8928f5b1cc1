"""Weights of the genes in latents that another model made: varm of the same file, or a table."""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.given.source import Source
from mtlbio.cohort.metadata import read_matrix
from mtlbio.config import Latents
from mtlbio.errors import InputError, listing

Loadings = tuple[np.ndarray, tuple[str, ...]]


def read_loadings(options: Latents, source: Source, dims: tuple[str, ...], own: tuple[str, ...]) -> Loadings:
    """(D, genes) weights and the genes' names.

    Parameters
    ----------
    dims : names of the dimensions that are kept; ``own``: those of all dimensions of the source, in its order

    Raises
    ------
    InputError
        Neither a matrix of varm nor a file, another number of dimensions, or values that are no numbers.
    """
    name = str(options.loadings)
    if source.has_loadings(name):
        weights, genes = source.loadings(name, options.genes)
        where = f"{source.path}: latents.loadings: varm[{name!r}]"
        if weights.shape[1] != len(own):
            raise InputError(f"{where} has {weights.shape[1]} dimensions; the latents have {len(own)}")
        table = pd.DataFrame(weights, index=genes, columns=list(own))
    elif Path(name).exists():
        where = f"{name}: latents.loadings"
        table = read_matrix(Path(name), "gene")[0]
        missing = [dim for dim in dims if dim not in table.columns]
        if missing:
            found = listing(table.columns, 5)
            raise InputError(f"{where}: no column {missing[0]!r}; found {found}; expected one for every dimension")
    else:
        there = f"; varm has {listing(source.names_of_loadings)}" if source.names_of_loadings else ""
        raise InputError(f"{source.path}: latents.loadings: no matrix and no file {name!r}{there}")
    table = table[list(dims)]
    values = table.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        gene, dim = (int(place[0]) for place in np.nonzero(~np.isfinite(values)))
        raise InputError(f"{where}: gene {str(table.index[gene])!r}, dimension {dims[dim]!r}: no finite number")
    # of a gene that stands twice the first: it is only looked up by name
    first = ~table.index.astype(str).duplicated()
    return values[first].T, tuple(table.index.astype(str)[first])
