"""The dimensions that all folds share: axes of all blocks, and of every task what the axes do not say.

The axes of every fold are matched to those of the model of all donors. The stacked prediction of a task is then taken
apart: its ridge regression on the axes of the training donors is the task's head on the axes, and the rest is a
supervised dimension. Together they give the stacked prediction back to the last digit, whatever blocks a sample has.
"""

from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.assays.blocks import Blocks
from mtlbio.cohort.cohort import Cohort
from mtlbio.model.block_latents import BlockFold, BlockLatents
from mtlbio.model.ensemble import FINAL
from mtlbio.model.matching import Matching, match_axes
from mtlbio.model.outputs import Outputs
from mtlbio.training.assays.axes import FoldAxes, explained
from mtlbio.training.assays.dimensions import Dimensions, spread_of
from mtlbio.training.canonical_axes import unit_variance
from mtlbio.training.problem import Targets
from mtlbio.training.stacked_predictors import column_means


@dataclass(frozen=True)
class CanonicalBlocks:
    """The models of all folds on the same dimensions, with what is known about these; d = axes + columns.

    Attributes
    ----------
    latents : of all folds
    dims : (d,) names
    axes : so many of them, the first ones, are axes
    task : (d,) the task of a supervised dimension, "" of an axis
    stability : (d,) median absolute correlation with the partner over folds (axes) or folds and seeds (supervised)
    loadings : (d, features of the cohort) of the final model, in standard deviations of a feature
    explained : (axes, blocks) share of a block's variance that an axis explains in donors that its fold holds out
    dimensions : of the final model, for samples that it has not seen
    """

    latents: BlockLatents
    dims: tuple[str, ...]
    axes: int
    task: np.ndarray
    stability: np.ndarray
    loadings: np.ndarray
    explained: np.ndarray
    dimensions: Dimensions


def canonical_blocks(
    cohort: Cohort, blocks: Blocks, fold: np.ndarray, axes: dict[int, FoldAxes], outputs: np.ndarray, targets: Targets
) -> CanonicalBlocks:
    """Put the axes and the stacked predictions of all folds on shared dimensions.

    Parameters
    ----------
    fold : (n,) that holds a sample out
    axes : by fold, the final one included
    outputs : (f, s, n, o) stacked outputs of all samples in the order of ``axes``, in the units of ``targets``
    """
    packing, final = Outputs.of(cohort.tasks), axes[FINAL]
    means = column_means(packing)
    matchings = matched(axes)
    stacked = {number: outputs[i].astype(float) for i, number in enumerate(axes)}
    dimensions = {
        number: Dimensions.of(own.values, matchings[number].transfer, stacked[number] @ means, own.train)
        for number, own in axes.items()
    }
    folds = {
        number: _fold(own, dimensions[number], stacked[number], targets.mean[i], targets.scale[i], packing)
        for i, (number, own) in enumerate(axes.items())
    }
    k, latents = final.axes.n_axes, BlockLatents(folds, fold)
    held_out = [number for number in axes if number != FINAL]
    of_axes = np.median([matchings[number].correlation for number in held_out], axis=0)
    supervised = _stability({number: axes[number].train for number in held_out}, latents, k)
    loadings = np.zeros((k + packing.n_columns, len(cohort.genes)), dtype=np.float32)
    scale = spread_of(final.values[final.train])
    loadings[:k, final.features.genes_idx] = (final.axes.loadings * scale).T
    loadings[k:] = _structure(cohort, blocks, final, folds[FINAL].latents[:, :, k:].mean(axis=0))
    dims = tuple(f"z{d + 1:02d}" for d in range(k + packing.n_columns))
    task = np.array([""] * k + [packing.tasks[t].name for t in packing.task_of_column])
    share = explained_by_axes(cohort, blocks, fold, axes, matchings)
    stability = np.concatenate([of_axes, supervised])
    return CanonicalBlocks(latents, dims, k, task, stability, loadings, share, dimensions[FINAL])


def matched(axes: dict[int, FoldAxes]) -> dict[int, Matching]:
    """Partners of the final model's axes in every fold, found on the fold's training samples."""
    final = axes[FINAL].values
    return {number: match_axes(final[own.train], own.values[own.train]) for number, own in axes.items()}


def _fold(
    own: FoldAxes, dimensions: Dimensions, outputs: np.ndarray, mean: np.ndarray, scale: np.ndarray, packing: Outputs
) -> BlockFold:
    """Latents and heads of one fold; ``outputs`` (s, n, o)."""
    latents, weights = dimensions.latents(own.values, outputs @ column_means(packing)), dimensions.weights
    bias = outputs - latents.astype(float) @ weights @ packing.expand
    return BlockFold(latents, weights, bias.astype(np.float32), np.asarray(mean), np.asarray(scale))


def _stability(trained: dict[int, np.ndarray], latents: BlockLatents, k: int) -> np.ndarray:
    """(c,) of the supervised dimensions."""
    final, found = latents.folds[FINAL].latents[:, :, k:].mean(axis=0), []
    for number, train in trained.items():
        own = unit_variance(latents.folds[number].latents[:, train, k:])
        found.append(np.abs((own * unit_variance(final[train])).mean(axis=1)))
    return np.median(np.concatenate(found), axis=0)


def _structure(cohort: Cohort, blocks: Blocks, final: FoldAxes, values: np.ndarray) -> np.ndarray:
    """(c, features) correlations of the supervised dimensions with every feature, over the samples that have it."""
    x, out = final.features.transform(cohort.expression), np.zeros((values.shape[1], len(cohort.genes)))
    of_feature = blocks.of_feature[final.features.genes_idx]
    for place in range(len(blocks.names)):
        have, columns = blocks.present[:, place], np.flatnonzero(of_feature == place)
        r = unit_variance(values[have]).T @ unit_variance(x[have][:, columns].astype(float)) / have.sum()
        out[:, final.features.genes_idx[columns]] = r
    return out


def explained_by_axes(
    cohort: Cohort, blocks: Blocks, fold: np.ndarray, axes: dict[int, FoldAxes], matchings: dict[int, Matching]
) -> np.ndarray:
    """(axes, blocks) share of variance in held-out donors, the mean over the folds that found the axis."""
    k = axes[FINAL].axes.n_axes
    shares = []
    for number, own in axes.items():
        if number == FINAL:
            continue
        matching = matchings[number]
        x = own.features.transform(cohort.expression).astype(float)
        of_feature = blocks.of_feature[own.features.genes_idx]
        share = np.full((k, len(blocks.names)), np.nan)
        for place in range(len(blocks.names)):
            rows = (fold == number) & blocks.present[:, place]
            columns = of_feature == place
            if rows.any():
                found = explained(x[np.ix_(rows, columns)], own.values[rows], own.axes.loadings[columns])
                share[matching.paired, place] = (found @ np.abs(matching.transfer))[matching.paired]
        shares.append(share)
    with np.errstate(invalid="ignore"):
        known = ~np.isnan(shares)
        return np.where(known.any(axis=0), np.nansum(shares, axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
