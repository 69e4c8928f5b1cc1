"""Geometric loss strategy."""

import torch

from mtlbio.training.balancing.base import TINY, Balancer, balancer, present_mean
from mtlbio.training.balancing.step import Step


@balancer("gls")
class GeometricLoss(Balancer):
    """Descends n times the geometric mean of the n present losses (Chennupati et al. 2019, CVPR workshops).

    ``weight_k = (prod_j L_j)^(1/n) / L_k``: the gradient of the objective. The product of the weights is 1, their sum
    exceeds n where the losses differ.

    Equal to TorchJD's ``GeometricMean`` times n. A loss below 1e-8 counts as 1e-8; there the objective has no slope.
    """

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        logs = losses.clamp_min(TINY).log()
        return (present_mean(logs, present) - logs).exp()
