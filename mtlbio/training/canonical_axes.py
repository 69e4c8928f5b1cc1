"""The dimensions that all folds share, and the model of one fold on them.

:mod:`mtlbio.training.fold_in` finds them among axes of measurements, :mod:`mtlbio.training.fold_in_table` among the
features of a table. In both, the first dimensions are read by every head, and each further one, the *block*, holds what
those do not carry of one output column: predictions are those of the mixed predictors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.ensemble import Ensemble, FoldModel
from mtlbio.model.gated import GatedBlock
from mtlbio.model.outputs import Outputs
from mtlbio.training.fold_predictors import FittedFold
from mtlbio.training.problem import PATHS, FoldData


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
class AxesPart:
    """The dimensions of a fold that every head may read; k of them.

    Attributes
    ----------
    encoder : (p, k) what gives them
    scores : (n, k) of the training samples
    weights : (s, k, c) heads on the scores
    """

    encoder: np.ndarray
    scores: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class BlockPart:
    """What those dimensions do not carry of every output column.

    Attributes
    ----------
    linear : (s, p, c) of the genes
    curved : (s, m, c) of the nonlinear features of the axes
    gated : the gated part, where a sharing scheme has gates
    values : (s, n, c) of all three on the training samples
    unread : (s, c) where no head reads the dimension, which then shows something else than what is left over
    """

    linear: np.ndarray
    curved: np.ndarray
    gated: GatedBlock | None
    values: np.ndarray
    unread: np.ndarray


def fold_model(fold: FittedFold, axes: AxesPart, block: BlockPart) -> FoldModel:
    """The fold's model of its two kinds of dimensions, with the block at variance 1 and the biases that go with it."""
    data, predictors, packing = fold.data, fold.predictors, fold.packing
    spread = np.maximum(block.values.std(axis=1), 1e-9)
    weights_block = np.stack([np.diag(row) for row in np.where(block.unread, 0.0, spread)])
    weights = np.concatenate([axes.weights, weights_block], axis=1)
    axes_mean, block_mean = axes.scores.mean(axis=0), block.values.mean(axis=1) / spread
    of_output = np.stack([m.shares for m in predictors.mixture], axis=1)[
        :, packing.task_of_output
    ]  # (predictors, outputs)
    bias = np.concatenate([m.bias for m in predictors.mixture])
    bias = bias + sum(predictors.bias[name] * of_output[p] for p, name in enumerate(PATHS))
    centre = np.concatenate([np.broadcast_to(axes_mean, (len(block_mean), len(axes_mean))), block_mean], axis=1)
    bias = bias + np.einsum("sd,sdc->sc", centre, weights) @ packing.expand
    return FoldModel(
        data.features,
        axes=axes.encoder,
        axes_mean=axes_mean,
        block=block.linear / spread[:, None],
        block_mean=block_mean,
        own_axes=data.axes.encoder,
        frequencies=data.curves.frequencies,
        phase=data.curves.phase,
        curve_mean=data.curves.mean,
        curved=block.curved / spread[:, None],
        weights=weights,
        bias=bias,
        target_mean=fold.target_mean,
        target_scale=fold.target_scale,
        gated=block.gated and block.gated.times(1 / spread, 1 / spread),
    )


def dimension_names(n_axes: int, packing: Outputs) -> tuple[str, ...]:
    """``z01``, ``z02``, ...: the axes, then a dimension per output column."""
    return tuple(f"z{d + 1:02d}" for d in range(n_axes + packing.n_columns))


def kinds_of_dimensions(n_axes: int, packing: Outputs) -> tuple[np.ndarray, np.ndarray]:
    """``block`` and ``task`` of :class:`CanonicalAxes`."""
    kind = np.array(["axis"] * n_axes + ["supervised"] * packing.n_columns)
    served = np.array([""] * n_axes + [packing.tasks[t].name for t in packing.task_of_column])
    return kind, served


def unit_variance(latents: np.ndarray) -> np.ndarray:
    """Centre and scale along the samples, the second-last dimension; a constant becomes 0."""
    centred = latents - latents.mean(axis=-2, keepdims=True)
    return centred / np.maximum(latents.std(axis=-2, keepdims=True), 1e-12)


def block_stability(ensemble: Ensemble, cohort: Cohort, folds: list[FoldData], n_axes: int) -> np.ndarray:
    """Median absolute correlation of every replica's supervised dimensions with the final model's mean."""
    final = ensemble.latents(cohort.expression)[:, :, n_axes:]
    found = []
    for data in folds:
        reference = unit_variance(final[:, data.train].mean(axis=0))
        own = ensemble.latents(cohort.expression[data.train], data.fold)[:, :, n_axes:]
        found.append(np.abs((unit_variance(own) * reference).mean(axis=1)))
    return np.median(np.concatenate(found), axis=0)
