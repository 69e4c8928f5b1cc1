"""Dynamic weight average."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer, present_softmax
from mtlbio.training.balancing.step import Step


@balancer("dwa")
class DynamicWeightAverage(Balancer):
    """Tasks whose loss falls more slowly count more (Liu, Johns & Davison 2019, CVPR, eq. 7).

    ``weight_k = n softmax_k(r_k / temperature)`` over the n present tasks, with ``r_k`` the last loss divided by the
    one before. A task's rate is that of its own last two steps; until it has them it counts as standing still (1).

    ``temperature``: the larger, the more equal the weights; 2 in the paper.

    The paper's losses are means over an epoch of many steps. Here an epoch is one full-batch step, the losses of two
    of them differ little, and the weights stay close to 1.
    """

    temperature: float
    remembers = {"last": 0.0, "before": 0.0}  # 0 where there is none yet

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        last, before = self.memory["last"], self.memory["before"]
        rate = torch.where(before > 0, last / before, 1.0)
        self.remember("before", last, present)
        self.remember("last", losses, present)
        return present.sum(1, keepdim=True) * present_softmax(rate / self.temperature, present)
