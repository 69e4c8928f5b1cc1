"""What a model keeps of its training samples to compare new ones with: ``model/reference.safetensors``.

Every training sample is compared with the training samples of the fold that held it out, as a new sample is with all of
them: a new sample of the same kind lies beyond all n of them with probability 1 in n + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.split import train_test
from mtlbio.model.ensemble import FINAL, Ensemble, load_reference
from mtlbio.training.new_samples.departure import Departures, departures, joined
from mtlbio.training.new_samples.factor import Factors, best_rank, fit_factors
from mtlbio.training.stored import put_together, taken_apart


@dataclass(frozen=True)
class Reference:
    """Training samples of the final model, p genes.

    Attributes
    ----------
    factors : how the standardised genes go together
    held_out : of every training sample, from the training samples of its fold
    lowest, at_lowest : (p,) least value of each gene, and the share of the training samples that have it
    library_share : (genes of the cohort,) mean share of each gene in a library; None where the scale is not counts
    """

    factors: Factors
    held_out: Departures
    lowest: np.ndarray
    at_lowest: np.ndarray
    library_share: np.ndarray | None

    @classmethod
    def read(cls, model: Path) -> Reference | None:
        """Of a model's folder; None where an earlier mtlbio trained it."""
        arrays = load_reference(model)
        return put_together(cls, arrays) if "lowest" in arrays else None


def held_out_departures(
    cohort: Cohort, ensemble: Ensemble, splits: pd.DataFrame, measured: np.ndarray | None = None
) -> Departures:
    """Of every training sample from the training samples of the fold that held it out, fold after fold; on those genes
    of the cohort alone that are ``measured`` (bool), where given."""
    found = []
    for fold in ensemble.folds:
        own, (_, test) = ensemble.models[fold].features, train_test(splits, fold)
        there = np.ones(len(own.genes_idx), dtype=bool) if measured is None else measured[own.genes_idx]
        values = cohort.expression[test][:, own.genes_idx[there]]
        found.append(departures(values, own.mean[there], own.scale[there]))
    return joined(found)


def reference_of_genes(cohort: Cohort, ensemble: Ensemble, splits: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """Arrays by name of the :class:`Reference` of a cohort on which ``ensemble`` was trained."""
    features, folds = ensemble.models[FINAL].features, splits["fold"].to_numpy()
    standardised = features.transform(cohort.expression)
    (factors,) = fit_factors(standardised, best_rank(standardised, folds))
    values = cohort.expression[:, features.genes_idx]
    lowest = np.nanmin(values, axis=0)
    size = cohort.preprocessing.get("size")
    share = None if size is None else (np.expm1(cohort.expression.astype(float)).mean(axis=0) / size).astype(np.float32)
    reference = Reference(
        factors, held_out_departures(cohort, ensemble, splits), lowest, (values == lowest).mean(axis=0), share
    )
    return taken_apart(reference)
