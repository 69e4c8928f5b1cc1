"""The same training on other labels: copies of a cohort whose labels differ are further folds of one stack.

Genes, axes, curves and row spaces of a fold do not look at labels: they are found once and shared by all copies, whose
networks read them in one product (:mod:`mtlbio.training.products`).
What looks at labels is done anew for every copy: inner folds, standardisation of the targets, weights of the
replicas, all four paths, their mixture, and the folding onto canonical dimensions. The outer folds stay, for the
axes hang on them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import track
from mtlbio.training.fold_in import Canonical, fold_in
from mtlbio.training.mixing import mix_paths
from mtlbio.training.paths import fit_paths
from mtlbio.training.problem import (
    FoldData,
    Problem,
    Targets,
    inner_of,
    make_problem,
    make_targets,
    prepare_fold,
    replica_weights,
)
from mtlbio.training.sparse_heads import PENALTIES

# On a CPU a wider stack saves little, and it runs until its slowest member stops.
_ON_CPU = 4
# Arrays of the size of the L1 path's weights and outputs that are held at once, most of them for the gradient.
_HELD = 12


@dataclass(frozen=True)
class Refitter:
    """Everything of a run that does not depend on labels.

    Attributes
    ----------
    options : of the training, with as many seeds as are refitted
    folds : with the inner folds of the cohort's own labels
    problem : of the cohort's own labels, multi-task arm only
    """

    options: Training
    folds: list[FoldData]
    problem: Problem

    @classmethod
    def of(cls, cohort: Cohort, splits: pd.DataFrame, options: Training, device: str) -> Refitter:
        """Find genes, axes and row spaces of every fold, as ``mtlbio train`` does."""
        numbers = [*sorted(int(fold) for fold in splits["fold"].unique()), FINAL]
        folds = [
            prepare_fold(cohort, splits, fold, options)
            for fold in track(numbers, "Finding gene-sparse axes once for all refits", len(numbers))
        ]
        arm = [np.ones(len(cohort.tasks))]
        problem = make_problem(cohort, folds, make_targets(cohort, folds), arm, options.seeds, device)
        return cls(options, folds, problem)

    @property
    def bytes_per_copy(self) -> int:
        """Memory that one more copy in the stack takes, roughly."""
        f, s, n, t = self.problem.train.shape
        outputs = f * s * n * len(PENALTIES) * max(self.problem.packing.n_outputs, t)
        weights = f * s * self.problem.genes.shape[2] * len(PENALTIES) * self.problem.packing.n_columns
        return 4 * _HELD * (outputs + weights)

    def fit(self, copies: list[Cohort]) -> list[Canonical]:
        """Train every copy, all in one stack.

        Parameters
        ----------
        copies : the cohort with other labels of the same tasks, samples in the same order

        Returns
        -------
        What ``mtlbio train`` would have found for each, without the single-task arm.
        """
        seeds = [self.options.seed + s for s in range(self.options.seeds)]
        labelled = [self._labelled(copy) for copy in copies]
        paths = fit_paths(self._stacked(copies, labelled), seeds, self.options)
        found = []
        for k, (copy, (folds, targets)) in enumerate(zip(copies, labelled, strict=True)):
            own = paths.of_folds(slice(k * len(folds), (k + 1) * len(folds)))
            mixed = mix_paths(self.problem, own.outputs, folds, targets)
            found.append(fold_in(copy, folds, targets, own.heads, own.blocks, mixed, seeds))
        return found

    def _labelled(self, copy: Cohort) -> tuple[list[FoldData], Targets]:
        folds = [replace(data, inner=inner_of(copy, data.train, self.options)) for data in self.folds]
        return folds, make_targets(copy, folds)

    def _stacked(self, copies: list[Cohort], labelled: list[tuple[list[FoldData], Targets]]) -> Problem:
        problem = self.problem
        weights = [
            replica_weights(copy, folds, targets, self.options.seeds)
            for copy, (folds, targets) in zip(copies, labelled, strict=True)
        ]

        def stack(arrays: list[np.ndarray]) -> torch.Tensor:
            joined = np.concatenate(arrays)
            return torch.as_tensor(joined, dtype=problem.targets.dtype, device=problem.targets.device)

        return replace(
            problem,
            targets=stack([targets.values for _, targets in labelled]),
            train=stack([train for train, _ in weights]),
            validation=stack([validation for _, validation in weights]),
        )


def copies_at_once(refitter: Refitter) -> int:
    """How many copies one stack takes: a quarter of a GPU's free memory; on a CPU a gigabyte, ``_ON_CPU`` at most."""
    device = refitter.problem.targets.device
    if device.type == "cuda":
        return max(1, int(torch.cuda.mem_get_info(device)[0] / 4 / refitter.bytes_per_copy))
    return int(np.clip(1e9 / refitter.bytes_per_copy, 1, _ON_CPU))
