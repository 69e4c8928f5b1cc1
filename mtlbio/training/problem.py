"""From a cohort and its folds to the tensors that a stack of replicas is fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features, fit_features, row_space
from mtlbio.cohort.split import inner_folds, train_test
from mtlbio.config import Training
from mtlbio.model.axes import Axes, sparse_axes
from mtlbio.model.ensemble import FINAL
from mtlbio.model.outputs import Outputs
from mtlbio.model.parallel import count_axes, generous
from mtlbio.model.rotation import rotated_start


@dataclass(frozen=True)
class Problem:
    """Everything that a stack of replicas is fitted to; f folds, a arms, s seeds, n samples, t tasks.

    Attributes
    ----------
    inputs : (f, n, r) row-space scores of all samples, top direction of the training donors scaled to variance 1
    axes : (f, n, k) axes of all samples
    targets : (f, n, t) labels, standardised per fold for regression, any number where missing
    train, validation : (f, s, n, t) weights that sum to 1 over n, or are all 0
    active : (a, t) 1 where the arm trains the task
    packing : places of the tasks
    """

    inputs: torch.Tensor
    axes: torch.Tensor
    targets: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    active: torch.Tensor
    packing: Outputs


@dataclass(frozen=True)
class FoldData:
    """What one fold knows before any label is used.

    Attributes
    ----------
    fold : held out, or FINAL
    train, test : row numbers
    features : genes and their standardisation, from the training donors
    axes : gene-sparse axes of the training donors
    basis : (p, r) row space of the training samples, scaled so that the top direction has variance 1
    inner : (n,) inner fold of every training sample, -1 for the others
    """

    fold: int
    train: np.ndarray
    test: np.ndarray
    features: Features
    axes: Axes
    basis: np.ndarray
    inner: np.ndarray


def prepare_fold(cohort: Cohort, splits: pd.DataFrame, fold: int, options: Training) -> FoldData:
    """Choose genes, find the axes and the row space of one fold, on its training donors only."""
    if fold == FINAL:
        train, test = np.arange(len(cohort.obs)), np.array([], dtype=int)
    else:
        train, test = train_test(splits, fold)
    features = fit_features(cohort.expression[train], options.genes)
    x = features.transform(cohort.expression[train]).astype(float)
    if options.axes == "auto":
        wanted = generous(count_axes(x, cohort.donors[train], options.seed), len(train), options.max_axes)
    else:
        wanted = min(options.axes, len(train) - 1, x.shape[1])
    axes = sparse_axes(x, rotated_start(x, wanted), options.sparsity)
    basis, scores = row_space(x)
    basis = basis / np.sqrt((scores[:, 0] ** 2).mean())
    inner = np.full(len(cohort.obs), -1)
    labels = np.stack([cohort.y(task)[train] for task in cohort.tasks], axis=1)
    inner[train] = inner_folds(cohort.donors[train], labels, max(5, options.seeds), options.seed)
    return FoldData(fold, train, test, features, axes, basis, inner)


@dataclass(frozen=True)
class Targets:
    """Labels as the network sees them.

    Attributes
    ----------
    values : (f, n, t) standardised per fold for regression, 0 where missing
    known : (n, t) bool
    mean, scale : (f, t)
    """

    values: np.ndarray
    known: np.ndarray
    mean: np.ndarray
    scale: np.ndarray


def make_targets(cohort: Cohort, folds: list[FoldData]) -> Targets:
    """Standardise regression targets on the training donors of each fold."""
    labels = np.stack([cohort.y(task) for task in cohort.tasks], axis=1)
    known = ~np.isnan(labels)
    mean, scale = np.zeros((len(folds), labels.shape[1])), np.ones((len(folds), labels.shape[1]))
    for f, data in enumerate(folds):
        for t, task in enumerate(cohort.tasks.values()):
            own = labels[data.train, t][known[data.train, t]]
            if not task.is_class and len(own):
                mean[f, t], scale[f, t] = own.mean(), max(own.std(), 1e-9)
    values = np.where(known, (labels - mean[:, None]) / scale[:, None], 0.0)
    return Targets(values, known, mean, scale)


def make_problem(
    cohort: Cohort, folds: list[FoldData], targets: Targets, arms: list[np.ndarray], seeds: int, device: str
) -> Problem:
    """Stack the folds, padded to the same width with zeros, which a gradient never moves."""
    n = len(cohort.obs)
    r = max(data.basis.shape[1] for data in folds)
    k = max(data.axes.n_axes for data in folds)
    inputs, axes = np.zeros((len(folds), n, r), np.float32), np.zeros((len(folds), n, k), np.float32)
    t = len(cohort.tasks)
    weight = {part: np.zeros((len(folds), seeds, n, t), np.float32) for part in ("train", "validation")}
    for f, data in enumerate(folds):
        x = data.features.transform(cohort.expression)
        inputs[f, :, : data.basis.shape[1]] = x @ data.basis
        axes[f, :, : data.axes.n_axes] = x @ data.axes.encoder
        for s in range(seeds):
            validates = (data.inner == s)[:, None] & targets.known
            trains = ((data.inner >= 0) & (data.inner != s))[:, None] & targets.known
            weight["train"][f, s] = trains / np.maximum(trains.sum(0), 1)
            weight["validation"][f, s] = validates / np.maximum(validates.sum(0), 1)
    packing = Outputs.of(cohort.tasks)

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)

    return Problem(
        tensor(inputs),
        tensor(axes),
        tensor(targets.values),
        tensor(weight["train"]),
        tensor(weight["validation"]),
        tensor(np.stack(arms)),
        packing,
    )
