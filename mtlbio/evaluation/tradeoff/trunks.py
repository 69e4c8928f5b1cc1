"""What a trunk of few dimensions on few features does: how much has to be interpreted, and how much measured.

The trunk alone, without the sparse heads beside it: what a reader has to interpret are then its dimensions and nothing
else. Features enter as those of a panel do (:mod:`mtlbio.evaluation.panel.entering`), inside every fold.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import row_space
from mtlbio.cohort.split import train_test
from mtlbio.evaluation.panel.entering import entering
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.limits import limits_of, most_of, panel_of
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
SHARES = (0.02, 0.1, 0.5)  # of the price of all features, where these have prices


class Shape(NamedTuple):
    """What has to be interpreted and what has to be measured: dimensions, features, and the most that these may cost
    (the run's own and a trunk of all features: what they cost); NaN where features have no prices."""

    dims: int
    features: int
    price: float = np.nan

    @property
    def name(self) -> str:
        """As tables have it.

        Examples
        --------
        >>> Shape(2, 24).name, Shape(2, 24, 310.5).name
        ('2 on 24', '2 on 24 for 310.5')
        """
        priced = "" if np.isnan(self.price) else f" for {self.price:g}"
        return f"{self.dims} on {self.features}{priced}"


def widths_of(block: int) -> tuple[int, ...]:
    """Dimensions that are tried: powers of two up to the width of the run's own trunk, and that.

    Examples
    --------
    >>> widths_of(6)
    (1, 2, 4, 6)
    """
    return (*(2**k for k in range(block.bit_length()) if 2**k < block), block)


def fit_trunks(
    cohort: Cohort, splits: pd.DataFrame, refitter: Refitter, prices: np.ndarray | None = None
) -> dict[Shape, dict[str, np.ndarray]]:
    """Out-of-fold predictions of every task by trunks of every shape, with equal weights of the tasks.

    ``splits`` in the order of the cohort's samples; ``refitter`` has the run's folds, its arms do not matter; with
    ``prices`` (genes of the cohort,) features are chosen by their gain for the price, and sizes are what they may cost.
    """
    options = refitter.options
    ((folds, targets),) = refitter.labelled([cohort])
    problem = refitter.stacked([cohort], [(folds, targets)])
    problem = replace(problem, active=problem.active[:1], preferences=None, extras=None)
    sizes = sizes_of_folds(cohort, splits, folds, options.genes, prices)
    shapes = [(width, size) for size in sizes for width in widths_of(options.block)]
    found: dict[Shape, dict[str, np.ndarray]] = {}
    for width, (features, price) in track(shapes, "Training narrow trunks on few features", len(shapes)):
        of_folds = sizes[features, price]
        scores = [_scores(cohort, d, columns) for d, columns in zip(folds, of_folds, strict=True)]
        inputs = problem.dense.new_tensor(padded(scores))
        fitted = fit(problem, inputs, refitter.seeds, replace(BlockOptions.of(options), width=width))
        outputs = StackedPredictors({}, fitted.outputs.cpu().numpy())
        refit = Refit(folds, targets, Predictors({}, {"dense": fitted}), outputs)
        found[Shape(width, features, price)] = {task: out_of_fold(cohort, refit, 0, task) for task in cohort.tasks}
    return found


def whole_of(cohort: Cohort, genes: int, prices: np.ndarray | None) -> tuple[int, float]:
    """All features that a model reads, and what they cost: where it does not read all, the mean price of so many."""
    whole = min(genes, len(cohort.genes))
    return whole, np.nan if prices is None else round(float(prices.sum()) * whole / len(cohort.genes), 6)


def sizes_of_folds(
    cohort: Cohort, splits: pd.DataFrame, folds: Sequence[FoldData], genes: int, prices: np.ndarray | None
) -> dict[tuple[int, float], list[np.ndarray | None]]:
    """(features, price) -> columns of the cohort in every fold, None for all; features of panels by price are the mean
    over the folds."""
    whole, total = whole_of(cohort, genes, prices)
    if prices is None:
        limits = tuple(float(size) for size in FEATURES if size < whole)
    else:
        limits = limits_of([share * total for share in SHARES if share * total >= prices.min()], whole, prices)
    most, chosen = (most_of(limits, prices) if limits else 0), list[list[np.ndarray]]()
    for data in folds if limits else ():
        fitted = Fitted.of(cohort, *train_test(splits, data.fold), genes)
        cost = None if prices is None else prices[fitted.places]
        shares = fitted.shares(np.arange(len(fitted.targets)))
        order = entering(fitted.x, fitted.y, fitted.weights, most, shares=shares, prices=cost)
        chosen.append([fitted.places[panel_of(order, limit, cost)] for limit in limits])
    found: dict[tuple[int, float], list[np.ndarray | None]] = {}
    for place, limit in enumerate(limits):
        columns = [of_fold[place] for of_fold in chosen]
        features = round(float(np.mean([len(own) for own in columns])))
        found[features, np.nan if prices is None else round(limit, 6)] = [*columns]
    found[whole, total] = [None] * len(folds)
    return found


def _scores(cohort: Cohort, data: FoldData, columns: Sequence[int] | np.ndarray | None) -> np.ndarray:
    """(n, r) row-space scores of all samples from some of the fold's genes, scaled as those of the dense block are."""
    x = data.features.transform(cohort.expression).astype(float)
    if columns is None:
        return x @ data.basis
    x = x[:, np.isin(data.features.genes_idx, columns)]
    basis, scores = row_space(x[data.train])
    return x @ (basis / np.sqrt((scores[:, 0] ** 2).mean()))
