"""The methods that TorchJD has as a deterministic function of the Gramian; the only module that imports it.

TorchJD (Quinton & Rey 2024, "Jacobian Descent for Multi-Objective Optimization") knows no absent tasks: every replica
hands over the Gramian of the tasks that speak, scaled to a mean diagonal of 1, because some of its tolerances are
absolute. Its methods return means; the weights are multiplied by the number of tasks that speak.
"""

from __future__ import annotations

import torch

from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.options import choice
from mtlbio.training.balancing.registry import balancer
from mtlbio.training.balancing.step import Step


class TorchJD(GramianBalancer):
    """One of TorchJD's weightings (m, m) -> (m,), replica after replica, on the processor.

    The matrix keeps its precision: the methods tell rank from rounding by it.
    """

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        found = torch.ones(speaking.shape, dtype=gramian.dtype)
        for matrix, here, row in zip(gramian.cpu(), speaking.cpu(), found, strict=True):
            count = int(here.sum())
            if count > 1:
                row[here] = self.weighting(matrix[here][:, here]) * count
        return found.to(gramian.device)


@balancer("aligned_mtl")
class AlignedMTL(TorchJD):
    """Makes the gradients orthogonal and equally long before summing (Senushkin et al. 2023, CVPR, algorithm 1).

    Parameters
    ----------
    scale_mode : common length, as an eigenvalue of the Gramian: ``min`` (the paper), ``median`` or ``rmse`` (mean)

    Notes
    -----
    Times the number of tasks. With ``min`` two nearly parallel gradients shrink the step of all tasks.
    """

    def __init__(self, tasks, replicas, device="cpu", *, scale_mode: str = "min"):
        from torchjd.aggregation import AlignedMTLWeighting

        super().__init__(tasks, replicas, device)
        scale_mode = choice("aligned_mtl", "scale_mode", scale_mode, ("min", "median", "rmse"))
        self.weighting = AlignedMTLWeighting(scale_mode=scale_mode)


@balancer("imtl_g")
class ImpartialGradients(TorchJD):
    """Equal projections of the step on the direction of every gradient (Liu et al. 2021, ICLR).

    Notes
    -----
    Times the number of tasks. Uses the pseudoinverse where gradients depend on each other, as TorchJD does. Weights
    may be negative, and large where the scaled solution sums to nearly zero.
    """

    def __init__(self, tasks, replicas, device="cpu"):
        from torchjd.aggregation import IMTLGWeighting

        super().__init__(tasks, replicas, device)
        self.weighting = IMTLGWeighting()


@balancer("upgrad")
class UPGrad(TorchJD):
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
