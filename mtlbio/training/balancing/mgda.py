"""Multiple-gradient descent."""

import numpy as np
import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.simplex import least_quadratic, ridged
from mtlbio.training.balancing.step import Step


@balancer("mgda")
class MGDA(GramianBalancer):
    """The convex combination of least norm: a common descent direction (Desideri 2012, Comptes Rendus; Sener & Koltun
    2018, NeurIPS, eq. 3).

    Times the number of tasks. The smallest gradient gets most of the weight, so one task that is done slows all.
    Differs from TorchJD's ``MGDA``, which takes at most 100 steps of Frank and Wolfe (algorithm 2 of the second paper)
    and stops .001 short of the minimum: here it is solved to the end, for all replicas at once.
    """

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        matrix, here = ridged(gramian), speaking.cpu().numpy()
        some = here.any(1)
        weights = np.zeros(here.shape)
        weights[some] = least_quadratic(matrix[some], np.zeros_like(weights[some]), here[some])[0]
        return torch.as_tensor(weights * here.sum(1, keepdims=True), device=gramian.device)
