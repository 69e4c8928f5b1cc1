"""UPGrad, whose projections are TorchJD's; the only method that calls it.

TorchJD (Quinton & Rey 2024, "Jacobian Descent for Multi-Objective Optimization") knows no absent tasks: every replica
hands over the Gramian of the tasks that speak, scaled to a mean diagonal of 1, because some of its tolerances are
absolute.
"""

from __future__ import annotations

import torch

from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.registry import balancer
from mtlbio.training.balancing.step import Step


@balancer("upgrad")
class UPGrad(GramianBalancer):
    """Projects every gradient onto the cone of steps that harm no task, and sums (Quinton & Rey 2024, arXiv
    2406.16232, eq. 3).

    Notes
    -----
    Times the number of tasks. The quadratic programmes are solved by scipy
    (:class:`mtlbio.training.balancing.dual_cone.LeastSquaresProjector`) instead of quadprog.
    """

    def __init__(self, tasks, replicas, device="cpu"):
        from torchjd.aggregation import UPGradWeighting

        from mtlbio.training.balancing.dual_cone import LeastSquaresProjector

        super().__init__(tasks, replicas, device)
        self.weighting = UPGradWeighting(projector=LeastSquaresProjector())

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        found = torch.ones(speaking.shape, dtype=gramian.dtype)
        for matrix, here, row in zip(gramian.cpu(), speaking.cpu(), found, strict=True):
            count = int(here.sum())
            if count > 1:
                row[here] = self.weighting(matrix[here][:, here]) * count
        return found.to(gramian.device)
