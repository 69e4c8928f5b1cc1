"""From a cohort and its folds to the tensors that a stack of replicas is fitted to."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
import torch

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.features import Features, donor_weights, features_of, row_space
from mtlbio.cohort.split import inner_folds, train_test
from mtlbio.config import Training
from mtlbio.kinds import kind_named
from mtlbio.labels import Label
from mtlbio.model.axes import Axes
from mtlbio.model.curves import Curves
from mtlbio.model.ensemble import FINAL
from mtlbio.model.outputs import Outputs
from mtlbio.training.preferences import Preferences

# The sparse gene path sees at most so many genes: its cost grows with them, its accuracy hardly.
_SPARSE_GENES = 1000

# The ways from the genes to a task, in the order of the shares of a mixture.
PATHS = ("axes", "genes", "dense", "curved")
# One more, where a deep trunk is trained.
DEEP = "deep"


@dataclass(frozen=True)
class Roles:
    """What the tasks of a problem with further heads (:mod:`mtlbio.training.extras`) are.

    Attributes
    ----------
    main : so many, the first ones, are the run's
    gradient_factors : (t,) factor of their gradient on shared parameters: negative for an adversary
    balanced : (t,) whether a balancer weighs them like a task
    ramp : epochs until the factor is reached
    samples : so many rows, the first ones, are samples; all where None
    """

    main: int
    gradient_factors: tuple[float, ...]
    balanced: tuple[bool, ...]
    ramp: int = 1
    samples: int | None = None


@dataclass(frozen=True)
class Extras:
    """Further heads beside the tasks; x heads, and e rows after the n samples.

    Attributes
    ----------
    tasks : what they predict
    targets : (f, n + e, x)
    train, validation : (f, s, n + e, x)
    roles : of the tasks and the heads
    rows : (f, e, r) by kind of input; empty where e = 0
    """

    tasks: tuple[Label, ...]
    targets: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    roles: Roles
    rows: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Problem:
    """Everything that a stack of replicas is fitted to; f folds, a arms, s seeds, n samples, t tasks.

    Attributes
    ----------
    axes : (f, n, k) axes of all samples
    genes : (f, n, p) the most variable genes, standardised
    dense : (f, n, r) row-space scores of all genes, top direction of the training donors scaled to variance 1
    curved : (f, n, r) row-space scores of nonlinear features of the axes, scaled likewise
    targets : (f, n, t) labels, standardised per fold for regression, any number where missing
    train, validation : (f, s, n, t) weights that sum to 1 over n, or are all 0
    active : (a, t) 1 where the arm trains the task
    packing : places of the tasks
    extras : further heads, where there are any
    roles : where the further heads are in their places among the tasks
    paths : what a prediction may be mixed from
    preferences : what every arm's trunk serves, where arms differ in that; the balancing of the run where None
    """

    axes: torch.Tensor
    genes: torch.Tensor
    dense: torch.Tensor
    curved: torch.Tensor
    targets: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    active: torch.Tensor
    packing: Outputs
    extras: Extras | None = None
    roles: Roles | None = None
    paths: tuple[str, ...] = PATHS
    preferences: Preferences | None = None

    @property
    def task_roles(self) -> Roles:
        """``roles``; those of tasks where there are no further heads."""
        count = self.targets.shape[2]
        return self.roles or Roles(count, (1.0,) * count, (True,) * count)


@dataclass(frozen=True)
class FoldData:
    """What one fold knows before anything is fitted to a label; only ``inner`` looks at labels, to spread them evenly.

    Attributes
    ----------
    fold : held out, or FINAL
    train, test : row numbers
    features : genes and their standardisation, from the training donors
    axes : gene-sparse axes of the training donors
    curves : nonlinear features of the axes
    selected : places, among the fold's genes, of those that the sparse gene path sees
    basis : (p, r) row space of the training samples
    curved_basis : (m, r) row space of the nonlinear features
    inner : (n,) inner fold of every training sample, -1 for the others
    witness : what a validation sample counts for in the mixture: 1, or levels per sample where whole levels validate
    """

    fold: int
    train: np.ndarray
    test: np.ndarray
    features: Features
    axes: Axes
    curves: Curves
    selected: np.ndarray
    basis: np.ndarray
    curved_basis: np.ndarray
    inner: np.ndarray
    witness: float = 1.0

    def inputs(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """What each predictor reads of standardised samples (n, p), as in :class:`Problem`."""
        axes = x @ self.axes.encoder
        curved = self.curves.transform(axes) @ self.curved_basis
        return {"axes": axes, "genes": x[:, self.selected], "dense": x @ self.basis, "curved": curved}


def prepare_fold(cohort: Cohort, splits: pd.DataFrame, fold: int, options: Training) -> FoldData:
    """Choose genes, find the axes and the row spaces of one fold, on its training donors only."""
    if fold == FINAL:
        train, test = np.arange(len(cohort.obs)), np.array([], dtype=int)
    else:
        train, test = train_test(splits, fold)
    features = features_of(cohort, train, options.genes)
    x = features.transform(cohort.expression[train]).astype(float)
    axes = kind_named(cohort.kind).part("train", "axes")(cohort, features, x, train, options)
    latents = x @ axes.encoder
    curves = Curves.of(latents, options.curves, options.seed)
    return finished_fold(cohort, fold, train, test, features, axes, curves, latents, _scaled(x), options)


def finished_fold(
    cohort: Cohort,
    fold: int,
    train: np.ndarray,
    test: np.ndarray,
    features: Features,
    axes: Axes,
    curves: Curves,
    latents: np.ndarray,
    basis: np.ndarray,
    options: Training,
) -> FoldData:
    """The fold with what follows from its axes, ``latents`` (n, k) on its training samples, and its row space."""
    # variance before standardisation: among low-variance genes noise is a larger part
    selected = np.sort(np.argsort(-features.scale, kind="stable")[:_SPARSE_GENES])
    inner = inner_of(cohort, train, options)
    witness = 1.0
    if options.validate_by is not None:
        witness = cohort.obs[options.validate_by].iloc[train].nunique() / len(train)
    curved_basis = _scaled(curves.transform(latents))
    return FoldData(fold, train, test, features, axes, curves, selected, basis, curved_basis, inner, witness)


def inner_of(cohort: Cohort, train: np.ndarray, options: Training) -> np.ndarray:
    """(n,) inner fold of every training sample, stratified on the labels, -1 for the others; no donor, and no family
    where they are known, is split.

    With ``validate_by`` whole levels of that covariate (and whole families, each with most of its samples) share a
    fold: what is to work at a site that was never seen has to be chosen on sites that were not trained on.
    """
    inner = np.full(len(cohort.obs), -1)
    labels = np.stack([info.spread_evenly(cohort.y(task))[train] for task, info in cohort.tasks.items()], axis=1)
    units = cohort.clusters
    if options.validate_by is not None:
        level = cohort.obs[options.validate_by].astype(object)
        if cohort.families is not None:  # a family goes where most of it is
            level = level.groupby(units).transform(lambda levels: levels.mode().min())
        units = np.where(level.notna(), level.astype(str), units)
    inner[train] = inner_folds(units[train], labels, max(5, options.seeds), options.seed)
    return inner


def _scaled(x: np.ndarray) -> np.ndarray:
    """Row-space basis of training data, scaled so that the top direction has variance 1: then a step of gradient
    descent means the same in every fold."""
    basis, scores = row_space(x)
    return basis / np.sqrt((scores[:, 0] ** 2).mean())


@dataclass(frozen=True)
class Targets:
    """Labels as the network sees them.

    Attributes
    ----------
    values : (f, n, t) standardised per fold for regression, 0 where missing
    labelled : (n, t) bool
    mean, scale : (f, t)
    """

    values: np.ndarray
    labelled: np.ndarray
    mean: np.ndarray
    scale: np.ndarray


def make_targets(cohort: Cohort, folds: list[FoldData]) -> Targets:
    """Standardise regression targets on the training donors of each fold."""
    labels = np.stack([info.transform(cohort.y(task)) for task, info in cohort.tasks.items()], axis=1)
    labelled = ~np.isnan(labels)
    mean, scale = np.zeros((len(folds), labels.shape[1])), np.ones((len(folds), labels.shape[1]))
    for f, data in enumerate(folds):
        for t, task in enumerate(cohort.tasks.values()):
            of_donors = labels[data.train, t][labelled[data.train, t]]
            if len(of_donors):
                mean[f, t], scale[f, t] = task.standard(of_donors)
    values = np.where(labelled, (labels - mean[:, None]) / scale[:, None], 0.0)
    return Targets(values, labelled, mean, scale)


def widths(cohort: Cohort, options: Training) -> dict[str, int]:
    """Width that every kind of input is padded to: no fold of the cohort can have a wider one, and it does not depend
    on which folds are fitted together. A sum is rounded by its length, zeros or not, so a fold that is fitted alone
    is the same to the last digit."""
    columns = min(options.genes, cohort.expression.shape[1])
    return {
        "axes": kind_named(cohort.kind).part("train", "most_axes")(cohort, columns, options),
        "genes": min(_SPARSE_GENES, columns),
        "dense": min(len(cohort.obs), columns),
        "curved": min(len(cohort.obs), options.curves),
    }


def make_problem(
    cohort: Cohort,
    folds: list[FoldData],
    targets: Targets,
    arms: list[np.ndarray],
    seeds: int,
    device: str,
    wide: Mapping[str, int] = MappingProxyType({}),
) -> Problem:
    """Stack the folds, padded with zeros, which a gradient never moves: to the widths ``wide``, else to the widest."""
    inputs = [data.inputs(data.features.transform(cohort.expression)) for data in folds]
    stacked = {name: padded([i[name] for i in inputs], wide.get(name, 0)) for name in PATHS}
    return problem_of_inputs(cohort, folds, targets, arms, seeds, device, stacked)


def problem_of_inputs(
    cohort: Cohort,
    folds: list[FoldData],
    targets: Targets,
    arms: list[np.ndarray],
    seeds: int,
    device: str,
    inputs: Mapping[str, np.ndarray],
) -> Problem:
    """The problem whose predictors read ``inputs`` (f, n, w), by name."""
    train, validation = replica_weights(cohort, folds, targets, seeds)

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)

    axes, genes, dense, curved = (tensor(inputs[name]) for name in PATHS)
    return Problem(
        axes,
        genes,
        dense,
        curved,
        targets=tensor(targets.values),
        train=tensor(train),
        validation=tensor(validation),
        active=tensor(np.stack(arms)),
        packing=Outputs.of(cohort.tasks),
    )


def replica_weights(
    cohort: Cohort, folds: list[FoldData], targets: Targets, seeds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Who trains and who validates each replica: two arrays (f, s, n, t) that sum to 1 over n, or are all 0."""
    # the donor is the unit: somebody with ten visits must not count ten times
    donor = donor_weights(cohort.donors)[:, None]
    train, validation = np.zeros((2, len(folds), seeds, *targets.labelled.shape), np.float32)
    for f, data in enumerate(folds):
        for s in range(seeds):
            validates = data.inner == s
            for weights, rows in ((train, (data.inner >= 0) & ~validates), (validation, validates)):
                weight = (rows[:, None] & targets.labelled) * donor
                weights[f, s] = weight / np.where(weight.sum(0) > 0, weight.sum(0), 1.0)
    return train, validation


def padded(parts: list[np.ndarray], width: int = 0) -> np.ndarray:
    """(f, n, w) arrays of the folds, filled up with zeros to the widest of them, or to ``width`` where that is more."""
    width = max(width, *(part.shape[1] for part in parts))
    return np.stack([np.pad(part.astype(np.float32), ((0, 0), (0, width - part.shape[1]))) for part in parts])
