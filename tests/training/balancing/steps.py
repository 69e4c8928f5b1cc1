"""Made-up trainings: losses, Gramians and presence over a few steps, and what a balancer answers to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from mtlbio.training.balancing.registry import make_balancer
from mtlbio.training.balancing.step import Step

TASKS = ("disease", "age", "sex", "response")


@dataclass(frozen=True)
class Course:
    """K steps of R replicas.

    losses, later (after the update), present : (K, R, T); gramians : (K, R, T, T); seeds : (R,)
    """

    tasks: tuple[str, ...]
    losses: torch.Tensor
    later: torch.Tensor
    gramians: torch.Tensor
    present: torch.Tensor
    seeds: torch.Tensor

    def steps(self) -> list[Step]:
        rows = zip(self.losses, self.present, self.gramians, strict=True)
        return [Step(k, loss, here, lambda g=g: g, self.seeds) for k, (loss, here, g) in enumerate(rows)]

    def of_tasks(self, order: list[int]) -> Course:
        return Course(
            tuple(self.tasks[t] for t in order),
            self.losses[..., order],
            self.later[..., order],
            self.gramians[..., order, :][..., order],
            self.present[..., order],
            self.seeds,
        )

    def of_replicas(self, rows: list[int]) -> Course:
        parts = {k: getattr(self, k)[:, rows] for k in ("losses", "later", "gramians", "present")}
        return replace(self, seeds=self.seeds[rows], **parts)

    def with_present(self, present: torch.Tensor, garbage: float = torch.nan) -> Course:
        """The same, with ``garbage`` wherever a task is absent."""
        here = present[..., :, None] & present[..., None, :]
        return replace(
            self,
            losses=torch.where(present, self.losses, garbage),
            later=torch.where(present, self.later, garbage),
            gramians=torch.where(here, self.gramians, garbage),
            present=present,
        )


def course(steps: int = 4, replicas: int = 3, tasks: tuple[str, ...] = TASKS, seed: int = 0) -> Course:
    """Conflicting gradients of unequal length and falling losses."""
    draw = torch.Generator().manual_seed(seed)
    t = len(tasks)
    jacobians = torch.randn(steps, replicas, t, 6, generator=draw, dtype=torch.float64)
    jacobians = (jacobians - 0.6 * jacobians.mean(2, keepdim=True)) * torch.linspace(0.5, 2, t)[:, None]
    falls = torch.rand(steps + 1, replicas, t, generator=draw, dtype=torch.float64) * 0.5
    losses = 0.7 * (-falls.cumsum(0)).exp()
    present = torch.ones(steps, replicas, t, dtype=torch.bool)
    seeds = torch.arange(replicas) + 11
    return Course(tasks, losses[:-1], losses[1:], jacobians @ jacobians.mT, present, seeds)


def answers(name: str, course: Course, balancer=None, **options) -> torch.Tensor:
    """(K, R, T) weights of all steps of a course."""
    if balancer is None:
        balancer = make_balancer(name, course.tasks, len(course.seeds), **options)
    weights = []
    for step, later in zip(course.steps(), course.later, strict=True):
        weights.append(balancer.weights(step))
        balancer.after(later)
    return torch.stack(weights)
