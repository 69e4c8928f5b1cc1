"""Where latents of another model come from: what a file or an object in memory has to tell of them."""

from abc import ABC, abstractmethod

import numpy as np
import pandas as pd
from scipy import sparse

from mtlbio.cohort.measurements import Measurements
from mtlbio.errors import InputError, listing


class Source(ABC):
    """Latents with what stands beside them.

    Attributes
    ----------
    path : the file, or what else a message calls it
    """

    path: str

    @abstractmethod
    def latents(self) -> Measurements:
        """Samples (or cells) x dimensions, whose names stand in the place of genes."""

    def obs(self) -> pd.DataFrame | None:
        """The description of the samples that comes with the latents, by sample; None where there is none."""
        return None

    @property
    def names_of_loadings(self) -> list[str]:
        """Names of the matrices of weights that come with the latents."""
        return []

    def has_loadings(self, name: str) -> bool:
        """Whether weights of this name come with the latents."""
        return name in self.names_of_loadings

    def loadings(self, name: str, genes: str | None) -> tuple[np.ndarray, np.ndarray]:
        """(genes, D) weights and the genes' names, which stand in the column ``genes`` or in the index."""
        raise KeyError(name)


def numbered(count: int) -> np.ndarray:
    """Names of dimensions that have none: z01, z02, ...

    Examples
    --------
    >>> numbered(2).tolist()
    ['z01', 'z02']
    """
    width = max(2, len(str(count)))
    return np.array([f"z{place:0{width}d}" for place in range(1, count + 1)])


def matrix_and_names(found: object, where: str) -> tuple[np.ndarray, np.ndarray]:
    """A matrix (n, D) float64 and the names of its columns, of an array, a sparse matrix or a DataFrame.

    Raises
    ------
    InputError
        Not two-dimensional, no dimension, or no numbers.
    """
    names = None
    if isinstance(found, pd.DataFrame):
        text = [str(c) for c, dtype in found.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)]
        if text:
            raise InputError(f"{where}: column(s) {listing(text)} hold no numbers; expected a dimension in each")
        names, found = np.array([str(c).strip() for c in found.columns]), found.to_numpy()
    values = np.asarray(found.toarray() if sparse.issparse(found) else found)  # type: ignore[attr-defined]
    if values.ndim != 2 or not values.shape[1] or values.dtype.kind not in "biuf":
        raise InputError(
            f"{where}: found {values.dtype} of shape {values.shape}; expected numbers, samples x dimensions"
        )
    return values.astype(float), numbered(values.shape[1]) if names is None else names
