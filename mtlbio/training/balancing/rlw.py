"""Random loss weighting."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer, present_softmax
from mtlbio.training.balancing.step import Step


@balancer("rlw")
class RandomWeights(Balancer):
    """``weight_k = n softmax_k(normal draws)`` over the n present tasks, new at every step (Lin et al. 2022, TMLR).

    The weights are 1 in the mean only; any method that is to be believed should beat this one. Differs from TorchJD's
    ``Random``: a replica's draws come from its own seed, not from the global generator, and sum to n, not to 1.
    """

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        return present.sum(1, keepdim=True) * present_softmax(step.draws(self.tasks), present)
