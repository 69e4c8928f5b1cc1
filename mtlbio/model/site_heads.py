"""Heads that know the site of a sample: one set for each site, on dimensions that know no site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtlbio.model.outputs import Outputs

_PARTS = ("weights", "bias")


@dataclass(frozen=True)
class SiteHeads:
    """The heads of one fold at each of its k sites, in place of the shared ones; d dimensions, c columns, o outputs.

    Attributes
    ----------
    weights : (k, s, d, c) of s replicas
    bias : (k, s, o)
    """

    weights: np.ndarray
    bias: np.ndarray

    def outputs(
        self, latents: np.ndarray, at: np.ndarray, packing: Outputs, task: int, shared: np.ndarray
    ) -> np.ndarray:
        """Outputs (s, n, o of the task) with those of samples at a known site replaced.

        Parameters
        ----------
        latents : (s, n, d)
        at : (n,) places of sites, -1 where the site is not known
        packing, task : places of all tasks, and which one is asked
        shared : (s, n, o of the task) what the shared heads give
        """
        given, columns, outputs = shared.copy(), packing.columns[task], packing.outputs[task]
        for site in np.unique(at[at >= 0]).tolist():
            rows = np.flatnonzero(at == site)
            weights, bias = self.weights[site][:, :, columns], self.bias[site][:, outputs]
            given[:, rows] = latents[:, rows] @ weights @ packing.expand[columns, outputs] + bias[:, None]
        return given

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """As named arrays for safetensors."""
        return {f"{name}/{part}": np.ascontiguousarray(getattr(self, part), dtype=np.float32) for part in _PARTS}

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray], name: str) -> SiteHeads:
        """What :meth:`arrays` gave."""
        return cls(*(arrays[f"{name}/{part}"] for part in _PARTS))
