"""Independent component alignment."""

import torch

from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.step import Step


@balancer("aligned_mtl")
class AlignedMTL(GramianBalancer):
    """Makes the gradients orthogonal and equally long before summing (Senushkin et al. 2023, CVPR, algorithm 1).

    ``scale_mode``: common length, as an eigenvalue of the Gramian: ``min`` (the paper), ``median`` or ``rmse`` (mean).

    Times the number of tasks. With ``min`` two nearly parallel gradients shrink the step of all tasks. Directions
    whose eigenvalue is rounding are left out, as in TorchJD.
    """

    scale_mode: str

    def from_gramian(self, gramian: torch.Tensor, speaking: torch.Tensor, step: Step) -> torch.Tensor:
        # tasks that do not speak are eigenvectors of value 0: left out like rounding
        values, vectors = torch.linalg.eigh(gramian)
        count = speaking.sum(1, keepdim=True)
        above_rounding = values > values.amax(1, keepdim=True) * count * torch.finfo(values.dtype).eps
        used = values.masked_fill(~above_rounding, torch.nan)
        if self.scale_mode == "min":
            length = values.masked_fill(~above_rounding, torch.inf).amin(1, keepdim=True)
        elif self.scale_mode == "median":
            length = used.nanmedian(1, keepdim=True).values
        else:
            length = used.nanmean(1, keepdim=True)
        # the mean of the aligned gradients times their number is their sum
        shrunk = torch.where(above_rounding, (length / values).sqrt(), 0.0)
        along = (vectors.mT @ speaking.to(values.dtype)[:, :, None])[:, :, 0]
        return (vectors @ (shrunk * along)[:, :, None])[:, :, 0]
