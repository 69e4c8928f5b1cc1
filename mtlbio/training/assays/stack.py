"""What a sample is predicted from: networks of the blocks that it has, weighed for exactly these blocks.

For every set of blocks there are shares of its own, found on the inner validation samples that have the set or more:
of what they have beyond it nothing is read. So a sample with transcripts alone is predicted by shares that were found
as if everybody had transcripts alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import torch

from mtlbio.cohort.assays.blocks import Blocks, Pattern
from mtlbio.cohort.cohort import Cohort
from mtlbio.labels import Label
from mtlbio.model.outputs import Outputs
from mtlbio.training.assays.views import View
from mtlbio.training.problem import Targets
from mtlbio.training.stacked_predictors import StackingWeights
from mtlbio.training.stacking import mix

_FEW = 30  # labelled validation samples below which the best block is a matter of chance, and the average decides

# label, outputs of networks (networks, n, outputs), targets, weight of a sample, networks of one block
Weigh = Callable[[Label, np.ndarray, np.ndarray, float, int], StackingWeights]


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


def read(pattern: Pattern, views: Iterable[Pattern]) -> list[Pattern]:
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
    weigh: Weigh | None = None,
) -> StackedViews:
    """Weigh the networks for every set of blocks in ``wanted``.

    Parameters
    ----------
    arms : (t,) 1 for the tasks that an arm trains; the outputs of the others are NaN
    targets : of the whole cohort, in whose units the outputs come
    inner : of every fold, (n,) inner fold of the training samples, -1 for the others
    weigh : finds the shares, :func:`mixed` where left out
    """
    weigh = weigh or mixed
    packing = Outputs.of(cohort.tasks)
    brought = {own: _in_common_units(view, targets, packing, len(cohort.obs)) for own, view in views.items()}
    stacked = StackedViews()
    for pattern in wanted:
        networks = read(pattern, views)
        parts, alone = [brought[own] for own in networks], sum(len(own) == 1 for own in networks)
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
                    weights = stacked.mixture[pattern, i, j, t] = weigh(task, seen, target, witness, alone)
                    own = (share * v[i, j, :, :, place] for share, v in zip(weights.shares, parts, strict=True))
                    outputs[i, j, :, :, place] = weights.bias + sum(own)
        outputs[..., ~have, :] = np.nan
        stacked.outputs[pattern] = outputs
    return stacked


def mixed(task: Label, seen: np.ndarray, target: np.ndarray, witness: float, alone: int) -> StackingWeights:
    """Shares of several networks, the first ``alone`` of which read one block; a lone network is taken as it is.

    The pull is towards the best network of one block, not towards equal shares: an assay that says nothing then takes
    nothing, and what is won by mixing has to be seen on validation samples. Planted cohorts say what that is worth
    (``benchmarks/calibration/assays.py --mixing``).

    Parameters
    ----------
    seen : (networks, n, outputs of the task) of samples that none of them trained on
    target : (n,)
    witness : weight of every sample, as of :func:`mtlbio.training.stacking.mix`
    """
    if len(seen) == 1:
        return StackingWeights(np.ones(1), np.zeros(seen.shape[2]))
    return mix(task, seen, target, weight=witness, pulled_to=_best_alone(task, seen, target, witness, alone))


def _best_alone(task: Label, seen: np.ndarray, target: np.ndarray, witness: float, alone: int) -> np.ndarray | None:
    """All to the network of one block whose loss is smallest, each with a share and a bias of its own; None where too
    few labels tell which that is."""
    if len(target) < _FEW:
        return None
    y, everybody = torch.as_tensor(target, dtype=torch.float64), torch.ones(len(target), dtype=torch.float64)
    every, losses = np.eye(len(seen)), []
    for one in every[:alone]:
        weights = mix(task, seen, target, one > 0, witness)
        outputs = torch.as_tensor(np.einsum("p,pno->no", weights.shares, seen) + weights.bias)
        losses.append(float(task.loss(outputs, y, everybody).sum()))
    return every[int(np.argmin(losses))]


def _in_common_units(view: View, targets: Targets, packing: Outputs, n: int) -> np.ndarray:
    """(f, a, s, n, o) outputs of a network of all samples, NaN of those without its blocks: a value in the units of the
    whole cohort's targets, not in those of the samples that the network was trained on."""
    outputs, (scale, shift) = view.refit.stacking.outputs, common_units(view, targets, packing)
    whole = np.full((*outputs.shape[:3], n, outputs.shape[4]), np.nan, dtype=np.float64)
    whole[..., view.rows, :] = outputs * scale[:, None, None, None] + shift[:, None, None, None]
    return whole


def common_units(view: View, targets: Targets, packing: Outputs) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift (f, o) that bring outputs of a network into the units of the whole cohort's targets."""
    own, task = view.refit.targets, packing.task_of_output
    scale, mean = own.scale[:, task] / targets.scale[:, task], own.mean[:, task] - targets.mean[:, task]
    return scale, mean / targets.scale[:, task]
