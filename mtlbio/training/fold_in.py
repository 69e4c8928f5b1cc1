"""Folding what training found into one linear encoder per fold, on dimensions that all folds share.

The reference are the axes of the final model. Every other fold's axes are matched to them over the fold's own
training samples; its heads move with the axes, so predictions do not change. The supervised block needs no matching:
its dimension ``c`` is the (standardised) share of head ``c`` that the axes do not carry.
"""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.ensemble import FINAL, Ensemble, FoldModel
from mtlbio.model.gated import GatedBlock
from mtlbio.model.matching import Matching, match_axes
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


def fold_in(
    cohort: Cohort,
    folds: list[FoldData],
    targets: Targets,
    heads: dict[str, SparseHeads],
    blocks: dict[str, Fitted],
    stacking: StackedPredictors,
    seeds: list[int],
) -> CanonicalAxes:
    """Fold standardisation, axes, matching, block and heads of the multi-task arm into an :class:`Ensemble`."""
    packing = Outputs.of(cohort.tasks)
    final = next(data for data in folds if data.fold == FINAL)
    standardised = final.features.transform(cohort.expression)
    reference = standardised @ final.axes.encoder
    models, correlations = {}, []
    for i, data in enumerate(folds):
        fold = fitted_fold(cohort, folds, i, targets, heads, blocks, stacking)
        matching = match_axes(reference[data.train], fold.x @ data.axes.encoder)
        if data.fold != FINAL:
            correlations.append(matching.correlation)
        model = _model_of_fold(fold, matching)
        models[data.fold] = stacking.cross_task[i, 0].folded(model, packing) if (i, 0) in stacking.cross_task else model
    n_axes = final.axes.n_axes
    dims = dimension_names(n_axes, packing)
    ensemble = Ensemble(models, cohort.tasks, cohort.genes, dims, tuple(seeds))
    loadings = np.zeros((len(dims), len(cohort.genes)), dtype=np.float32)
    loadings[:n_axes, final.features.genes_idx] = final.axes.loadings.T
    # A dense direction has no sparse pattern; its structure loadings are its correlations with the genes.
    block = unit_variance(ensemble.latents(cohort.expression)[:, :, n_axes:].mean(axis=0))
    loadings[n_axes:, final.features.genes_idx] = block.T @ standardised / len(block)
    stability = np.concatenate([np.median(correlations, axis=0), block_stability(ensemble, cohort, folds, n_axes)])
    return CanonicalAxes(ensemble, *kinds_of_dimensions(n_axes, packing), stability, loadings)


def _model_of_fold(fold: FittedFold, matching: Matching) -> FoldModel:
    """Encoder and heads of one fold on the reference dimensions."""
    data, predictors = fold.data, fold.predictors
    axes_heads = predictors.axes * fold.shares["axes"]
    # Axes: partners move with their heads; a stand-in for a missing partner is read by no head.
    encoder = data.axes.encoder @ matching.transfer
    size = np.maximum((fold.x @ encoder).std(axis=0), 1e-9)
    signs = np.where(matching.paired, matching.transfer, 0.0)
    weights = np.einsum("kr,skc->src", signs, axes_heads) * size[:, None]
    # Block: what the axes miss. Axes without a partner ride along, or the predictions would change.
    lonely = np.einsum("pk,skc->spc", data.axes.encoder[:, matching.unmatched], axes_heads[:, matching.unmatched])
    rest = predictors.genes * fold.shares["genes"] + lonely
    return fold_model(fold, AxesPart(encoder / size, fold.x @ (encoder / size), weights), _block_of_fold(fold, rest))


def _block_of_fold(fold: FittedFold, rest: np.ndarray) -> BlockPart:
    """The shared predictors, and ``rest`` (s, p, c) of the others."""
    data, predictors, x = fold.data, fold.predictors, fold.x
    share = {name: np.tile(fold.shares[name], (len(rest), 1)) for name in ("dense", "curved")}
    curved = predictors.curved * share["curved"][:, None]
    raw = data.curves.transform(x @ data.axes.encoder)
    from_curves = np.einsum("nm,smc->snc", raw, curved, optimize=True)

    def block(dense: np.ndarray) -> tuple[np.ndarray, GatedBlock | None, np.ndarray]:
        """Linear and gated part and their values (s, n, c), with so much (s, c) of the dense path."""
        linear, gated = (
            predictors.dense * dense[:, None] + rest,
            predictors.gated and predictors.gated.times(dense, share["curved"]),
        )
        values = np.einsum("np,spc->snc", x, linear, optimize=True) + from_curves
        return linear, gated, values + gated.values(x, raw) if gated else values

    linear, gated, values = block(share["dense"])
    # Where the mixture gives the block nothing, the dimension is still what the dense path would have said.
    unread = np.abs(values).max(1) == 0
    if unread.any():
        linear, gated, values = block(np.where(unread, 1.0, share["dense"]))
    return BlockPart(linear, curved, gated, values, unread)
