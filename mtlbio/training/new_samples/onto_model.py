"""Measurements of new samples as a model reads them: on its scale, compared with its training samples, without gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.measurements import Measurements
from mtlbio.errors import InputError
from mtlbio.model.ensemble import FINAL, Ensemble
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.genes import check_measured
from mtlbio.training.new_samples.onto_scale import check_given, check_libraries, on_model_scale
from mtlbio.training.new_samples.presence import without_constants
from mtlbio.training.new_samples.reference import Reference, held_out_departures
from mtlbio.training.new_samples.scale import Model, check_scale, looks_like

# A mean and a spread per gene need some samples.
MIN_COHORT = 10
EARLIER = (
    "the model keeps nothing of its training samples (an earlier mtlbio trained it): the scale of these is not "
    "compared with theirs, and missing genes count as average; train again for both"
)

Known = tuple[Cohort, pd.DataFrame] | str


def compared(
    data: Measurements,
    ensemble: Ensemble,
    reference: Reference | None,
    preprocessing: Mapping[str, Any],
    of_training: bool,
    known: Callable[[], Known],
    checks: Checks,
) -> np.ndarray:
    """Genes of the cohort (n, p) on the model's scale, NaN where not measured, after a look at all that may be wrong
    with those that the model uses.

    Parameters
    ----------
    data : with the genes of the model, in its order
    of_training : they are to be standardised as the training samples were
    known : gives the training samples with their folds, or why they are not at hand

    Raises
    ------
    InputError
        Values that the scale cannot have, such as negative counts.
    """
    scale, size, raw = preprocessing["scale"], preprocessing["size"], data.dense()
    model = _model(ensemble, reference, preprocessing)
    try:
        check_given(data, scale)
    except InputError as error:
        likely = looks_like(raw, None, model) if model else ""
        raise InputError(f"{error}; the samples {likely}" if likely else str(error)) from None
    share = None if reference is None else reference.library_share
    if scale == "counts":
        check_libraries(raw, size, share, checks)
    values, features = on_model_scale(raw, scale, size, share), ensemble.models[FINAL].features
    used, names = values[:, features.genes_idx], np.array(ensemble.genes)[features.genes_idx]
    if reference is not None:
        used = without_constants(used, names, data.samples, reference, checks)
    rank = None if reference is None else reference.factors.loadings.shape[1]
    trained_on = known() if np.isnan(used).any() else ""
    check_measured(used, data.samples, ensemble, rank, trained_on, checks)
    values[:, features.genes_idx] = used
    if np.isnan(used).all():
        return values
    if model is not None and not isinstance(trained_on, str):  # the training samples with the same genes alone
        measured = np.zeros(len(ensemble.genes), dtype=bool)
        measured[features.genes_idx] = ~np.isnan(used).all(axis=0)
        model = replace(model, held_out=held_out_departures(trained_on[0], ensemble, trained_on[1], measured))
    if of_training and model is not None:
        check_scale(raw, values, data.samples, model, checks)
    return values


def rescaled(values: np.ndarray, ensemble: Ensemble, source: str) -> np.ndarray:
    """Genes of the cohort (n, p): those that the model uses with the training samples' mean and spread in place of
    their own.

    Raises
    ------
    InputError
        Fewer than ten samples.
    """
    features = ensemble.models[FINAL].features
    if len(values) < MIN_COHORT:
        raise InputError(
            f"{source}: --standardise cohort needs {MIN_COHORT} samples or more for a mean and a spread; "
            f"found {len(values)}; valid for fewer: training"
        )
    used, values = values[:, features.genes_idx], values.copy()
    there = ~np.isnan(used).all(axis=0)
    spread = np.nanstd(used[:, there], axis=0)
    unit = (used[:, there] - np.nanmean(used[:, there], axis=0)) / np.where(spread > 0, spread, 1.0)
    values[:, features.genes_idx[there]] = unit * features.scale[there] + features.mean[there]
    return values


def filled(values: np.ndarray, ensemble: Ensemble, reference: Reference | None) -> np.ndarray:
    """Genes of the cohort (n, p); those that the model uses without gaps: what is missing is what the rest of the
    sample says of it. A sample without any stays NaN."""
    features, whole = ensemble.models[FINAL].features, values.copy()
    used = values[:, features.genes_idx]
    missing = np.isnan(used)
    if missing.any():
        standardised = (used - features.mean) / features.scale
        guess = np.zeros_like(used) if reference is None else reference.factors.filled(standardised)
        used = np.where(missing, guess * features.scale + features.mean, used)
    whole[:, features.genes_idx] = used
    whole[missing.all(axis=1)] = np.nan
    return whole


def _model(ensemble: Ensemble, reference: Reference | None, preprocessing: Mapping[str, Any]) -> Model | None:
    if reference is None:
        return None
    own = ensemble.models[FINAL].features
    scale, size = preprocessing["scale"], preprocessing["size"]
    return Model(scale, size, own.genes_idx, own.mean, own.scale, reference.held_out)
