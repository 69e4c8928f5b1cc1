"""Which tasks a trunk serves: weights on the tasks' gradients where they meet, another vector in every arm.

All arms read the same folds, axes, seeds and inner validation donors and run in one stack; an arm *is* its preference.
The weights act on the shared parameters only. A head is its task's own and goes on learning at its usual pace, so that
an arm asks what the trunk should look like and never starves a head. With equal weights an arm is the plain sum, which
is what a run trains (Kurin et al. 2022, NeurIPS: "unitary scalarisation").

Beside weights an arm may descend a *tail*, the conditional value at risk of Rockafellar & Uryasev (2000, Journal of
Risk): the mean of the worst share of losses, over tasks (:mod:`mtlbio.training.balancing.cvar`), over the donors with a
label, or over the levels of a covariate such as the site (with the level near 1: group DRO, Sagawa et al. 2020, ICLR).
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from mtlbio.choices.balancers import checked_options
from mtlbio.training.balancing.base import Balancer
from mtlbio.training.balancing.cvar import ConditionalValueAtRisk
from mtlbio.training.balancing.step import Step

TASKS = "tasks"  # the tail over tasks; over anything else it is over units of samples
_NEWEST = 0.1  # part of the newest step in what a sample counts
_FASTEST = 2.0  # a tail makes its samples' steps at most so many times longer: the run's own pace allows for that


@dataclass(frozen=True)
class Preferences:
    """What the arms of a stack serve; a arms, t tasks, n samples.

    Attributes
    ----------
    weights : (a, t) of the tasks on shared parameters, not negative; those of an arm sum to t
    tails : (a,) empty, ``"tasks"``, or a key of ``units``
    level : of the tails, in (0, 1): the mean is over the worst ``1 - level``
    units : (n,) whole number of every sample's donor, site ...
    """

    weights: np.ndarray
    tails: tuple[str, ...]
    level: float = 0.5
    units: dict[str, np.ndarray] = field(default_factory=dict)

    def balancer(
        self, arms: np.ndarray, folds: int, seeds: int, tasks: tuple[str, ...], device: torch.device
    ) -> Balancer:
        """Weights of the networks of the arms ``arms`` (w,), fold by fold, arm by arm, seed by seed."""
        chosen = np.tile(np.repeat(arms, seeds), folds)
        further = np.ones((len(self.weights), len(tasks) - self.weights.shape[1]))  # of auxiliary heads
        weights = np.concatenate([self.weights, further], axis=1)[chosen]
        tails = np.array([tail == TASKS for tail in self.tails])[chosen]
        return _Preferred(tasks, weights, tails, self.level, device)


class Tails:
    """What the samples count in the arms of a stack that serve the worst of them, step after step.

    Who is worst jumps from step to step, and full-batch descent on it runs to and fro between one half of the donors
    and the other. What a sample counts is therefore a running mean, from all alike on: a mean of subgradients of one
    convex function at the points before, as in dual averaging (Nesterov 2009, Mathematical Programming 120:221).
    """

    def __init__(self, preferences: Preferences, train: torch.Tensor):
        """``train`` (f, s, n, t) weighs the training samples."""
        self._train, self._level = train, preferences.level
        self._pace = min(1.0, _FASTEST * (1 - preferences.level))
        self._arms = [
            (arm, torch.as_tensor(preferences.units[tail], device=train.device))
            for arm, tail in enumerate(preferences.tails)
            if tail in preferences.units
        ]
        self._mean = {arm: torch.ones_like(train) for arm, _ in self._arms}

    def factors(self, losses: torch.Tensor) -> torch.Tensor | None:
        """(f, a, s, n, t) factors of the samples' losses (f, a, s, n, t), 1 in arms without a tail over units; None
        where no arm has one."""
        if not self._arms:
            return None
        factors = torch.ones_like(losses)
        for arm, units in self._arms:
            share = in_tail(losses[:, arm], self._train, units, self._level)
            self._mean[arm] = self._mean[arm] + _NEWEST * (share - self._mean[arm])
            factors[:, arm] = self._pace * self._mean[arm]
        return factors


def in_tail(losses: torch.Tensor, train: torch.Tensor, units: torch.Tensor, level: float) -> torch.Tensor:
    """(..., n, t) what every sample counts in the mean of the worst ``1 - level`` of the units, over its usual weight.

    A unit's loss is the mean over its samples and its mass their weight; units are filled in from the worst on until
    ``1 - level`` of the mass is used up, the last one partly. Factors times weights sum to the sum of the weights.

    Parameters
    ----------
    losses, train : (..., n, t) of samples, and their weights, which sum to 1 over n, or are all 0
    units : (n,) whole number of every sample's unit
    """
    count = int(units.max()) + 1
    onto = torch.nn.functional.one_hot(units, count).to(losses.dtype)
    train = train.expand_as(losses)
    mass = torch.einsum("...nt,nu->...tu", train, onto)
    mean = torch.einsum("...nt,nu->...tu", train * losses, onto) / mass.clamp_min(1e-30)
    order = torch.where(mass > 0, mean, -torch.inf).argsort(dim=-1, descending=True, stable=True)
    sorted_mass = mass.gather(-1, order)
    before = sorted_mass.cumsum(-1) - sorted_mass
    used = (1 - level - before).clamp_min(0).minimum(sorted_mass) / sorted_mass.clamp_min(1e-30) / (1 - level)
    share = torch.empty_like(used).scatter_(-1, order, used)
    return torch.einsum("...tu,nu->...nt", share, onto)


class _Preferred(Balancer):
    """Weights that stay as they are, and the tail over tasks in some of the replicas; on shared parameters."""

    name, scope, reads_gramian = "preferences", "gradient", False
    remembers = ConditionalValueAtRisk.remembers

    def __init__(
        self, tasks: tuple[str, ...], weights: np.ndarray, tails: np.ndarray, level: float, device: torch.device
    ):
        super().__init__(tasks, len(weights), device)
        self._fixed, self._tails = (torch.as_tensor(part, device=device) for part in (weights, tails[:, None]))
        options = checked_options("cvar", {"quantile": level})
        self._worst = ConditionalValueAtRisk(tasks, len(weights), device, **options)

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        if not self._tails.any():
            return self._fixed
        return torch.where(self._tails, self._worst.compute(losses, present, step), self._fixed)
