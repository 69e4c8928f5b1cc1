"""Projecting conflicting gradients."""

import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.step import Step
from mtlbio.training.balancing.surgery import operate


@balancer("pcgrad")
class PCGrad(GramianBalancer):
    """Projects away what one task's gradient takes from another (Yu et al. 2020, NeurIPS, algorithm 1).

    Where the gradient of task i has a negative inner product with that of j, its component along j is taken out;
    the others are visited in random order and the projected gradients are summed.

    Differs from TorchJD's ``PCGrad``: the order comes from the replica's own seed, not from the global generator, and
    is drawn once for all tasks of a replica (:func:`mtlbio.training.balancing.surgery.operate`).
    """

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        def correct(j, pairs, inner, square, square_j):
            return (-inner / torch.where(square_j > 0, square_j, 1.0)).clamp_min(0)

        return operate(gramian.double(), speaking, step.draws(self.tasks).argsort(1), correct)
