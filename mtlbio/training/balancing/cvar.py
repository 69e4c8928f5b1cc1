"""Worst-case and quantile aggregation over tasks."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer, shared_out
from mtlbio.training.balancing.step import Step


@balancer("cvar")
class ConditionalValueAtRisk(Balancer):
    """Descends the mean of the worst losses (CVaR of Rockafellar & Uryasev 2000, Journal of Risk, over tasks).

    Each loss counts relative to its starting loss, ``x_k = L_k / L_k(0)``. With n present tasks of mass 1/n each, the
    CVaR at ``quantile`` q is ``max_p sum_k p_k x_k`` with ``0 <= p_k <= 1 / (n (1 - q))`` and ``sum p = 1``: the worst
    tasks are filled first, the last one partly. Its gradient weighs task k by ``p_k / L_k(0)``; these are scaled to
    sum to n. Tied tasks share alike.

    ``quantile``: in (0, 1); near 0 all tasks count, from ``1 - 1/n`` on only the worst one.

    The paper's variable is a sample's loss under a portfolio; taking the tail over tasks is ours. A task that cannot
    be learned stays the worst one and takes the weight for good: that is what was asked for.
    """

    quantile: float
    remembers = {"start": 0.0}

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        start = self.starting_losses(losses, present)
        left = torch.where(present, losses / start, -torch.inf)
        most = 1 / (present.sum(1, keepdim=True).clamp_min(1) * (1 - self.quantile))
        # [r, k, j]: task j against task k
        worse = (left[:, None, :] > left[:, :, None]).sum(2)
        tied = (left[:, None, :] == left[:, :, None]).sum(2)
        mass = ((1 - worse * most) / tied).clamp_min(0).minimum(most)
        return shared_out(mass / start, present)
