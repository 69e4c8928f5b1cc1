"""What a task's prediction is put together from: shares of its own paths, and what it takes from other tasks.

:mod:`mtlbio.training.stacking` finds the shares, :mod:`mtlbio.training.cross_task_stacking` what is taken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.optimize import minimize

from mtlbio.model.ensemble import FoldModel
from mtlbio.model.outputs import Outputs


@dataclass(frozen=True)
class StackingWeights:
    """``sum of share * outputs of the path + bias``; ``shares`` (paths,), ``bias`` one entry per output."""

    shares: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class CrossTaskStack:
    """``outputs * factor + ((values - mean) / scale) @ weights @ expand + bias`` of one network; c columns, o outputs.

    Attributes
    ----------
    factor : (o,) of a task's own outputs
    weights : (c, c) what the column of the second axis takes from that of the first; 0 where it may not
    mean, scale : (c,) of the columns' values on the training samples
    bias : (o,)
    """

    factor: np.ndarray
    weights: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    bias: np.ndarray

    def apply(self, outputs: np.ndarray, packing: Outputs) -> np.ndarray:
        """Outputs (..., o) with what they borrow from each other."""
        from_others = (outputs @ column_means(packing) - self.mean) / self.scale
        return outputs * self.factor + from_others @ self.weights @ packing.expand + self.bias

    def folded(self, model: FoldModel, packing: Outputs) -> FoldModel:
        """The model whose outputs are those of :meth:`apply`."""
        of_column = self.factor[[place.start for place in packing.outputs]][packing.task_of_column]
        from_others = self.weights / self.scale[:, None]
        weights = model.weights * of_column + model.weights @ from_others
        shift = (model.bias @ column_means(packing) - self.mean) @ from_others @ packing.expand
        return replace(model, weights=weights, bias=model.bias * self.factor + shift + self.bias)


@dataclass(frozen=True)
class StackedPredictors:
    """The mixtures of every fold, arm and task, and what they give.

    Attributes
    ----------
    mixture : {(fold index, arm index, task index): StackingWeights}
    outputs : (f, a, s, n, o) mixed outputs of every sample; 0 where the arm does not train the task. Of folds that were
        fitted one after another (f, a, s, m, o) of the held-out samples alone, m as many as any fold holds out
    cross_task : {(fold index, arm index): CrossTaskStack} what the outputs hold of other tasks', where tasks borrow
    sites : {(fold index, arm index): a CrossTaskStack of each site} what the outputs of its samples became then, where
        heads know sites
    site_column : the covariate whose levels are these sites, sorted; None where heads know none
    """

    mixture: dict[tuple[int, int, int], StackingWeights]
    outputs: np.ndarray
    cross_task: dict[tuple[int, int], CrossTaskStack] = field(default_factory=dict)
    sites: dict[tuple[int, int], list[CrossTaskStack]] = field(default_factory=dict)
    site_column: str | None = None

    def of_held_out(self, i: int, test: np.ndarray, n: int) -> np.ndarray:
        """(a, s, h, o) outputs of the samples ``test`` (h,), those that fold ``i`` holds out of ``n``."""
        outputs = self.outputs[i]
        return outputs[:, :, test] if outputs.shape[2] == n else outputs[:, :, : len(test)]

    def only_held_out(self, test: np.ndarray, most: int) -> "StackedPredictors":
        """Of one fold, with the outputs of the samples ``test`` that it holds out alone, in ``most`` places."""
        held_out = self.outputs[:, :, :, test]
        padding = [(0, 0)] * 3 + [(0, most - len(test)), (0, 0)]
        return replace(self, outputs=np.pad(held_out, padding))


def minimiser(objective: Callable[[torch.Tensor], torch.Tensor], start: np.ndarray, bounds: list) -> np.ndarray:
    """Where a smooth function of a vector is least within bounds: L-BFGS-B in double precision, slopes by autograd."""

    def value_and_slope(values: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        value = objective(point)
        (slope,) = torch.autograd.grad(value, point)
        return value.item(), slope.numpy()

    return minimize(value_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds).x


def column_means(packing: Outputs) -> np.ndarray:
    """(o, c) mean over the outputs of a column: its value, plus the mean of their biases."""
    return packing.expand.T / packing.expand.sum(1)
