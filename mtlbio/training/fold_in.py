"""Folding what training found into one linear encoder per fold, on dimensions that all folds share.

The reference are the axes of the final model. Every other fold's axes are matched to them over the fold's own
training samples; its heads move with the axes, so predictions do not change. The supervised block needs no matching:
its dimension ``c`` is the (standardised) share of head ``c`` that the axes do not carry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.ensemble import FINAL, Ensemble, FoldModel
from mtlbio.model.matching import Matching, match_axes
from mtlbio.model.outputs import Outputs
from mtlbio.training.mixing import Mixed, Mixture
from mtlbio.training.problem import FoldData, Targets
from mtlbio.training.replicas import Fitted
from mtlbio.training.sparse_heads import SparseHeads


@dataclass(frozen=True)
class Canonical:
    """The ensemble with what is known about its dimensions; d = axes + columns.

    Attributes
    ----------
    ensemble : all folds on the same dimensions
    block : (d,) "axis" or "supervised"
    stability : (d,) median absolute correlation with the partner over folds (axes) or folds and seeds (supervised)
    loadings : (d, genes of the cohort) of the final model, in units of a gene's standard deviation; 0 where unused
    """

    ensemble: Ensemble
    block: np.ndarray
    stability: np.ndarray
    loadings: np.ndarray


def fold_in(
    cohort: Cohort,
    folds: list[FoldData],
    targets: Targets,
    heads: SparseHeads,
    fitted: Fitted,
    mixed: Mixed,
    seeds: list[int],
) -> Canonical:
    """Fold standardisation, axes, matching, block and heads of the multi-task arm into an :class:`Ensemble`."""
    packing = Outputs.of(cohort.tasks)
    final = next(data for data in folds if data.fold == FINAL)
    standardised = final.features.transform(cohort.expression)
    reference = standardised @ final.axes.encoder
    models, correlations = {}, []
    for i, data in enumerate(folds):
        x = data.features.transform(cohort.expression[data.train]).astype(float)
        matching = match_axes(reference[data.train], x @ data.axes.encoder)
        if data.fold != FINAL:
            correlations.append(matching.correlation)
        paths = _Paths(
            axes=heads.weights[i].cpu().numpy().astype(float)[:, : data.axes.n_axes],
            axes_bias=heads.bias[i].cpu().numpy().astype(float),
            block=data.basis @ fitted.block[i, 0].cpu().numpy().astype(float)[:, : data.basis.shape[1]],
            block_bias=fitted.bias[i, 0].cpu().numpy().astype(float),
            mixture=[mixed.mixture[i, 0, t] for t in range(len(packing.tasks))],
        )
        models[data.fold] = _fold_model(x, data, matching, paths, packing, targets.mean[i], targets.scale[i])
    n_axes = final.axes.n_axes
    dims = tuple(f"z{d + 1:02d}" for d in range(n_axes + packing.n_columns))
    ensemble = Ensemble(models, cohort.tasks, cohort.genes, dims, tuple(seeds))
    loadings = np.zeros((len(dims), len(cohort.genes)), dtype=np.float32)
    loadings[:n_axes, final.features.genes_idx] = final.axes.loadings.T
    # A dense direction has no sparse pattern; its structure loadings are its correlations with the genes.
    block = _unit(ensemble.latents(cohort.expression)[:, :, n_axes:].mean(axis=0))
    loadings[n_axes:, final.features.genes_idx] = block.T @ standardised / len(block)
    stability = np.concatenate([np.median(correlations, axis=0), _block_stability(ensemble, cohort, folds, n_axes)])
    kind = np.array(["axis"] * n_axes + ["supervised"] * packing.n_columns)
    return Canonical(ensemble, kind, stability, loadings)


@dataclass(frozen=True)
class _Paths:
    """Both paths of one fold: axes (s, k, c), block (s, p, c), biases (s, o), and the mixture of each task."""

    axes: np.ndarray
    axes_bias: np.ndarray
    block: np.ndarray
    block_bias: np.ndarray
    mixture: list[Mixture]


def _fold_model(
    x: np.ndarray,
    data: FoldData,
    matching: Matching,
    paths: _Paths,
    packing: Outputs,
    target_mean: np.ndarray,
    target_scale: np.ndarray,
) -> FoldModel:
    """Encoder and heads of one fold on the reference dimensions; ``x`` are its standardised training samples."""
    task = packing.task_of_column
    share_axes = np.array([m.axes for m in paths.mixture])
    share_block = np.array([m.block for m in paths.mixture])
    axes_heads = paths.axes * share_axes[task]
    # Axes: partners move with their heads; a stand-in for a missing partner is read by no head.
    encoder = data.axes.encoder @ matching.transfer
    size = np.maximum((x @ encoder).std(axis=0), 1e-9)
    on_reference = np.einsum("kr,skc->src", np.where(matching.paired, matching.transfer, 0.0), axes_heads)
    weights_axes = on_reference * size[:, None]
    # Block: axes without a partner ride along, or the predictions would change.
    rest = np.einsum("pk,skc->spc", data.axes.encoder[:, matching.unmatched], axes_heads[:, matching.unmatched])
    carried = paths.block * share_block[task] + rest
    unread = np.abs(carried).max(axis=1, keepdims=True) == 0  # the mixture gave the block no share
    carried = np.where(unread, paths.block, carried)
    spread = np.einsum("np,spc->snc", x, carried, optimize=True).std(axis=1)  # (s, c)
    spread = np.maximum(spread, 1e-9)
    block = carried / spread[:, None]
    weights_block = np.stack([np.diag(row) for row in np.where(unread[:, 0], 0.0, spread)])
    weights = np.concatenate([weights_axes, weights_block], axis=1)
    axes_mean = (x @ (encoder / size)).mean(axis=0)
    block_mean = np.einsum("np,spc->snc", x, block, optimize=True).mean(axis=1)
    of_output = packing.task_of_output
    bias = paths.axes_bias * share_axes[of_output] + paths.block_bias * share_block[of_output]
    bias = bias + np.concatenate([m.bias for m in paths.mixture])
    centre = np.concatenate([np.broadcast_to(axes_mean, (len(block_mean), len(axes_mean))), block_mean], axis=1)
    bias = bias + np.einsum("sd,sdc->sc", centre, weights) @ packing.expand
    return FoldModel(
        data.features, encoder / size, axes_mean, block, block_mean, weights, bias, target_mean, target_scale
    )


def _unit(latents: np.ndarray) -> np.ndarray:
    """Centre and scale along the samples, the second-last dimension; a constant becomes 0."""
    centred = latents - latents.mean(axis=-2, keepdims=True)
    return centred / np.maximum(latents.std(axis=-2, keepdims=True), 1e-12)


def _block_stability(ensemble: Ensemble, cohort: Cohort, folds: list[FoldData], n_axes: int) -> np.ndarray:
    """Median absolute correlation of every replica's supervised dimensions with the final model's mean."""
    final = ensemble.latents(cohort.expression)[:, :, n_axes:]
    found = []
    for data in folds:
        reference = _unit(final[:, data.train].mean(axis=0))
        own = ensemble.latents(cohort.expression[data.train], data.fold)[:, :, n_axes:]
        found.append(np.abs((_unit(own) * reference).mean(axis=1)))
    return np.median(np.concatenate(found), axis=0)
