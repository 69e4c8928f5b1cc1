"""What a balancer may look at in one step."""

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch


@dataclass(frozen=True)
class Step:
    """One full-batch step of R stacked replicas on T tasks.

    Attributes
    ----------
    epoch : count of the steps so far
    losses : (R, T) training losses, detached; whatever stands where a task is absent is never read
    present : (R, T) bool; a task is present where the replica trains it, has labels of it and has not stopped it
    gramian : gives (R, T, T), the inner products of the tasks' gradients on the shared parameters; called only by
        methods that need it, rows and columns of absent tasks are never read
    seeds : (R,) int, not negative; a replica's random draws depend on its seed, the epoch and the task's name only
    """

    epoch: int
    losses: torch.Tensor
    present: torch.Tensor
    gramian: Callable[[], torch.Tensor]
    seeds: torch.Tensor

    def draws(self, tasks: tuple[str, ...]) -> torch.Tensor:
        """(R, T) standard normal numbers, one per replica and task.

        Each task has its own generator, so neither the order of the tasks nor a task more or less changes the draw of
        another. Replicas of one seed share their draws: they differ in folds or tasks and stay comparable.
        """
        seeds, replica = np.unique(self.seeds.cpu().numpy(), return_inverse=True)
        keys = [crc32(task.encode()) for task in tasks]
        normal = [[np.random.default_rng([int(s), self.epoch, k]).standard_normal() for k in keys] for s in seeds]
        return torch.as_tensor(np.array(normal)[replica], device=self.losses.device)
