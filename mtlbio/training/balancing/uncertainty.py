"""Uncertainty weighting."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer, shared_out
from mtlbio.training.balancing.step import Step


@balancer("uncertainty")
class Uncertainty(Balancer):
    """Log-variances learned beside the network (Kendall, Gal & Cipolla 2018, CVPR, eq. 7).

    The objective is ``sum_k exp(-s_k) L_k / 2 + s_k / 2``; the weight of task k is its ``exp(-s_k)`` and each step
    moves ``s_k`` down its slope ``(1 - exp(-s_k) L_k) / 2``. At rest ``exp(-s_k) = 1 / L_k``.

    ``learning_rate``: of the plain gradient steps on the log-variances, which start at 0.

    Differs from the paper and from TorchJD's ``UW``: the weights are scaled to sum to the number of present tasks,
    because a network trained by plain gradient descent has its step fixed by the curvature and falling losses would
    drive it beyond. Log-variances move by gradient steps of their own, not by the network's optimiser.
    """

    learning_rate: float
    remembers = {"log_variance": 0.0}

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        log_variance = self.memory["log_variance"]
        precision = (-log_variance).exp()
        slope = (1 - precision * losses) / 2
        self.remember("log_variance", log_variance - self.learning_rate * slope, present)
        return shared_out(precision, present)
