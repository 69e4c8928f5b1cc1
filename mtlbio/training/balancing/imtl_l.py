"""Impartial multi-task learning, loss balance."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer, shared_out
from mtlbio.training.balancing.step import Step


@balancer("imtl_l")
class ImpartialLosses(Balancer):
    """Scales learned beside the network (Liu et al. 2021, ICLR, "Towards Impartial Multi-task Learning").

    The objective is ``sum_k exp(s_k) L_k - s_k``; the weight of task k is ``exp(s_k)`` and each step moves ``s_k``
    down its slope ``exp(s_k) L_k - 1``. At rest every scaled loss is 1. Almost uncertainty weighting: the same with
    twice the learning rate.

    ``learning_rate``: of the plain gradient steps on the scales, which start at 0.

    Differs from the paper and from TorchJD's ``IMTLL``: the weights are scaled to sum to the number of present tasks,
    for the reason given at :class:`mtlbio.training.balancing.uncertainty.Uncertainty`.
    """

    learning_rate: float
    remembers = {"log_scale": 0.0}

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        log_scale = self.memory["log_scale"]
        scale = log_scale.exp()
        self.remember("log_scale", log_scale - self.learning_rate * (scale * losses - 1), present)
        return shared_out(scale, present)
