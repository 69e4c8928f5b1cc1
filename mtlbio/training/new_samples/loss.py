"""What missing genes cost: held-out training samples predicted with and without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import train_test
from mtlbio.model.ensemble import Ensemble
from mtlbio.training.new_samples.factor import fit_factors

# (standardised held-out samples, standardised training samples) of a fold -> held-out samples as if genes were missing
Gap = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Loss:
    """Of one task: its metric on held-out training samples with all genes and without the missing ones."""

    task: str
    metric: str
    whole: float
    gap: float
    samples: int

    def __str__(self) -> str:
        return f"{self.task} {self.metric} {self.whole:.2f} -> {self.gap:.2f}"


def losses(cohort: Cohort, splits: pd.DataFrame, ensemble: Ensemble, gap: Gap) -> list[Loss]:
    """What ``gap`` costs each task, on samples whose fold's model never saw their donor."""
    whole: dict[str, list[np.ndarray]] = {name: [] for name in ensemble.tasks}
    lacking: dict[str, list[np.ndarray]] = {name: [] for name in ensemble.tasks}
    rows = []
    for fold in ensemble.folds:
        model, (train, test) = ensemble.models[fold], train_test(splits, fold)
        standardised = model.features.transform(cohort.expression[test])
        gaps = gap(standardised, model.features.transform(cohort.expression[train]), fold)
        rows.append(test)
        for kept, z in ((whole, standardised), (lacking, gaps)):
            latents = model.latents(z.astype(np.float32))
            for name in ensemble.tasks:
                kept[name].append(ensemble.predict_from_latents(name, latents, fold).mean(axis=0))
    place, found = np.concatenate(rows), []
    for name, task in ensemble.tasks.items():
        y = cohort.y(name)[place]
        with_all, without = (float(task.score(y, np.concatenate(kept[name]))) for kept in (whole, lacking))
        found.append(Loss(name, task.metrics[0].printed, with_all, without, int((~np.isnan(y)).sum())))
    return found


def without_genes(ensemble: Ensemble, missing: np.ndarray, rank: int, mean: bool = False) -> Gap:
    """Genes (bool, of the cohort) are missing and filled as in new samples, or with the training ``mean``."""

    def gap(held_out: np.ndarray, train: np.ndarray, fold: int) -> np.ndarray:
        gone = missing[ensemble.models[fold].features.genes_idx]
        if mean or not gone.any():
            return np.where(gone, 0.0, held_out)
        (factors,) = fit_factors(train, rank)
        return factors.filled(np.where(gone, np.nan, held_out))

    return gap
