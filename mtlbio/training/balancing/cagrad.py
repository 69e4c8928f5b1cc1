"""Conflict-averse gradient descent."""

import numpy as np
import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.simplex import least_length, ridged
from mtlbio.training.balancing.step import Step

_NO_DIRECTION = 1e-4


@balancer("cagrad")
class CAGrad(GramianBalancer):
    """The best worst-case descent within a ball around the mean gradient (Liu et al. 2021, NeurIPS, algorithm 1).

    ``c``: radius of the ball, relative to the mean gradient; above 0 (near 0 the plain sum; large: MGDA's direction).

    Times the number of tasks, divided by ``1 + c``, so that equal orthogonal gradients have weight 1 (the authors'
    code divides by ``1 + c^2`` or ``1 + c``). TorchJD hands each matrix to a cone programme of cvxpy; here the same
    minimum is weights for all replicas at once. As there, the step is 0 where the tasks leave no direction: where the
    best combination of gradients is shorter than 1e-4 of their root summed squares.
    """

    c: float

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        matrix, here = ridged(gramian), speaking.cpu().numpy()
        count = here.sum(1, keepdims=True)
        mean = here / count.clip(1)
        linear = (matrix @ mean[:, :, None])[:, :, 0]
        radius = self.c * np.sqrt((mean * linear).sum(1))
        some = radius > 0
        best = mean.copy()
        best[some] = least_length(matrix[some], linear[some], radius[some], here[some])
        length = np.sqrt(np.einsum("rt,rtu,ru->r", best, matrix, best))
        size = np.sqrt((np.diagonal(matrix, axis1=1, axis2=2) * here).sum(1))
        clear = some & (length >= _NO_DIRECTION * size)
        added = (radius / np.where(clear, length, 1.0))[:, None]
        weights = (mean + added * best) * clear[:, None] * count / (1 + self.c)
        return torch.as_tensor(weights, device=gramian.device)
