"""What one fold knows before anything is fitted to a label, from the moments of its training samples.

The numbers are those of :func:`mtlbio.training.problem.prepare_fold`, but for rounding: axes, row space and their
eigenvectors come from one matrix of products, and samples are standardised a block at a time. What needs the samples
themselves is how many axes there are, and the cosines of the axes.
"""

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import features_of, row_space_of_moments
from mtlbio.cohort.moments import Moments, standardised_blocks
from mtlbio.cohort.split import train_test
from mtlbio.config import Training
from mtlbio.kinds import kind_named
from mtlbio.model.curves import Curves
from mtlbio.model.ensemble import FINAL
from mtlbio.training.axes import axes_of_genes, axes_of_moments
from mtlbio.training.problem import PATHS, FoldData, finished_fold, prepare_fold


def prepare_fold_of_moments(
    cohort: Cohort, splits: pd.DataFrame, fold: int, options: Training, moments: Moments | None
) -> FoldData:
    """Genes, axes and row spaces of one fold, from the moments of all samples and those of the held-out ones; as of
    :func:`prepare_fold` where there are none, or fewer training samples than genes."""
    train, test = (np.arange(len(cohort.obs)), np.array([], dtype=int)) if fold == FINAL else train_test(splits, fold)
    of_genes = kind_named(cohort.kind).part("train", "axes") is axes_of_genes
    if moments is None or not of_genes or len(train) + len(test) < len(cohort.obs):
        return prepare_fold(cohort, splits, fold, options)
    features = features_of(cohort, train, options.genes)
    if len(features.genes_idx) >= len(train):
        return prepare_fold(cohort, splits, fold, options)
    rest = moments if fold == FINAL else moments.without(Moments.of(cohort.expression, test, moments.about))
    second = rest.standardised(features)
    values, vectors = np.linalg.eigh(second)
    standardised = features.transform(cohort.expression[train])  # for the number of axes, and then gone
    axes = axes_of_moments(second, (values, vectors), standardised, cohort.donors[train], options)
    del standardised
    # in units in which the strongest direction has variance 1
    basis = row_space_of_moments(values * len(train), vectors) / np.sqrt(values[-1])
    del second, vectors
    blocks = standardised_blocks(cohort.expression, train, features)
    latents = np.concatenate([x @ axes.encoder for _, x in blocks])
    curves = Curves.of(latents, options.curves, options.seed)
    return finished_fold(cohort, fold, train, test, features, axes, curves, latents, basis, options)


def inputs_in_blocks(cohort: Cohort, data: FoldData, wide: dict[str, int]) -> dict[str, np.ndarray]:
    """What each predictor reads of all samples (1, n, w), padded to its width and in single precision, as
    :func:`mtlbio.training.problem.make_problem` stacks them."""
    n = len(cohort.obs)
    inputs = {name: np.zeros((1, n, wide[name]), np.float32) for name in PATHS}
    for place, x in standardised_blocks(cohort.expression, np.arange(n), data.features):
        for name, part in data.inputs(x).items():
            inputs[name][0, place, : part.shape[1]] = part
    return inputs
