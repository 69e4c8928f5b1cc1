"""What training found in one fold, path by path, as arrays over the fold's own genes, axes and curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.gated import Gated, GatedBlock
from mtlbio.model.outputs import Outputs
from mtlbio.training.problem import PATHS, FoldData, Targets
from mtlbio.training.replicas import Fitted
from mtlbio.training.sparse_heads import SparseHeads
from mtlbio.training.stacked_predictors import StackedPredictors, StackingWeights


@dataclass(frozen=True)
class FoldPredictors:
    """All predictors of one fold: weights on axes (s, k, c), genes and dense (s, p, c), curved (s, m, c), what stands
    for the last two if there are gates (they are 0 then), the bias of each (s, o), and the mixture of each task."""

    axes: np.ndarray
    genes: np.ndarray
    dense: np.ndarray
    curved: np.ndarray
    gated: GatedBlock | None
    bias: dict[str, np.ndarray]
    mixture: list[StackingWeights]


@dataclass(frozen=True)
class FittedFold:
    """One fold of the multi-task arm, before its dimensions are those that all folds share.

    Attributes
    ----------
    data : what the fold knows without labels
    predictors : what was fitted to it
    packing : places of the tasks
    x : (n, p) its standardised training samples
    target_mean, target_scale : (t,) of the targets of its training donors
    """

    data: FoldData
    predictors: FoldPredictors
    packing: Outputs
    x: np.ndarray
    target_mean: np.ndarray
    target_scale: np.ndarray

    @cached_property
    def shares(self) -> dict[str, np.ndarray]:
        """Path -> (c,) share of it in every output column."""
        stacked = np.stack([m.shares for m in self.predictors.mixture], axis=1)[:, self.packing.task_of_column]
        return dict(zip(PATHS, stacked, strict=True))


def fitted_fold(
    cohort: Cohort,
    folds: list[FoldData],
    i: int,
    targets: Targets,
    heads: dict[str, SparseHeads],
    blocks: dict[str, Fitted],
    stacking: StackedPredictors,
) -> FittedFold:
    """Fold ``i`` with what was fitted to it in the multi-task arm."""
    data, packing = folds[i], Outputs.of(cohort.tasks)
    x = data.features.transform(cohort.expression[data.train]).astype(float)
    predictors = predictors_of_fold(data, i, heads, blocks, stacking, packing)
    return FittedFold(data, predictors, packing, x, targets.mean[i], targets.scale[i])


def predictors_of_fold(
    data: FoldData,
    i: int,
    heads: dict[str, SparseHeads],
    blocks: dict[str, Fitted],
    stacking: StackedPredictors,
    packing: Outputs,
) -> FoldPredictors:
    """What was fitted to fold ``i`` in the multi-task arm."""

    def array(tensor) -> np.ndarray:
        return tensor[i].cpu().numpy().astype(float)

    own = array(heads["genes"].weights)
    genes = np.zeros((len(own), len(data.features.genes_idx), packing.n_columns))
    genes[:, data.selected] = own[:, : len(data.selected)]
    dense, curved, gated = _block_paths(data, blocks, i)
    return FoldPredictors(
        axes=array(heads["axes"].weights)[:, : data.axes.n_axes],
        genes=genes,
        dense=dense,
        curved=curved,
        gated=gated,
        bias={name: array(path.bias) for name, path in heads.items()}
        | {name: array(path.bias)[0] for name, path in blocks.items()},
        mixture=[stacking.mixture[i, 0, t] for t in range(len(packing.tasks))],
    )


def _block_paths(data: FoldData, blocks: dict[str, Fitted], i: int) -> tuple[np.ndarray, np.ndarray, GatedBlock | None]:
    """``dense``, ``curved`` and ``gated`` of :class:`FoldPredictors` for fold ``i``."""
    linear, gated = [], []
    for basis, path in ((data.basis, blocks["dense"]), (data.curved_basis, blocks["curved"])):
        maps = path.block[i, 0, :, : basis.shape[1]].cpu().numpy().astype(float)
        if path.squash:
            offsets = path.offsets[i, 0].cpu().numpy()
            gated.append(Gated.of(basis, maps, offsets, path.squash))
            maps = np.zeros((*maps.shape[:2], offsets.shape[2]))
        linear.append(basis @ maps)
    return linear[0], linear[1], GatedBlock(*gated) if gated else None
