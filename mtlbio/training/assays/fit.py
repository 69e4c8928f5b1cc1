"""All that is fitted to a cohort of several assays, in memory."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import Blocks, Pattern, blocks_of
from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import say, track
from mtlbio.training.assays.axes import FoldAxes, fold_axes
from mtlbio.training.assays.canonical import CanonicalBlocks, canonical_blocks
from mtlbio.training.assays.stack import StackedViews, stack_views
from mtlbio.training.assays.views import View, fit_views, inner_folds_of
from mtlbio.training.fold_parts import arms_of
from mtlbio.training.problem import Targets


@dataclass(frozen=True)
class FittedBlocks:
    """The fit of every fold of a cohort.

    Attributes
    ----------
    fold : (n,) that holds a sample out
    axes : by fold, the final one last; all that is by fold index comes in this order
    views : networks by the set of blocks that they read
    targets : labels in the units of ``stacked``
    stacked : the networks weighed for every set of blocks
    """

    cohort: Cohort
    blocks: Blocks
    fold: np.ndarray
    axes: dict[int, FoldAxes]
    views: dict[Pattern, View]
    targets: Targets
    stacked: StackedViews

    @property
    def numbers(self) -> list[int]:
        """Folds in their order."""
        return list(self.axes)

    @cached_property
    def outputs(self) -> np.ndarray:
        """(f, a, s, n, o) stacked outputs of every sample from the blocks that it has."""
        return self.stacked.of_samples(self.blocks.patterns)

    @cached_property
    def canonical(self) -> CanonicalBlocks:
        """The dimensions of all folds, of the multi-task arm."""
        return canonical_blocks(self.cohort, self.blocks, self.fold, self.axes, self.outputs[:, 0], self.targets)


def fit_blocks(cohort: Cohort, splits: pd.DataFrame, options: Training) -> FittedBlocks:
    """Find the axes of every fold, fit a network for every set of blocks, and weigh them.

    Parameters
    ----------
    splits : a row per sample of the cohort, in its order

    Raises
    ------
    InputError
        Too few training samples of a fold have a block, or a GPU was asked for and there is none.
    """
    blocks, (_, arms) = blocks_of(cohort), arms_of(cohort, options)
    inner = inner_folds_of(cohort, splits, options)
    axes = {n: fold_axes(cohort, blocks, splits, n, options) for n in track(inner, "Axes of all blocks", len(inner))}
    found = (f"{'all donors' if n == FINAL else n}: {own.axes.n_axes}" for n, own in axes.items())
    say(f"Axes of all blocks per fold: {', '.join(found)}")
    views = fit_views(cohort, blocks, splits, inner, options, arms)
    targets = targets_of(cohort, [own.train for own in axes.values()])
    stacked = stack_views(cohort, blocks, views, targets, list(inner.values()), arms, wanted_of(blocks))
    return FittedBlocks(cohort, blocks, splits["fold"].to_numpy().astype(int), axes, views, targets, stacked)


def wanted_of(blocks: Blocks) -> list[Pattern]:
    """Every set of blocks: what samples have, what they would have without some of them, and what new ones may have.

    Examples
    --------
    >>> wanted_of(Blocks(("rna", "proteins"), np.zeros(1), np.array([[True, True], [True, False]])))
    [('rna',), ('proteins',), ('rna', 'proteins')]
    """
    sizes = range(1, len(blocks.names) + 1)
    return [own for size in sizes for own in combinations(blocks.names, size)]


def targets_of(cohort: Cohort, trained: list[np.ndarray]) -> Targets:
    """Labels as the heads see them, standardised on the training samples of every fold, whatever blocks these have."""
    labels = np.stack([task.transform(cohort.y(name)) for name, task in cohort.tasks.items()], axis=1)
    labelled = ~np.isnan(labels)
    mean, scale = np.zeros((len(trained), labels.shape[1])), np.ones((len(trained), labels.shape[1]))
    for f, rows in enumerate(trained):
        for t, task in enumerate(cohort.tasks.values()):
            known = labels[rows, t][labelled[rows, t]]
            if len(known):
                mean[f, t], scale[f, t] = task.standard(known)
    values = np.where(labelled, (labels - mean[:, None]) / scale[:, None], 0.0)
    return Targets(values, labelled, mean, scale)
