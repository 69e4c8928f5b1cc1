"""UPGrad: no step harms a task."""

import numpy as np
import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.dual_cone import shortest_above
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.step import Step

# of the trace, added to the diagonal, as in TorchJD: dependent gradients make the Gramian singular
_RIDGE = 1e-4


@balancer("upgrad")
class UPGrad(GramianBalancer):
    """Projects every gradient onto the cone of steps that harm no task, and sums (Quinton & Rey 2024, arXiv
    2406.16232, eq. 3).

    Equal to TorchJD's ``UPGrad`` times the number of tasks. The weights of the projection of gradient i are the v with
    the shortest step among those with ``v >= e_i``, solved for all tasks of all replicas together.
    """

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        replicas, tasks = speaking.shape
        here = speaking.cpu().numpy()
        matrix = gramian.cpu().double().numpy()
        matrix = matrix / np.maximum(here.sum(1), 1)[:, None, None] + _RIDGE * np.eye(tasks)  # the mean diagonal is 1
        each = np.eye(tasks)[None] * here[:, :, None]
        shortest = shortest_above(np.repeat(matrix, tasks, axis=0), each.reshape(replicas * tasks, tasks))
        weights = shortest.reshape(replicas, tasks, tasks).sum(1)
        return torch.as_tensor(weights, dtype=gramian.dtype, device=gramian.device)
