"""Dimensions of a model of a table of features: one per feature, in the direction in which the tasks agree.

A table needs no search for axes: its columns have names already. What has to be found is the scale of a feature with
several columns: how much less active ``*2/*3`` is than ``*1/*1``. All that the trained model makes of the columns of
one feature is a matrix (columns x tasks); its leading direction over the samples, tasks weighted by how many labels
taught them, is the score that the tasks share, and each task's head on the score is its affinity. A lone number is its
own score. What is left (an effect of a level on one drug that is not in proportion, curves, interactions) goes to the
supervised dimension of the task, so predictions are those of the mixed predictors. Every fold finds its scores on
its own training donors.
"""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.ensemble import FINAL, Ensemble, FoldModel
from mtlbio.model.outputs import Outputs
from mtlbio.training.canonical_axes import (
    AxesPart,
    BlockPart,
    CanonicalAxes,
    block_stability,
    dimension_names,
    fold_model,
    kinds_of_dimensions,
    unit_variance,
)
from mtlbio.training.fold_predictors import FittedFold, fitted_fold
from mtlbio.training.problem import FoldData, Targets
from mtlbio.training.replicas import Fitted
from mtlbio.training.sparse_heads import SparseHeads
from mtlbio.training.stacked_predictors import StackedPredictors

# Dimensions put on trial at most; of wider tables the features whose coded columns vary most, labels not looked at.
MOST_FEATURES = 60
_NOTHING = 1e-9


def fold_in_table(
    cohort: Cohort,
    folds: list[FoldData],
    targets: Targets,
    heads: dict[str, SparseHeads],
    blocks: dict[str, Fitted],
    stacking: StackedPredictors,
    seeds: list[int],
) -> CanonicalAxes:
    """As :func:`mtlbio.training.fold_in.fold_in`, with a dimension per feature in place of the axes."""
    packing = Outputs.of(cohort.tasks)
    units = features_on_trial(cohort)
    order = sorted(range(len(folds)), key=lambda i: folds[i].fold != FINAL)  # the final model gives the signs
    encoders, models, correlations = {}, {}, []
    for i in order:
        data, fold = folds[i], fitted_fold(cohort, folds, i, targets, heads, blocks, stacking)
        importance = np.sqrt(targets.known[data.train].sum(axis=0))[packing.task_of_column]
        encoder = scores(fold.x, whole_map(fold).mean(axis=0), _columns(units, data), importance)
        if data.fold == FINAL:
            reference = data.features.transform(cohort.expression).astype(float) @ encoder
        else:
            own = fold.x @ encoder
            r = (unit_variance(own) * unit_variance(reference[data.train])).mean(axis=0)
            encoder = encoder * np.where(r < 0, -1.0, 1.0)
            correlations.append(np.abs(r))
        model = _model_of_fold(fold, encoder)
        encoders[data.fold] = encoder
        models[data.fold] = stacking.cross_task[i, 0].folded(model, packing) if (i, 0) in stacking.cross_task else model
    k = len(units)
    dims = dimension_names(k, packing)
    ensemble = Ensemble(
        {data.fold: models[data.fold] for data in folds}, cohort.tasks, cohort.genes, dims, tuple(seeds)
    )
    final = next(data for data in folds if data.fold == FINAL)
    standardised = final.features.transform(cohort.expression)
    latents = unit_variance(ensemble.latents(cohort.expression).mean(axis=0))
    loadings = np.zeros((len(dims), len(cohort.genes)), dtype=np.float32)
    # structure loadings: correlations of the columns with the score, of its own columns only
    loadings[:, final.features.genes_idx] = latents.T @ unit_variance(standardised) / len(latents)
    loadings[:k, final.features.genes_idx] *= (encoders[FINAL] != 0).T
    again = np.median(correlations, axis=0) if correlations else np.ones(k)  # without other folds nothing turned
    stability = np.concatenate([again, block_stability(ensemble, cohort, folds, k)])
    feature = np.array([*units, *[""] * packing.n_columns])
    return CanonicalAxes(ensemble, *kinds_of_dimensions(k, packing), stability, loadings, feature)


def features_on_trial(cohort: Cohort) -> dict[str, list[int]]:
    """Feature (or group) -> its coded columns; all of them, or of a wide table the ones that vary most."""
    units = cohort.coding.units
    if len(units) <= MOST_FEATURES:
        return units
    values = cohort.expression.astype(float)
    # of a mutation p (1 - p), of a category the sum over its levels, of a number its variance where the range is 1
    spread = (
        np.nanvar(values, axis=0) / np.maximum(np.nanmax(values, axis=0) - np.nanmin(values, axis=0), _NOTHING) ** 2
    )
    weight = {name: spread[places].sum() for name, places in units.items()}
    kept = set(sorted(units, key=lambda name: -weight[name])[:MOST_FEATURES]) | set(cohort.coding.groups)
    return {name: places for name, places in units.items() if name in kept}


def whole_map(fold: FittedFold) -> np.ndarray:
    """(s, p, c) all that the linear predictors make of the columns, as the mixtures weigh them."""
    shares, predictors = fold.shares, fold.predictors
    from_axes = np.einsum("pk,skc->spc", fold.data.axes.encoder, predictors.axes)
    return from_axes * shares["axes"] + predictors.genes * shares["genes"] + predictors.dense * shares["dense"]


def scores(x: np.ndarray, maps: np.ndarray, units: list[np.ndarray], importance: np.ndarray) -> np.ndarray:
    """The score of every feature, variance 1 on the training samples.

    Parameters
    ----------
    x : (n, p) standardised training samples
    maps : (p, c) what the model makes of the columns
    units : columns of every feature; may be empty where none varies in this fold
    importance : (c,) weight of every output column in what is shared

    Returns
    -------
    (p, features) encoder; columns of zeros where a feature does not vary
    """
    encoder = np.zeros((x.shape[1], len(units)))
    for k, columns in enumerate(units):
        if len(columns) == 0:
            continue
        direction = np.ones(1)
        if len(columns) > 1:
            own = maps[columns] * importance
            effects = (x[:, columns] - x[:, columns].mean(axis=0)) @ own
            _, strength, right = np.linalg.svd(effects.T @ effects)
            lead = right[0] * (1.0 if right[0] @ importance >= 0 else -1.0)
            direction = own @ lead
            if strength[0] < _NOTHING:  # no task reads it: any fixed direction will do
                direction = np.arange(1.0, len(columns) + 1)
        values = x[:, columns] @ direction
        encoder[columns, k] = direction / max(values.std(), _NOTHING)
    return encoder


def _columns(units: dict[str, list[int]], data: FoldData) -> list[np.ndarray]:
    """Places of every feature's columns among those that vary in the fold."""
    return [np.flatnonzero(np.isin(data.features.genes_idx, places)) for places in units.values()]


def _model_of_fold(fold: FittedFold, encoder: np.ndarray) -> FoldModel:
    """Scores (p, features), heads on them, and the rest."""
    x, data, predictors, shares, maps = fold.x, fold.data, fold.predictors, fold.shares, whole_map(fold)
    values = x @ encoder
    centred = values - values.mean(axis=0)
    variance = np.maximum(np.square(centred).mean(axis=0), _NOTHING)
    weights_axes = np.zeros((len(maps), encoder.shape[1], fold.packing.n_columns))
    rest = maps.copy()
    for k in range(encoder.shape[1]):
        columns = np.flatnonzero(encoder[:, k])
        effects = np.einsum("np,spc->snc", x[:, columns], maps[:, columns])
        weights_axes[:, k] = np.einsum("n,snc->sc", centred[:, k], effects) / (len(x) * variance[k])
        rest[:, columns] -= encoder[columns, k][:, None] * weights_axes[:, k][:, None]
    curved = predictors.curved * shares["curved"]
    raw = data.curves.transform(x @ data.axes.encoder)
    gated = predictors.gated and predictors.gated.times(
        *(np.tile(shares[name], (len(maps), 1)) for name in ("dense", "curved"))
    )
    block = np.einsum("np,spc->snc", x, rest, optimize=True) + np.einsum("nm,smc->snc", raw, curved, optimize=True)
    block = block + gated.values(x, raw) if gated else block
    # Where nothing is left over, the dimension shows the whole prediction, and no head reads it.
    idle = block.std(axis=1) < 1e-6
    if idle.any():
        rest = np.where(idle[:, None], maps, rest)
        block = np.where(idle[:, None], np.einsum("np,spc->snc", x, maps, optimize=True), block)
    axes = AxesPart(encoder, values, weights_axes)
    return fold_model(fold, axes, BlockPart(rest, curved, gated, block, idle))
