"""Folding what training found into one linear encoder per fold, on dimensions that all folds share.

The reference are the axes of the final model. Every other fold's axes are matched to them over the fold's own
training samples; its heads move with the axes, so predictions do not change. The supervised block needs no matching:
its dimension ``c`` is the (standardised) share of head ``c`` that the axes do not carry.
"""

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.ensemble import FINAL, FoldModel
from mtlbio.model.matching import Matching, match_axes
from mtlbio.training.canonical_axes import CanonicalAxes, block_part, fold_model, on_shared_dimensions, unit_variance
from mtlbio.training.fold_predictors import FittedFold, Refit, fitted_fold


def fold_in(cohort: Cohort, refit: Refit, seeds: list[int]) -> CanonicalAxes:
    """Fold standardisation, axes, matching, block and heads of the multi-task arm into an :class:`Ensemble`."""
    final, n_axes = refit.final, refit.final.axes.n_axes
    standardised = final.features.transform(cohort.expression)
    reference = standardised @ final.axes.encoder
    models, correlations = {}, []
    for i, data in enumerate(refit.folds):
        fold = fitted_fold(cohort, refit, i)
        matching = match_axes(reference[data.train], fold.x @ data.axes.encoder)
        if data.fold != FINAL:
            correlations.append(matching.correlation)
        models[data.fold] = _model_of_fold(fold, matching)
    canonical = on_shared_dimensions(cohort, refit, seeds, models, correlations)
    canonical.loadings[:n_axes, final.features.genes_idx] = final.axes.loadings.T
    # A dense direction has no sparse pattern; its structure loadings are its correlations with the genes.
    block = unit_variance(canonical.ensemble.latents(cohort.expression)[:, :, n_axes:].mean(axis=0))
    canonical.loadings[n_axes:, final.features.genes_idx] = block.T @ standardised / len(block)
    return canonical


def _model_of_fold(fold: FittedFold, matching: Matching) -> FoldModel:
    """Encoder and heads of one fold on the reference dimensions."""
    axes, heads = fold.data.axes.encoder, fold.axes * fold.shares["axes"]
    # Axes: partners move with their heads; a stand-in for a missing partner is read by no head.
    encoder = axes @ matching.transfer
    size = np.maximum((fold.x @ encoder).std(axis=0), 1e-9)
    signs = np.where(matching.paired, matching.transfer, 0.0)
    moved = np.einsum("kr,skc->src", signs, heads) * size[:, None]
    # Block: what the axes miss. Axes without a partner ride along, or the predictions would change.
    lonely = np.einsum("pk,skc->spc", axes[:, matching.unmatched], heads[:, matching.unmatched])
    rest = fold.genes * fold.shares["genes"] + lonely
    share = np.tile(fold.shares["dense"], (len(rest), 1))
    block = block_part(fold, fold.dense * share[:, None] + rest, share)
    # Where the mixture gives the block nothing, the dimension is still what the dense path would have said.
    unread = np.abs(block.values).max(1) == 0
    if unread.any():
        share = np.where(unread, 1.0, share)
        block = block_part(fold, fold.dense * share[:, None] + rest, share)
    return fold_model(fold, encoder / size, moved, block, unread)
