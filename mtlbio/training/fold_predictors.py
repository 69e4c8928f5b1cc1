"""What training found in one fold, predictor by predictor, as arrays over the fold's own genes, axes and curves."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mtlbio.cohort.cohort import Cohort
from mtlbio.model.deep import DeepBlock
from mtlbio.model.ensemble import FINAL
from mtlbio.model.gated import Gated, GatedBlock
from mtlbio.model.outputs import Outputs
from mtlbio.training.predictors import Predictors
from mtlbio.training.problem import DEEP, FoldData, Targets
from mtlbio.training.stacked_predictors import StackedPredictors, StackingWeights


@dataclass(frozen=True)
class Refit:
    """What was fitted to one cohort: its folds with their inner folds, its targets, all predictors, their mixtures."""

    folds: list[FoldData]
    targets: Targets
    predictors: Predictors
    stacking: StackedPredictors

    @property
    def final(self) -> FoldData:
        """The fold that holds nobody out."""
        return next(data for data in self.folds if data.fold == FINAL)


@dataclass(frozen=True)
class FittedFold:
    """One fold of the multi-task arm, before its dimensions are those that all folds share.

    Attributes
    ----------
    data : what the fold knows without labels
    packing : places of the tasks
    x : (n, p) its standardised training samples
    axes, genes, dense, curved : weights on axes (s, k, c), on genes (s, p, c) twice, on curves (s, m, c)
    gated : what stands for the last two if there are gates (they are 0 then)
    deep : what the columns take from the deep trunk, in their shares; None for nothing
    bias : (s, o) of each predictor, in the order of the shares of a mixture
    mixture : of each task
    target_mean, target_scale : (t,) of the targets of its training donors
    """

    data: FoldData
    packing: Outputs
    x: np.ndarray
    axes: np.ndarray
    genes: np.ndarray
    dense: np.ndarray
    curved: np.ndarray
    gated: GatedBlock | None
    bias: dict[str, np.ndarray]
    mixture: list[StackingWeights]
    target_mean: np.ndarray
    target_scale: np.ndarray
    deep: DeepBlock | None = None

    @cached_property
    def shares(self) -> dict[str, np.ndarray]:
        """Predictor -> (c,) share of it in every output column."""
        stacked = np.stack([m.shares for m in self.mixture], axis=1)[:, self.packing.task_of_column]
        return dict(zip(self.bias, stacked, strict=True))


def fitted_fold(cohort: Cohort, refit: Refit, i: int) -> FittedFold:
    """Fold ``i`` with what was fitted to it in the multi-task arm."""
    data, packing = refit.folds[i], Outputs.of(cohort.tasks)
    heads, blocks = refit.predictors.heads, refit.predictors.blocks

    def array(tensor) -> np.ndarray:
        return tensor[i].cpu().numpy().astype(float)

    of_selected = array(heads["genes"].weights)
    genes = np.zeros((len(of_selected), len(data.features.genes_idx), packing.n_columns))
    genes[:, data.selected] = of_selected[:, : len(data.selected)]
    linear, gated = [], []
    for basis, block in ((data.basis, blocks["dense"]), (data.curved_basis, blocks["curved"])):
        maps = array(block.block[:, 0])[:, : basis.shape[1]]
        if block.squash:
            offsets = block.offsets[i, 0].cpu().numpy()
            gated.append(Gated.of(basis, maps, offsets, block.squash))
            maps = np.zeros((*maps.shape[:2], offsets.shape[2]))
        linear.append(basis @ maps)
    deep, bias = refit.predictors.deep, {name: array(heads[name].bias) for name in ("axes", "genes")}
    bias |= {name: array(blocks[name].bias)[0] for name in ("dense", "curved")}
    fitted = FittedFold(
        data=data,
        packing=packing,
        x=data.features.transform(cohort.expression[data.train]).astype(float),
        axes=array(heads["axes"].weights)[:, : data.axes.n_axes],
        genes=genes,
        dense=linear[0],
        curved=linear[1],
        gated=GatedBlock(*gated) if gated else None,
        bias=bias if deep is None else bias | {DEEP: deep.bias(i)},
        mixture=[refit.stacking.mixture[i, 0, t] for t in range(len(packing.tasks))],
        target_mean=refit.targets.mean[i],
        target_scale=refit.targets.scale[i],
    )
    return fitted if deep is None else replace(fitted, deep=deep.block(i, data, fitted.shares[DEEP]))
