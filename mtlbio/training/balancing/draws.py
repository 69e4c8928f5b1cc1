"""Random numbers of a replica: from its own seed, the epoch and the task's name, whoever else is there."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import torch

from mtlbio.training.balancing.step import Step


def normal_draws(step: Step, tasks: tuple[str, ...]) -> torch.Tensor:
    """(R, T) standard normal numbers, one per replica and task.

    Each task has its own generator, so neither the order of the tasks nor a task more or less changes the draw of
    another. Replicas of one seed share their draws: they differ in folds or tasks and stay comparable.
    """
    seeds, replica = np.unique(step.seeds.cpu().numpy(), return_inverse=True)
    keys = [crc32(task.encode()) for task in tasks]
    drawn = [[np.random.default_rng([int(seed), step.epoch, key]).standard_normal() for key in keys] for seed in seeds]
    return torch.as_tensor(np.array(drawn)[replica], device=step.losses.device)
