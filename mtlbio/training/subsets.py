"""Which tasks should be learned together? Every subset of the tasks is an arm of one stack.

The arms share folds, seeds, axes and budget, so they differ in nothing but the tasks that shape the trunk
(Standley et al. 2020, "Which tasks should be learned together in multi-task learning?").
"""

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.errors import InputError
from mtlbio.model.outputs import Outputs
from mtlbio.progress import track
from mtlbio.training.refits import Progress, Refit, Refitter, copies_at_once

# With more tasks than this only single tasks, pairs and all tasks together are trained.
ALL_SUBSETS = 5
MOST_TASKS = 10

Subset = tuple[str, ...]


def task_subsets(tasks: Iterable[str]) -> list[Subset]:
    """The subsets that are trained: all 2^T - 1 of up to ``ALL_SUBSETS`` tasks, else single tasks, pairs and all.

    Raises
    ------
    InputError
        One task, or more than ``MOST_TASKS``.

    Examples
    --------
    >>> task_subsets("ab")
    [('a',), ('b',), ('a', 'b')]
    """
    tasks = tuple(tasks)
    if len(tasks) < 2:
        raise InputError(f"tasks: nothing to share with one task only; found {tasks[0]}; transfer needs two or more")
    if len(tasks) > MOST_TASKS:
        raise InputError(
            f"tasks: found {len(tasks)}; transfer compares {MOST_TASKS} at most: leave some out of the YAML"
        )
    sizes = range(1, len(tasks) + 1) if len(tasks) <= ALL_SUBSETS else (1, 2, len(tasks))
    return [subset for size in sizes for subset in combinations(tasks, size)]


def refitter_of(
    cohort: Cohort, splits: pd.DataFrame, options: Training, subsets: list[Subset], device: str
) -> Refitter:
    """What does not depend on labels, with one arm per subset of the tasks, for the held-out folds."""
    arms = [np.isin(list(cohort.tasks), subset).astype(float) for subset in subsets]
    return Refitter.of(cohort, splits, options, device, arms, final=False)


def fit_subsets(
    cohort: Cohort, refitter: Refitter, subsets: list[Subset], progress: Progress
) -> dict[tuple[Subset, str], np.ndarray]:
    """Out-of-fold predictions of every task by the network of every subset that holds it, as :func:`out_of_fold`."""
    (refit,) = refitter.refit([cohort], progress)
    return {
        (subset, task): out_of_fold(cohort, refit, arm, task) for arm, subset in enumerate(subsets) for task in subset
    }


def fit_copies(refitter: Refitter, copies: list[Cohort], task: str) -> Iterator[list[np.ndarray]]:
    """Out-of-fold predictions of one task by every arm, copy after copy; as many copies in a stack as fit."""
    size, arms = copies_at_once(refitter), range(len(refitter.problem.active))
    stacks = [copies[start : start + size] for start in range(0, len(copies), size)]
    for stack in track(stacks, f"Training on {len(copies)} sets of labels of {task}", len(stacks)):
        for copy, refit in zip(stack, refitter.refit(stack), strict=True):
            yield [out_of_fold(copy, refit, arm, task) for arm in arms]


def out_of_fold(cohort: Cohort, refit: Refit, arm: int, task: str) -> np.ndarray:
    """What the replicas of the fold in which a sample is held out predict for it, averaged over the seeds: (n,)
    probability or value, (n, K) probabilities for multiclass and ordinal, as in ``predictions.tsv``."""
    t = list(cohort.tasks).index(task)
    place, info = Outputs.of(cohort.tasks).outputs[t], cohort.tasks[task]
    predictions = np.full((len(cohort.obs), *info.width), np.nan)
    for i, data in enumerate(refit.folds):
        raw = refit.stacking.outputs[i, arm][:, data.test][:, :, place]
        of_seeds = info.to_prediction(raw, refit.targets.mean[i, t], refit.targets.scale[i, t])
        predictions[data.test] = of_seeds.mean(axis=0)
    return predictions
