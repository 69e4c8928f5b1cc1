"""Impartial gradients."""

import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.step import Step


@balancer("imtl_g")
class ImpartialGradients(GramianBalancer):
    """Equal projections of the step on the direction of every gradient (Liu et al. 2021, ICLR).

    Times the number of tasks. Uses the pseudoinverse where gradients depend on each other, as TorchJD does. Weights
    may be negative, and large where the scaled solution sums to nearly zero.
    """

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        # rows of tasks that do not speak are 0, and so they are in the pseudoinverse
        norms = gramian.diagonal(dim1=1, dim2=2).sqrt()
        solution = (torch.linalg.pinv(gramian, hermitian=True) @ norms[:, :, None])[:, :, 0]
        total = solution.sum(1, keepdim=True)
        clear = total.abs() >= 1e-12
        return torch.where(clear, solution / torch.where(clear, total, 1.0), 0.0) * speaking.sum(1, keepdim=True)
