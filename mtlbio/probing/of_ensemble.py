"""The trained ensemble of a cohort as an examinee."""

from __future__ import annotations

import numpy as np

from mtlbio.model.ensemble import Ensemble
from mtlbio.probing.examinee import NOTHING, WithHeads


class OfEnsemble(WithHeads):
    """An ensemble with the expression of the samples on trial.

    Parameters
    ----------
    expression : (n, genes) of the ensemble
    fold : (n,) fold in which each sample is held out
    """

    saw = NOTHING

    def __init__(self, ensemble: Ensemble, expression: np.ndarray, fold: np.ndarray):
        self.ensemble, self.expression, self.fold = ensemble, expression, fold
        self.dims = ensemble.dims

    def latents(self, fold: int) -> np.ndarray:
        """(seeds, n, D) of all samples."""
        return self.ensemble.latents(self.expression, fold)

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """What the ensemble's heads make of the latents."""
        return self.ensemble.predict_from_latents(task, latents, fold)
