"""Dimensions of a model of a table of features: one per feature, in the direction in which the tasks agree.

A table needs no search for axes: its columns have names already. What has to be found is the scale of a feature with
several columns: how much less active ``*2/*3`` is than ``*1/*1``. All that the trained model makes of the columns of
one feature is a matrix (columns x tasks); its leading direction over the samples, tasks weighted by how many labels
taught them, is the score that the tasks share, and each task's head on the score is its affinity. A lone number is its
own score. What is left (an effect of a level on one drug that is not in proportion, curves, interactions) goes to the
supervised dimension of the task, so predictions are those of the mixed predictors. Every fold finds its scores on
its own training donors.
"""

from dataclasses import replace

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features
from mtlbio.config import Training
from mtlbio.model.axes import Axes
from mtlbio.model.ensemble import FINAL, FoldModel
from mtlbio.training.axes import axes_of_genes, most_axes
from mtlbio.training.canonical_axes import CanonicalAxes, block_part, fold_model, on_shared_dimensions, unit_variance
from mtlbio.training.fold_predictors import FittedFold, Refit, fitted_fold

# Dimensions put on trial at most; of wider tables the features whose coded columns vary most, labels not looked at.
MOST_FEATURES = 60
# A table of features with more columns than this is looked through for axes, like genes.
_NARROW = 200
_NOTHING = 1e-9


def axes_of_table(cohort: Cohort, features: Features, x: np.ndarray, train: np.ndarray, options: Training) -> Axes:
    """As :func:`mtlbio.training.axes.axes_of_genes`; of a narrow table its columns as they are.

    What they share is little, and what each says alone is what counts. A number keeps variance 1. A level is 0 or the
    root of 2, whatever its frequency: two patients who differ in a category are then about as far apart as two who
    differ in a number, which is what the cosines of the axes go by.
    """
    if x.shape[1] > _NARROW:
        return axes_of_genes(cohort, features, x, train, options)
    size = np.where(cohort.coding.indicators[features.genes_idx], np.sqrt(2) * features.scale, 1.0)
    return Axes(np.diag(size), np.diag(1 / size), np.zeros(len(size)))


def most_axes_of_table(cohort: Cohort, columns: int, options: Training) -> int:
    """As :func:`mtlbio.training.axes.most_axes`."""
    return columns if columns <= _NARROW else most_axes(cohort, columns, options)


def fold_in_table(cohort: Cohort, refit: Refit, seeds: list[int]) -> CanonicalAxes:
    """As :func:`mtlbio.training.fold_in.fold_in`, with a dimension per feature in place of the axes."""
    units, final = features_on_trial(cohort), refit.final
    standardised = final.features.transform(cohort.expression)
    encoders, models, correlations = {}, {}, []
    # the final model gives the signs
    for i, data in sorted(enumerate(refit.folds), key=lambda pair: pair[1].fold != FINAL):
        fold = fitted_fold(cohort, refit, i)
        columns = [np.flatnonzero(np.isin(data.features.genes_idx, places)) for places in units.values()]
        importance = np.sqrt(refit.targets.labelled[data.train].sum(axis=0))[fold.packing.task_of_column]
        encoder = scores(fold.x, whole_map(fold).mean(axis=0), columns, importance)
        if data.fold == FINAL:
            reference = standardised.astype(float) @ encoder
        else:
            r = (unit_variance(fold.x @ encoder) * unit_variance(reference[data.train])).mean(axis=0)
            encoder = encoder * np.where(r < 0, -1.0, 1.0)
            correlations.append(np.abs(r))
        encoders[data.fold], models[data.fold] = encoder, _model_of_fold(fold, encoder)
    canonical = on_shared_dimensions(cohort, refit, seeds, models, correlations)
    latents = unit_variance(canonical.ensemble.latents(cohort.expression).mean(axis=0))
    # structure loadings: correlations of the columns with the score, of its own columns only
    canonical.loadings[:, final.features.genes_idx] = latents.T @ unit_variance(standardised) / len(latents)
    canonical.loadings[: len(units), final.features.genes_idx] *= (encoders[FINAL] != 0).T
    return replace(canonical, feature=np.array([*units, *[""] * (len(canonical.block) - len(units))]))


def features_on_trial(cohort: Cohort) -> dict[str, list[int]]:
    """Feature (or group) -> its coded columns; all of them, or of a wide table the ones that vary most."""
    units = cohort.coding.units
    if len(units) <= MOST_FEATURES:
        return units
    values = cohort.expression.astype(float)
    # of a mutation p (1 - p), of a category the sum over its levels, of a number its variance where the range is 1
    width = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
    spread = np.nanvar(values, axis=0) / np.maximum(width, _NOTHING) ** 2
    weight = {name: spread[places].sum() for name, places in units.items()}
    chosen = set(sorted(units, key=lambda name: -weight[name])[:MOST_FEATURES]) | set(cohort.coding.groups)
    return {name: places for name, places in units.items() if name in chosen}


def whole_map(fold: FittedFold) -> np.ndarray:
    """(s, p, c) all that the linear predictors make of the columns, as the mixtures weigh them."""
    from_axes, shares = np.einsum("pk,skc->spc", fold.data.axes.encoder, fold.axes), fold.shares
    return from_axes * shares["axes"] + fold.genes * shares["genes"] + fold.dense * shares["dense"]


def scores(x: np.ndarray, maps: np.ndarray, units: list[np.ndarray], importance: np.ndarray) -> np.ndarray:
    """Encoder (p, features) of every feature's score, variance 1 on the training samples; 0 where it does not vary.

    Parameters
    ----------
    x : (n, p) standardised training samples
    maps : (p, c) what the model makes of the columns
    units : columns of every feature; may be empty where none varies in this fold
    importance : (c,) weight of every output column in what is shared
    """
    encoder = np.zeros((x.shape[1], len(units)))
    for k, columns in enumerate(units):
        if len(columns) == 0:
            continue
        direction = np.ones(1)
        if len(columns) > 1:
            weighed = maps[columns] * importance
            effects = (x[:, columns] - x[:, columns].mean(axis=0)) @ weighed
            _, strength, right = np.linalg.svd(effects.T @ effects)
            lead = right[0] * (1.0 if right[0] @ importance >= 0 else -1.0)
            direction = weighed @ lead
            if strength[0] < _NOTHING:  # no task reads it: any fixed direction will do
                direction = np.arange(1.0, len(columns) + 1)
        values = x[:, columns] @ direction
        encoder[columns, k] = direction / max(values.std(), _NOTHING)
    return encoder


def _model_of_fold(fold: FittedFold, encoder: np.ndarray) -> FoldModel:
    """Scores (p, features), heads on them, and the rest."""
    maps, values = whole_map(fold), fold.x @ encoder
    centred = values - values.mean(axis=0)
    variance = np.maximum(np.square(centred).mean(axis=0), _NOTHING)
    heads = np.zeros((len(maps), encoder.shape[1], fold.packing.n_columns))
    rest = maps.copy()
    for k in range(encoder.shape[1]):
        columns = np.flatnonzero(encoder[:, k])
        effects = np.einsum("np,spc->snc", fold.x[:, columns], maps[:, columns])
        heads[:, k] = np.einsum("n,snc->sc", centred[:, k], effects) / (len(fold.x) * variance[k])
        rest[:, columns] -= encoder[columns, k][:, None] * heads[:, k][:, None]
    block = block_part(fold, rest, fold.shares["dense"])
    # Where nothing is left over, the dimension shows the whole prediction, and no head reads it.
    idle = block.values.std(axis=1) < 1e-6
    if idle.any():
        whole = np.einsum("np,spc->snc", fold.x, maps, optimize=True)
        linear = np.where(idle[:, None], maps, rest)
        block = replace(block, linear=linear, values=np.where(idle[:, None], whole, block.values))
    return fold_model(fold, encoder, heads, block, idle)
