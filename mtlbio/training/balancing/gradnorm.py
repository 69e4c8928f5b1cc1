"""GradNorm."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer, present_mean, shared_out
from mtlbio.training.balancing.gramian import speaking_gramian
from mtlbio.training.balancing.step import Step

_LEAST = 1e-3


@balancer("gradnorm")
class GradNorm(Balancer):
    """Gradient norms follow the relative training rates (Chen et al. 2018, ICML, algorithm 1).

    With ``n_k`` the norm of task k's gradient on the shared parameters, ``r_k`` its loss relative to the starting
    loss divided by the mean of that over the present tasks, the weights move down the slope of
    ``sum_k |w_k n_k - mean_j(w_j n_j) r_k^alpha|`` with the mean held fixed, and are scaled to sum to the number of
    present tasks. They weight whole losses, as in the paper.

    ``alpha``: how strongly a task that lags behind is pulled; 1.5 in the paper. ``learning_rate``: of the plain
    gradient steps on the weights, which start at 1; .025 in the paper.

    Differs from the paper: norms are divided by their mean over the present tasks, so that the learning rate means
    the same whatever the size of the gradients; weights stay above .001; plain steps, not Adam. The norms come from
    all shared parameters, not from the last shared layer. TorchJD has no GradNorm.
    """

    alpha: float
    learning_rate: float
    remembers = {"weight": 1.0, "start": 0.0}

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        norms = speaking_gramian(step)[0].diagonal(dim1=1, dim2=2).double().sqrt()
        norms = norms / present_mean(norms, present).clamp_min(1e-300)
        left = losses / self.starting_losses(losses, present)
        rate = left / present_mean(left, present).clamp_min(1e-300)
        weight = shared_out(self.memory["weight"], present)
        target = present_mean(weight * norms, present) * rate**self.alpha
        slope = norms * (weight * norms - target).sign()
        moved = (weight - self.learning_rate * slope).clamp_min(_LEAST)
        self.remember("weight", shared_out(moved, present), present)
        return weight
