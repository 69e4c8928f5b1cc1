"""Equal weights."""

import torch

from mtlbio.training.balancing.base import Balancer, balancer
from mtlbio.training.balancing.step import Step


@balancer("equal")
class Equal(Balancer):
    """The plain sum of the losses of the present tasks.

    With standardised targets no balancer differs from it reliably (Kurin et al. 2022, "In Defense of the Unitary
    Scalarization for Deep Multi-Task Learning", NeurIPS; Xin et al. 2022, "Do Current Multi-Task Optimization Methods
    in Deep Learning Even Help?", NeurIPS).
    """

    def compute(self, losses: torch.Tensor, present: torch.Tensor, step: Step) -> torch.Tensor:
        return torch.ones_like(losses)
