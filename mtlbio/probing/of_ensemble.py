"""The trained ensemble of a cohort as an examinee."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlbio.model.ensemble import Ensemble
from mtlbio.probing.examinee import NOTHING, WithHeads


@dataclass(frozen=True)
class OfEnsemble(WithHeads):
    """An ensemble with the expression of the samples on trial.

    Attributes
    ----------
    expression : (n, genes) of the ensemble
    fold : (n,) fold in which each sample is held out
    """

    ensemble: Ensemble
    expression: np.ndarray
    fold: np.ndarray
    saw = NOTHING

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return self.ensemble.dims

    def latents(self, fold: int) -> np.ndarray:
        """(seeds, n, D) of all samples."""
        return self.ensemble.latents(self.expression, fold)

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """What the ensemble's heads make of the latents."""
        return self.ensemble.predict_from_latents(task, latents, fold)
