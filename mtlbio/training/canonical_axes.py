"""The dimensions that all folds share, and the model of one fold on them.

:mod:`mtlbio.training.fold_in` finds them among axes of measurements, :mod:`mtlbio.training.fold_in_table` among the
features of a table. In both, the first dimensions are read by every head, and each further one, the *block*, holds what
those do not carry of one output column: predictions are those of the mixed predictors.
"""

from dataclasses import dataclass, replace

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.deep import DeepBlock
from mtlbio.model.ensemble import Ensemble, FoldModel
from mtlbio.model.gated import GatedBlock
from mtlbio.model.outputs import Outputs
from mtlbio.model.site_heads import SiteHeads
from mtlbio.training.fold_predictors import FittedFold, Refit
from mtlbio.training.site_heads import levels_of
from mtlbio.training.stacked_predictors import CrossTaskStack


@dataclass(frozen=True)
class CanonicalAxes:
    """The ensemble with what is known about its dimensions; d = axes + columns.

    Attributes
    ----------
    ensemble : all folds on the same dimensions
    block : (d,) "axis" or "supervised"
    task : (d,) the task that a supervised dimension was trained for, "" for an axis
    stability : (d,) median absolute correlation with the partner over folds (axes) or folds and seeds (supervised)
    loadings : (d, genes of the cohort) of the final model, in units of a gene's standard deviation; 0 where unused
    feature : (d,) of a table of features, what an axis is about, "" for a supervised dimension; else None
    """

    ensemble: Ensemble
    block: np.ndarray
    task: np.ndarray
    stability: np.ndarray
    loadings: np.ndarray
    feature: np.ndarray | None = None


@dataclass(frozen=True)
class BlockPart:
    """What the first dimensions do not carry of every output column.

    Attributes
    ----------
    linear : (s, p, c) of the genes
    curved : (s, m, c) of the nonlinear features of the axes
    gated : the gated part, where a sharing scheme has gates
    values : (s, n, c) of all parts on the training samples
    deep : the part of the deep trunk, where the fold's columns take something from it
    """

    linear: np.ndarray
    curved: np.ndarray
    gated: GatedBlock | None
    values: np.ndarray
    deep: DeepBlock | None = None


def block_part(fold: FittedFold, linear: np.ndarray, dense: np.ndarray) -> BlockPart:
    """The block with a linear part (s, p, c), the curves, what gates make of a share (c,) or (s, c) ``dense``, and the
    deep trunk."""
    curved, features = fold.curved * fold.shares["curved"], fold.data.curves.transform(fold.x @ fold.data.axes.encoder)
    gated = fold.gated and fold.gated.times(dense, fold.shares["curved"])
    values = np.einsum("np,spc->snc", fold.x, linear, optimize=True)
    values = values + np.einsum("nm,smc->snc", features, curved, optimize=True)
    values = values + gated.values(fold.x, features) if gated else values
    return BlockPart(linear, curved, gated, values + fold.deep.values(fold.x) if fold.deep else values, fold.deep)


def fold_model(
    fold: FittedFold, encoder: np.ndarray, heads: np.ndarray, block: BlockPart, unread: np.ndarray
) -> FoldModel:
    """The fold's model of its two kinds of dimensions, with the block at variance 1 and the biases that go with it.

    Parameters
    ----------
    encoder : (p, k) of the dimensions that every head may read
    heads : (s, k, c) on those
    unread : (s, c) where no head reads the block, which then shows something else than what is left over
    """
    data, packing = fold.data, fold.packing
    spread = np.maximum(block.values.std(axis=1), 1e-9)
    heads_on_block = np.stack([np.diag(row) for row in np.where(unread, 0.0, spread)])
    weights = np.concatenate([heads, heads_on_block], axis=1)
    axes_mean, block_mean = (fold.x @ encoder).mean(axis=0), block.values.mean(axis=1) / spread
    of_output = np.stack([m.shares for m in fold.mixture], axis=1)[:, packing.task_of_output]  # (predictors, outputs)
    bias = np.concatenate([m.bias for m in fold.mixture])
    bias = bias + sum(of_path * of_output[p] for p, of_path in enumerate(fold.bias.values()))
    centre = np.concatenate([np.broadcast_to(axes_mean, (len(block_mean), len(axes_mean))), block_mean], axis=1)
    return FoldModel(
        data.features,
        axes=encoder,
        axes_mean=axes_mean,
        block=block.linear / spread[:, None],
        block_mean=block_mean,
        own_axes=data.axes.encoder,
        frequencies=data.curves.frequencies,
        phase=data.curves.phase,
        curve_mean=data.curves.mean,
        curved=block.curved / spread[:, None],
        weights=weights,
        bias=bias + np.einsum("sd,sdc->sc", centre, weights) @ packing.expand,
        target_mean=fold.target_mean,
        target_scale=fold.target_scale,
        gated=block.gated and block.gated.times(1 / spread, 1 / spread),
        deep=block.deep and block.deep.times(1 / spread),
    )


def on_shared_dimensions(
    cohort: Cohort, refit: Refit, seeds: list[int], models: dict[int, FoldModel], correlations: list[np.ndarray]
) -> CanonicalAxes:
    """The models of all folds, on the same dimensions, as one ensemble; its loadings are still 0. ``correlations`` (k,)
    of every fold are absolute, of its axes with those of the final model; without any, stability is 1."""
    packing, cross_task = Outputs.of(cohort.tasks), refit.stacking.cross_task
    n_axes = next(iter(models.values())).axes.shape[1]
    dims = tuple(f"z{d + 1:02d}" for d in range(n_axes + packing.n_columns))
    models = {
        data.fold: cross_task[i, 0].folded(models[data.fold], packing) if (i, 0) in cross_task else models[data.fold]
        for i, data in enumerate(refit.folds)
    }
    sites, column = refit.stacking.sites, refit.stacking.site_column
    models = {
        data.fold: replace(model, sites=_at_sites(model, sites[i, 0], packing)) if (i, 0) in sites else model
        for i, data in enumerate(refit.folds)
        for model in [models[data.fold]]
    }
    known = () if column is None else (column, levels_of(cohort, column)[1])
    ensemble = Ensemble(models, cohort.tasks, cohort.genes, dims, tuple(seeds), *known)
    of_axes = np.median(correlations, axis=0) if correlations else np.ones(n_axes)
    return CanonicalAxes(
        ensemble,
        block=np.array(["axis"] * n_axes + ["supervised"] * packing.n_columns),
        task=np.array([""] * n_axes + [packing.tasks[t].name for t in packing.task_of_column]),
        stability=np.concatenate([of_axes, _block_stability(ensemble, cohort, refit, n_axes)]),
        loadings=np.zeros((len(dims), len(cohort.genes)), dtype=np.float32),
    )


def _at_sites(model: FoldModel, sites: list[CrossTaskStack], packing: Outputs) -> SiteHeads:
    """Heads of every site, from those that sites share."""
    own = [site.folded(model, packing) for site in sites]
    return SiteHeads(np.stack([heads.weights for heads in own]), np.stack([heads.bias for heads in own]))


def unit_variance(latents: np.ndarray) -> np.ndarray:
    """Centre and scale along the samples, the second-last dimension; a constant becomes 0."""
    centred = latents - latents.mean(axis=-2, keepdims=True)
    return centred / np.maximum(latents.std(axis=-2, keepdims=True), 1e-12)


def _block_stability(ensemble: Ensemble, cohort: Cohort, refit: Refit, n_axes: int) -> np.ndarray:
    """Median absolute correlation of every replica's supervised dimensions with the final model's mean."""
    final = ensemble.latents(cohort.expression)[:, :, n_axes:]
    correlations = []
    for data in refit.folds:
        reference = unit_variance(final[:, data.train].mean(axis=0))
        block = ensemble.latents(cohort.expression[data.train], data.fold)[:, :, n_axes:]
        correlations.append(np.abs((unit_variance(block) * reference).mean(axis=1)))
    return np.median(np.concatenate(correlations), axis=0)
