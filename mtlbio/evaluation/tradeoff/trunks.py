"""What a trunk of few dimensions on few features does: how much has to be interpreted, and how much measured.

The trunk alone, without the sparse heads beside it: what a reader has to interpret are then its dimensions and nothing
else. Features enter as those of a panel do (:mod:`mtlbio.evaluation.panel.entering`), inside every fold.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import row_space
from mtlbio.cohort.split import train_test
from mtlbio.evaluation.panel.entering import entering
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.progress import track
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.networks import BlockOptions
from mtlbio.training.predictors import Predictors
from mtlbio.training.problem import FoldData, padded
from mtlbio.training.refits import Refitter
from mtlbio.training.replicas import fit
from mtlbio.training.stacked_predictors import StackedPredictors
from mtlbio.training.subsets import out_of_fold

FEATURES = (6, 24, 96)  # beside all of them

Shape = tuple[int, int]  # dimensions, features


def widths_of(block: int) -> tuple[int, ...]:
    """Dimensions that are tried: powers of two up to the width of the run's own trunk, and that.

    Examples
    --------
    >>> widths_of(6)
    (1, 2, 4, 6)
    """
    return (*(2**k for k in range(block.bit_length()) if 2**k < block), block)


def fit_trunks(cohort: Cohort, splits: pd.DataFrame, refitter: Refitter) -> dict[Shape, dict[str, np.ndarray]]:
    """Out-of-fold predictions of every task by trunks of every shape, with equal weights of the tasks.

    ``splits`` in the order of the cohort's samples; ``refitter`` has the run's folds, its arms do not matter.
    """
    options, whole = refitter.options, min(refitter.options.genes, len(cohort.genes))
    ((folds, targets),) = refitter.labelled([cohort])
    problem = refitter.stacked([cohort], [(folds, targets)])
    problem = replace(problem, active=problem.active[:1], preferences=None, extras=None)
    sizes = [*(size for size in FEATURES if size < whole), whole]
    orders = [_order(cohort, splits, data, options.genes, max(sizes[:-1], default=0)) for data in folds]
    shapes = [(width, size) for size in sizes for width in widths_of(options.block)]
    found: dict[Shape, dict[str, np.ndarray]] = {}
    for width, size in track(shapes, "Training narrow trunks on few features", len(shapes)):
        scores = [_scores(cohort, d, None if size == whole else o[:size]) for d, o in zip(folds, orders, strict=True)]
        inputs = problem.dense.new_tensor(padded(scores))
        fitted = fit(problem, inputs, refitter.seeds, replace(BlockOptions.of(options), width=width))
        outputs = StackedPredictors({}, fitted.outputs.cpu().numpy())
        refit = Refit(folds, targets, Predictors({}, {"dense": fitted}), outputs)
        found[width, size] = {task: out_of_fold(cohort, refit, 0, task) for task in cohort.tasks}
    return found


def _order(cohort: Cohort, splits: pd.DataFrame, data: FoldData, genes: int, most: int) -> np.ndarray:
    """Columns of the cohort in the order in which they enter the panel of a fold."""
    if not most:
        return np.arange(0)
    fitted = Fitted.of(cohort, *train_test(splits, data.fold), genes)
    shares = fitted.shares(np.arange(len(fitted.targets)))
    return fitted.places[entering(fitted.x, fitted.y, fitted.weights, most, shares=shares)]


def _scores(cohort: Cohort, data: FoldData, columns: Sequence[int] | np.ndarray | None) -> np.ndarray:
    """(n, r) row-space scores of all samples from some of the fold's genes, scaled as those of the dense block are."""
    x = data.features.transform(cohort.expression).astype(float)
    if columns is None:
        return x @ data.basis
    x = x[:, np.isin(data.features.genes_idx, columns)]
    basis, scores = row_space(x[data.train])
    return x @ (basis / np.sqrt((scores[:, 0] ** 2).mean()))
