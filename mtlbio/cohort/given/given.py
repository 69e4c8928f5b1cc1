"""Latents that came from outside, beside the cohort whose samples they describe."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Given:
    """Latents of the samples of a cohort.

    Attributes
    ----------
    values : (samples, D)
    dims : (D,) names
    fold : (samples,) which model made the latents of a sample, 0, 1, ...; None where one model made all
    loadings : (D, genes) weights, and ``genes`` their names; None where nobody gave any
    """

    values: np.ndarray
    dims: tuple[str, ...]
    fold: np.ndarray | None = None
    loadings: np.ndarray | None = None
    genes: tuple[str, ...] = ()

    def keep(self, samples: np.ndarray) -> "Given":
        """Only the samples of a mask or of places."""
        fold = None if self.fold is None else self.fold[samples]
        return replace(self, values=self.values[samples], fold=fold)

    def stored(self) -> dict:
        """For ``uns`` of an AnnData, whose ``obsm["latents"]`` holds the values."""
        parts = {"dims": np.array(self.dims)}
        parts |= {} if self.fold is None else {"fold": self.fold.astype(int)}
        return parts | ({} if self.loadings is None else {"loadings": self.loadings, "genes": np.array(self.genes)})

    @classmethod
    def read(cls, values: np.ndarray, stored: dict) -> "Given":
        """Inverse of :meth:`stored`."""
        genes = tuple(np.asarray(stored.get("genes", [])).astype(str))
        dims = tuple(np.asarray(stored["dims"]).astype(str))
        return cls(np.asarray(values, dtype=float), dims, stored.get("fold"), stored.get("loadings"), genes)
