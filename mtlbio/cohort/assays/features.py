"""Features of several blocks for one model: chosen block by block, and each block with the same total variance."""

import numpy as np

from mtlbio.cohort.assays.blocks import blocks_of
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features, fit_features


def features_of_blocks(
    cohort: Cohort, train: np.ndarray, n_genes: int, weights: np.ndarray | None = None, even: bool = True
) -> Features:
    """The most variable features of every block on the training samples, with what standardises them.

    A feature's standard deviation is multiplied by the root of its block's number of features over the mean of these
    numbers: a block of 5,000 genes then weighs as much as one of 150 metabolites, and a lone block is what
    :func:`mtlbio.cohort.features.fit_features` gives.

    Parameters
    ----------
    train : (m,) places of the training samples; those that lack a block do not count for it
    n_genes : at most so many features of every block
    weights : (m,) of the training samples; equal where left out
    even : whether blocks get the same total variance; else every feature has variance 1
    """
    blocks, values = blocks_of(cohort), cohort.expression[train]
    chosen: list[Features] = []
    for name in blocks.names:
        columns, have = blocks.columns([name]), blocks.present[train, blocks.names.index(name)]
        own = fit_features(values[have][:, columns], n_genes, None if weights is None else weights[have])
        chosen.append(Features(columns[own.genes_idx], own.mean, own.scale))
    counts = np.array([len(part.genes_idx) for part in chosen])
    sizes = np.sqrt(counts / counts[counts > 0].mean()) if even else np.ones(len(counts))
    idx = np.concatenate([part.genes_idx for part in chosen])
    order = np.argsort(idx, kind="stable")
    mean = np.concatenate([part.mean for part in chosen])
    scale = np.concatenate([part.scale * size for part, size in zip(chosen, sizes, strict=True)])
    return Features(idx[order], mean[order], scale[order])
