"""What a sample is predicted from: networks of the blocks that it has, weighed for exactly these blocks.

For every set of blocks there are shares of its own, found on the inner validation samples that have the set or more:
of what they have beyond it nothing is read. So a sample with transcripts alone is predicted by shares that were found
as if everybody had transcripts alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from mtlbio.cohort.assays.blocks import Blocks, Pattern
from mtlbio.cohort.cohort import Cohort
from mtlbio.model.outputs import Outputs
from mtlbio.training.assays.views import View
from mtlbio.training.problem import Targets
from mtlbio.training.stacked_predictors import StackingWeights
from mtlbio.training.stacking import mix


@dataclass(frozen=True)
class StackedViews:
    """Mixtures of networks by set of blocks.

    Attributes
    ----------
    outputs : set -> (f, a, s, n, o) of all samples of the cohort, NaN of those that lack a block of the set
    mixture : (set, fold index, arm index, task index) -> shares of the networks of the set, in the order of ``read``
    """

    outputs: dict[Pattern, np.ndarray] = field(default_factory=dict)
    mixture: dict[tuple[Pattern, int, int, int], StackingWeights] = field(default_factory=dict)

    def of_samples(self, patterns: list[Pattern]) -> np.ndarray:
        """(f, a, s, n, o) outputs of every sample (n,) by the set that is given for it; NaN for an empty set."""
        whole = np.full_like(next(iter(self.outputs.values())), np.nan)
        for pattern in {own for own in patterns if own}:
            rows = np.array([own == pattern for own in patterns])
            whole[..., rows, :] = self.outputs[pattern][..., rows, :]
        return whole


def read(pattern: Pattern, views: dict[Pattern, View]) -> list[Pattern]:
    """Networks that a set of blocks is predicted by: of each block alone, and of all of them where there is one."""
    return [own for own in views if len(own) == 1 and own[0] in pattern or own == pattern]


def stack_views(
    cohort: Cohort,
    blocks: Blocks,
    views: dict[Pattern, View],
    targets: Targets,
    inner: list[np.ndarray],
    arms: list[np.ndarray],
    wanted: Iterable[Pattern],
) -> StackedViews:
    """Weigh the networks for every set of blocks in ``wanted``.

    Parameters
    ----------
    arms : (t,) 1 for the tasks that an arm trains; the outputs of the others are NaN
    targets : of the whole cohort, in whose units the outputs come
    inner : of every fold, (n,) inner fold of the training samples, -1 for the others
    """
    packing = Outputs.of(cohort.tasks)
    brought = {own: _in_common_units(view, targets, packing, len(cohort.obs)) for own, view in views.items()}
    stacked = StackedViews()
    for pattern in wanted:
        parts = [brought[own] for own in read(pattern, views)]
        outputs = np.full_like(parts[0], np.nan)
        f, _, seeds = outputs.shape[:3]
        have = blocks.have(pattern)
        for i in range(f):
            for t, task in enumerate(packing.tasks):
                place = packing.outputs[t]
                rows = [np.flatnonzero(have & (inner[i] == q) & targets.labelled[:, t]) for q in range(seeds)]
                target = np.concatenate([targets.values[i, r, t] for r in rows])
                witness = next(iter(views.values())).refit.folds[i].witness
                for j in [j for j, active in enumerate(arms) if active[t]]:
                    seen = np.stack(
                        [np.concatenate([v[i, j, q, r][:, place] for q, r in enumerate(rows)]) for v in parts]
                    )
                    weights = stacked.mixture[pattern, i, j, t] = _mixed(task, seen, target, witness)
                    own = (share * v[i, j, :, :, place] for share, v in zip(weights.shares, parts, strict=True))
                    outputs[i, j, :, :, place] = weights.bias + sum(own)
        outputs[..., ~have, :] = np.nan
        stacked.outputs[pattern] = outputs
    return stacked


def _mixed(task, seen: np.ndarray, target: np.ndarray, witness: float) -> StackingWeights:
    """Shares of several networks; a lone one is taken as it is."""
    if len(seen) == 1:
        return StackingWeights(np.ones(1), np.zeros(seen.shape[2]))
    return mix(task, seen, target, weight=witness)


def _in_common_units(view: View, targets: Targets, packing: Outputs, n: int) -> np.ndarray:
    """(f, a, s, n, o) outputs of a network of all samples, NaN of those without its blocks: a value in the units of the
    whole cohort's targets, not in those of the samples that the network was trained on."""
    own, outputs = view.refit.targets, view.refit.stacking.outputs
    task = packing.task_of_output
    scale, mean = own.scale[:, task] / targets.scale[:, task], own.mean[:, task] - targets.mean[:, task]
    shift = mean / targets.scale[:, task]
    whole = np.full((*outputs.shape[:3], n, outputs.shape[4]), np.nan, dtype=np.float64)
    whole[..., view.rows, :] = outputs * scale[:, None, None, None] + shift[:, None, None, None]
    return whole
