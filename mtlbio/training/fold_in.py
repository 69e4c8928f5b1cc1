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
from mtlbio.model.gated import Gated, GatedBlock
from mtlbio.model.matching import Matching, match_axes
from mtlbio.model.outputs import Outputs
from mtlbio.training.mixing import PATHS, Mixed, Mixture
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


def fold_in(
    cohort: Cohort,
    folds: list[FoldData],
    targets: Targets,
    heads: dict[str, SparseHeads],
    blocks: dict[str, Fitted],
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
        paths = paths_of_fold(data, i, heads, blocks, mixed, packing)
        model = _fold_model(x, data, matching, paths, packing, targets.mean[i], targets.scale[i])
        models[data.fold] = mixed.loans[i, 0].folded(model, packing) if (i, 0) in mixed.loans else model
    n_axes = final.axes.n_axes
    dims = tuple(f"z{d + 1:02d}" for d in range(n_axes + packing.n_columns))
    ensemble = Ensemble(models, cohort.tasks, cohort.genes, dims, tuple(seeds))
    loadings = np.zeros((len(dims), len(cohort.genes)), dtype=np.float32)
    loadings[:n_axes, final.features.genes_idx] = final.axes.loadings.T
    # A dense direction has no sparse pattern; its structure loadings are its correlations with the genes.
    block = unit_variance(ensemble.latents(cohort.expression)[:, :, n_axes:].mean(axis=0))
    loadings[n_axes:, final.features.genes_idx] = block.T @ standardised / len(block)
    stability = np.concatenate([np.median(correlations, axis=0), block_stability(ensemble, cohort, folds, n_axes)])
    kind = np.array(["axis"] * n_axes + ["supervised"] * packing.n_columns)
    served = np.array([""] * n_axes + [packing.tasks[t].name for t in packing.task_of_column])
    return Canonical(ensemble, kind, served, stability, loadings)


def paths_of_fold(
    data: FoldData, i: int, heads: dict[str, SparseHeads], blocks: dict[str, Fitted], mixed: Mixed, packing: Outputs
) -> FoldPaths:
    """What was fitted to fold ``i`` in the multi-task arm."""

    def array(tensor) -> np.ndarray:
        return tensor[i].cpu().numpy().astype(float)

    own = array(heads["genes"].weights)
    genes = np.zeros((len(own), len(data.features.genes_idx), packing.n_columns))
    genes[:, data.selected] = own[:, : len(data.selected)]
    return FoldPaths(
        axes=array(heads["axes"].weights)[:, : data.axes.n_axes],
        genes=genes,
        **_block_paths(data, blocks, i),
        bias={name: array(path.bias) for name, path in heads.items()}
        | {name: array(path.bias)[0] for name, path in blocks.items()},
        mixture=[mixed.mixture[i, 0, t] for t in range(len(packing.tasks))],
    )


@dataclass(frozen=True)
class FoldPaths:
    """All paths of one fold: weights on axes (s, k, c), genes and dense (s, p, c), curved (s, m, c), what stands for
    the last two if there are gates (they are 0 then), the bias of each (s, o), and the mixture of each task."""

    axes: np.ndarray
    genes: np.ndarray
    dense: np.ndarray
    curved: np.ndarray
    gated: GatedBlock | None
    bias: dict[str, np.ndarray]
    mixture: list[Mixture]


def _block_paths(data: FoldData, blocks: dict[str, Fitted], i: int) -> dict[str, np.ndarray | GatedBlock | None]:
    """What the two blocks of fold ``i`` are to :class:`FoldPaths`."""
    linear, gated = [], []
    for basis, path in ((data.basis, blocks["dense"]), (data.curved_basis, blocks["curved"])):
        maps = path.block[i, 0, :, : basis.shape[1]].cpu().numpy().astype(float)
        if path.squash:
            offsets = path.offsets[i, 0].cpu().numpy()
            gated.append(Gated.of(basis, maps, offsets, path.squash))
            maps = np.zeros((*maps.shape[:2], offsets.shape[2]))
        linear.append(basis @ maps)
    return {"dense": linear[0], "curved": linear[1], "gated": GatedBlock(*gated) if gated else None}


def _fold_model(
    x: np.ndarray,
    data: FoldData,
    matching: Matching,
    paths: FoldPaths,
    packing: Outputs,
    target_mean: np.ndarray,
    target_scale: np.ndarray,
) -> FoldModel:
    """Encoder and heads of one fold on the reference dimensions; ``x`` are its standardised training samples."""
    of_column = packing.task_of_column
    shares = dict(zip(PATHS, np.stack([m.shares for m in paths.mixture], axis=1), strict=True))  # path -> (tasks,)
    axes_heads = paths.axes * shares["axes"][of_column]
    # Axes: partners move with their heads; a stand-in for a missing partner is read by no head.
    encoder = data.axes.encoder @ matching.transfer
    size = np.maximum((x @ encoder).std(axis=0), 1e-9)
    signs = np.where(matching.paired, matching.transfer, 0.0)
    weights_axes = np.einsum("kr,skc->src", signs, axes_heads) * size[:, None]
    # Block: what the axes miss. Axes without a partner ride along, or the predictions would change.
    lonely = np.einsum("pk,skc->spc", data.axes.encoder[:, matching.unmatched], axes_heads[:, matching.unmatched])
    rest = paths.genes * shares["genes"][of_column] + lonely
    share = {name: np.tile(shares[name][of_column], (len(rest), 1)) for name in ("dense", "curved")}
    curved = paths.curved * share["curved"][:, None]
    raw = data.curves.transform(x @ data.axes.encoder)
    from_curves = np.einsum("nm,smc->snc", raw, curved, optimize=True)

    def block(dense: np.ndarray) -> tuple[np.ndarray, GatedBlock | None, np.ndarray]:
        """Linear and gated part and their values (s, n, c), with so much (s, c) of the dense path."""
        linear, gated = paths.dense * dense[:, None] + rest, paths.gated and paths.gated.times(dense, share["curved"])
        values = np.einsum("np,spc->snc", x, linear, optimize=True) + from_curves
        return linear, gated, values + gated.values(x, raw) if gated else values

    linear, gated, values = block(share["dense"])
    # Where the mixture gives the block nothing, the dimension is still what the dense path would have said.
    unread = np.abs(values).max(1) == 0
    if unread.any():
        linear, gated, values = block(np.where(unread, 1.0, share["dense"]))
    return closed(
        data, paths, packing, x @ (encoder / size), encoder / size, weights_axes, linear, values, unread, curved, gated,
        target_mean, target_scale,
    )  # fmt: skip


def closed(
    data: FoldData,
    paths: FoldPaths,
    packing: Outputs,
    scores: np.ndarray,
    encoder: np.ndarray,
    weights_axes: np.ndarray,
    linear: np.ndarray,
    values: np.ndarray,
    unread: np.ndarray,
    curved: np.ndarray,
    gated: GatedBlock | None,
    target_mean: np.ndarray,
    target_scale: np.ndarray,
) -> FoldModel:
    """The fold's model of its two kinds of dimensions, with the block at variance 1 and the biases that go with it.

    Parameters
    ----------
    scores, encoder : (n, d) of the training samples, and (p, d) what gives them
    weights_axes : (s, d, c) heads on the scores
    linear, curved, gated : what gives the block, (s, p, c), (s, m, c) and the gated part
    values : (s, n, c) of the block on the training samples
    unread : (s, c) where no head reads the block
    """
    spread = np.maximum(values.std(axis=1), 1e-9)
    weights_block = np.stack([np.diag(row) for row in np.where(unread, 0.0, spread)])
    weights = np.concatenate([weights_axes, weights_block], axis=1)
    axes_mean, block_mean = scores.mean(axis=0), values.mean(axis=1) / spread
    of_output = np.stack([m.shares for m in paths.mixture], axis=1)[:, packing.task_of_output]  # (paths, outputs)
    bias = np.concatenate([m.bias for m in paths.mixture])
    bias = bias + sum(paths.bias[name] * of_output[p] for p, name in enumerate(PATHS))
    centre = np.concatenate([np.broadcast_to(axes_mean, (len(block_mean), len(axes_mean))), block_mean], axis=1)
    bias = bias + np.einsum("sd,sdc->sc", centre, weights) @ packing.expand
    return FoldModel(
        data.features,
        axes=encoder,
        axes_mean=axes_mean,
        block=linear / spread[:, None],
        block_mean=block_mean,
        own_axes=data.axes.encoder,
        frequencies=data.curves.frequencies,
        phase=data.curves.phase,
        curve_mean=data.curves.mean,
        curved=curved / spread[:, None],
        weights=weights,
        bias=bias,
        target_mean=target_mean,
        target_scale=target_scale,
        gated=gated and gated.times(1 / spread, 1 / spread),
    )


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
