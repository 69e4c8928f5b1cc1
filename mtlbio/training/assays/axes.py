"""Axes of every fold that the blocks share, and how much of each block they explain."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.cohort.assays.blocks import Blocks
from mtlbio.cohort.assays.features import features_of_blocks
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features
from mtlbio.cohort.split import train_test
from mtlbio.config import Training
from mtlbio.model.block_axes import BlockAxes, block_axes
from mtlbio.model.ensemble import FINAL
from mtlbio.model.parallel import count_axes, generous
from mtlbio.model.rotation import rotated_start

_LEAST = 10  # samples with all blocks, from which axes are counted on them


@dataclass(frozen=True)
class FoldAxes:
    """The axes of one fold.

    Attributes
    ----------
    train : places of its training samples
    features : of all blocks, each feature standardised to variance 1 on the training samples that have it
    axes : found on the training samples
    values : (n, k) of all samples of the cohort, given the blocks that each has
    """

    train: np.ndarray
    features: Features
    axes: BlockAxes
    values: np.ndarray


def fold_axes(cohort: Cohort, blocks: Blocks, splits: pd.DataFrame, fold: int, options: Training) -> FoldAxes:
    """Find the axes of a fold on its training donors, without labels."""
    train = np.arange(len(cohort.obs)) if fold == FINAL else train_test(splits, fold)[0]
    even = features_of_blocks(cohort, train, options.genes)
    features = features_of_blocks(cohort, train, options.genes, even=False)
    size = even.scale / features.scale  # of a block, by which it counts in the start
    x, present = features.transform(cohort.expression).astype(float), blocks.present
    of_feature = blocks.of_feature[features.genes_idx]
    n_axes = _count(cohort, blocks, train, x, of_feature, size, options)
    scores, loadings = rotated_start(x[train] / size, n_axes)
    start = scores, loadings * size[:, None]
    axes = block_axes(x[train], present[train], of_feature, start, options.sparsity)
    return FoldAxes(train, features, axes, axes.encode(x, present))


def _count(cohort, blocks: Blocks, train, x, of_feature, size, options: Training) -> int:
    """How many axes to start from: the most that any block, or all of them together, carries by parallel analysis."""
    if options.axes != "auto":
        return min(options.axes, len(train) - 1, x.shape[1])
    counts = []
    sets = [[place] for place in range(len(blocks.names))] + [list(range(len(blocks.names)))]
    for own in sets:
        rows, columns = train[blocks.present[train][:, own].all(axis=1)], np.isin(of_feature, own)
        if len(rows) >= _LEAST:
            part = x[np.ix_(rows, columns)] / (size[columns] if len(own) > 1 else 1.0)
            counts.append(count_axes(part, cohort.donors[rows], options.seed))
    return generous(max(counts), len(train), options.max_axes)


def explained(x: np.ndarray, values: np.ndarray, loadings: np.ndarray) -> np.ndarray:
    """(k,) share of the variance of a block that each axis takes away by itself; below 0 where it misleads.

    Parameters
    ----------
    x : (m, q) standardised features of held-out samples that have the block
    values : (m, k) of their axes; loadings : (q, k) that were fitted to others
    """
    total = max(float(np.square(x).sum()), 1e-300)
    gained = 2 * ((x @ loadings) * values).sum(axis=0)
    return (gained - np.square(values).sum(axis=0) * np.square(loadings).sum(axis=0)) / total
