"""All predictors, from the genes to the tasks, fitted to one problem."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from mtlbio.config import Training
from mtlbio.training.deep.fits import DeepFits
from mtlbio.training.extras import extended
from mtlbio.training.networks import BlockOptions
from mtlbio.training.problem import DEEP, Problem
from mtlbio.training.replicas import Fitted, fit
from mtlbio.training.sparse_heads import SparseHeads, fit_sparse_heads
from mtlbio.training.sparse_heads_by_task import fit_sparse_heads_by_task


@dataclass(frozen=True)
class Predictors:
    """``heads``: sparse heads on axes and genes; ``blocks``: the dense and the curved block; by name; ``deep``: the
    deep trunk, where one is trained."""

    heads: dict[str, SparseHeads]
    blocks: dict[str, Fitted]
    deep: DeepFits | None = None

    @property
    def outputs(self) -> dict[str, torch.Tensor]:
        """Outputs of each, (f, s, n, o) for heads and (f, a, s, n, o) for blocks and the deep trunk."""
        named = {name: path.outputs for name, path in (self.heads | self.blocks).items()}
        return named if self.deep is None else named | {DEEP: self.deep.outputs}

    def of_folds(self, rows: slice) -> "Predictors":
        """Those of some of the folds."""
        heads = {name: SparseHeads(*(part[rows] for part in vars(h).values())) for name, h in self.heads.items()}
        blocks = {name: block.of_folds(rows) for name, block in self.blocks.items()}
        return Predictors(heads, blocks, None if self.deep is None else self.deep.of_folds(rows))


def fit_predictors(
    problem: Problem,
    seeds: list[int],
    options: Training,
    progress: Callable[[range, str], Iterable[int]] = lambda epochs, name: epochs,
    by_task: bool = False,
) -> Predictors:
    """Fit every predictor but the deep trunk of every replica, from the initial values of its seed; ``progress`` wraps
    the range of epochs of the block of that name. ``by_task``: one fold, whose tasks are computed one after another
    where they can be, for less memory."""

    def block(name: str) -> Fitted:
        whole, inputs = extended(problem, name)
        return fit(whole, inputs, seeds, BlockOptions.of(options), lambda epochs: progress(epochs, name), by_task)

    blocks = {name: block(name) for name in ("dense", "curved")}
    of_heads = fit_sparse_heads_by_task if by_task else fit_sparse_heads
    heads = {name: of_heads(problem, getattr(problem, name)) for name in ("axes", "genes")}
    return Predictors(heads, blocks)
