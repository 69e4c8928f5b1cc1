"""Training on any labels: copies of a cohort whose labels differ are further folds of one stack.

Genes, axes, curves and row spaces of a fold do not look at labels: they are found once and shared by all copies, whose
networks read them in one product (:mod:`mtlbio.training.products`).
What looks at labels is done for every copy: inner folds, standardisation of the targets, weights of the replicas, all
predictors, their mixture, and the folding onto canonical dimensions. The outer folds stay, for the axes hang on
them. ``mtlbio train`` is the case of one copy, the cohort itself.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from mtlbio.choices.deep import encoder_of, sentence
from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.kinds import kind_named
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import say, track
from mtlbio.training.anchors import with_anchors
from mtlbio.training.canonical_axes import CanonicalAxes
from mtlbio.training.cross_task_stacking import with_cross_task_stacks
from mtlbio.training.deep.fit import Kept, fit_deep
from mtlbio.training.extras import with_extras
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.predictors import fit_predictors
from mtlbio.training.problem import (
    DEEP,
    FoldData,
    Problem,
    Targets,
    inner_of,
    make_problem,
    make_targets,
    prepare_fold,
    replica_weights,
    widths,
)
from mtlbio.training.site_heads import with_site_heads
from mtlbio.training.sparse_heads import PENALTIES
from mtlbio.training.stacking import stack_predictors

# On a CPU a wider stack saves little, and it runs until its slowest member stops.
_ON_CPU = 4
# Arrays of the size of the L1 path's weights and outputs that are held at once, most of them for the gradient.
_HELD = 12


Progress = Callable[[range, str], Iterable[int]]


def donors_with_labels(cohort: Cohort) -> dict[str, int]:
    """How many donors have a label of each task."""
    return {name: len(np.unique(cohort.donors[~np.isnan(cohort.y(name))])) for name in cohort.tasks}


@dataclass(frozen=True)
class Refitter:
    """Everything of a run that does not depend on labels. ``folds`` and ``problem`` are of the cohort's own labels,
    ``options`` of the training, with as many seeds as are refitted."""

    options: Training
    folds: list[FoldData]
    problem: Problem

    @classmethod
    def of(
        cls,
        cohort: Cohort,
        splits: pd.DataFrame,
        options: Training,
        device: str,
        arms: list[np.ndarray] | None = None,
        final: bool = True,
        message: str = "Finding gene-sparse axes once for all refits",
        only: Iterable[int] | None = None,
    ) -> "Refitter":
        """Find genes, axes and row spaces of every fold.

        ``arms`` are the active tasks of every arm, the multi-task arm alone where left out; ``final`` is whether the
        model of all donors, which predicts nobody who is held out, is fitted too; ``message`` goes with the progress;
        ``only`` these folds are fitted, all where left out.
        """
        numbers = [*folds_of(splits), *[FINAL] * final] if only is None else list(only)
        folds = [prepare_fold(cohort, splits, fold, options) for fold in track(numbers, message, len(numbers))]
        arms = arms or [np.ones(len(cohort.tasks))]
        wide = widths(cohort, options)
        problem = make_problem(cohort, folds, make_targets(cohort, folds), arms, options.seeds, device, wide)
        return cls.of_problem(cohort, folds, problem, options)

    @classmethod
    def of_problem(cls, cohort: Cohort, folds: list[FoldData], problem: Problem, options: Training) -> "Refitter":
        """With what the options add to the problem of the cohort's own labels."""
        problem = with_extras(problem, cohort, folds, options)
        encoder = encoder_of(options, donors_with_labels(cohort))
        if options.encoder != "linear":
            say(sentence(encoder))
        return cls(options, folds, replace(problem, paths=(*problem.paths, DEEP)) if encoder.deep else problem)

    @property
    def bytes_per_copy(self) -> int:
        """Memory that one more copy in the stack takes, roughly."""
        f, s, n, t = self.problem.train.shape
        outputs = f * s * n * len(PENALTIES) * max(self.problem.packing.n_outputs, t)
        weights = f * s * self.problem.genes.shape[2] * len(PENALTIES) * self.problem.packing.n_columns
        return 4 * _HELD * (outputs + weights)

    def fit(self, copies: list[Cohort]) -> list[CanonicalAxes]:
        """Train copies of the cohort with other labels of the same tasks, samples in the same order, all in one stack;
        what ``mtlbio train`` would have found for each, without the single-task arm."""
        return [self.canonical_axes(*copy) for copy in zip(copies, self.refit(copies), strict=True)]

    def canonical_axes(self, cohort: Cohort, refit: Refit) -> CanonicalAxes:
        """What was fitted to a cohort on dimensions that all its folds share, found in the way of its kind of run."""
        return kind_named(cohort.kind).part("train", "canonical_axes")(cohort, refit, self.seeds)

    def refit(
        self,
        copies: list[Cohort],
        progress: Progress = lambda epochs, name: epochs,
        kept: Kept | None = None,
        processes: int = 1,
        by_task: bool = False,
    ) -> list[Refit]:
        """Train every copy, all in one stack, all arms of the problem; ``progress`` and, of one fold and a lone copy,
        ``by_task`` as in :func:`fit_predictors`.

        ``kept`` keeps the deep trunks of every fold of a lone copy, where they are trained; ``processes`` train them.
        """
        labelled = self.labelled(copies)
        stacked = self.stacked(copies, labelled)
        predictors = fit_predictors(stacked, self.seeds, self.options, progress, by_task)
        if DEEP in self.problem.paths:
            order, numbers = np.argsort(copies[0].obs.index.astype(str), kind="stable"), None
            if len(copies) == 1:
                numbers = [data.fold for data in self.folds]
            deep = fit_deep(stacked, self.seeds, self.options, order, numbers, kept, progress, processes)
            predictors = replace(predictors, deep=deep)
        refits = []
        for k, (copy, (folds, targets)) in enumerate(zip(copies, labelled, strict=True)):
            of_copy = predictors.of_folds(slice(k * len(folds), (k + 1) * len(folds)))
            stacking = stack_predictors(self.problem, of_copy.outputs, folds, targets, copy.donors)
            if self.options.borrowing:
                stacking = with_cross_task_stacks(self.problem, stacking, folds, targets)
            if self.options.sites is not None:
                stacking = with_site_heads(self.problem, stacking, copy, folds, targets, self.options.sites)
            stacking = with_anchors(self.problem, stacking, copy, folds, targets)
            refits.append(Refit(folds, targets, of_copy, stacking))
        return refits

    @property
    def seeds(self) -> list[int]:
        """Seeds of the replicas."""
        return seeds_of(self.options)

    def labelled(self, copies: list[Cohort]) -> list[tuple[list[FoldData], Targets]]:
        """Folds with the inner folds of every copy's labels, and its targets."""
        labelled = []
        for copy in copies:
            folds = [replace(data, inner=inner_of(copy, data.train, self.options)) for data in self.folds]
            labelled.append((folds, make_targets(copy, folds)))
        return labelled

    def stacked(self, copies: list[Cohort], labelled: list[tuple[list[FoldData], Targets]]) -> Problem:
        """The problem of all copies, one after another along the folds."""
        problem, extras = self.problem, self.problem.extras
        pairs = list(zip(copies, labelled, strict=True))
        weights = [replica_weights(copy, *labels, self.options.seeds) for copy, labels in pairs]

        def stack(arrays: list[np.ndarray]) -> torch.Tensor:
            joined = np.concatenate(arrays)
            return torch.as_tensor(joined, dtype=problem.targets.dtype, device=problem.targets.device)

        if extras is not None:
            # the labels of the further heads stay as they are, who validates them changes with the inner folds
            anew = [with_extras(problem, copy, folds, self.options).extras for copy, (folds, _) in pairs]

            def joined(name: str) -> torch.Tensor:
                return torch.cat([getattr(of_copy, name) for of_copy in anew])

            extras = replace(extras, targets=joined("targets"), train=joined("train"), validation=joined("validation"))
        return replace(
            problem,
            extras=extras,
            targets=stack([targets.values for _, targets in labelled]),
            train=stack([train for train, _ in weights]),
            validation=stack([validation for _, validation in weights]),
        )


def seeds_of(options: Training) -> list[int]:
    """Seeds of a run's replicas."""
    return [options.seed + s for s in range(options.seeds)]


def folds_of(splits: pd.DataFrame) -> list[int]:
    """Folds that hold somebody out, in order."""
    return sorted(int(fold) for fold in splits["fold"].unique())


def copies_at_once(refitter: Refitter) -> int:
    """How many copies one stack takes: a quarter of a GPU's free memory; on a CPU a gigabyte, ``_ON_CPU`` at most."""
    device = refitter.problem.targets.device
    if device.type == "cuda":
        return max(1, int(torch.cuda.mem_get_info(device)[0] / 4 / refitter.bytes_per_copy))
    return int(np.clip(1e9 / refitter.bytes_per_copy, 1, _ON_CPU))
