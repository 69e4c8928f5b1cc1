"""Learned task relations (multi-task relationship learning; Zhang & Yeung 2010, UAI, 733-742)."""

import torch

from mtlbio.model.sharing.free import Free
from mtlbio.model.sharing.scheme import scheme


@scheme("task_relation")
class TaskRelation(Free):
    """``linear = W``, free per task; penalty ``tr(W Omega^-1 W')`` over W and Omega, of trace 1, the covariance of the
    tasks' maps. Tasks that turn out to be related support each other, also where the relation is negative.

    The best Omega for a W is known, ``(W'W)^(1/2) / tr`` (:func:`relation` reads it from trained maps), and with it the
    penalty is the squared sum of the singular values of W. Its step is exact: all singular values become smaller by
    one amount, ``2 step`` times the sum of what is left of them. So the solutions are those of :mod:`trace_norm` with a
    threshold that grows with the maps, and one that a single weak task passes.

    Deviations from the paper: no second penalty ``tr(WW')``, for which stopping early stands; W and Omega take their
    step together, not in turns; columns, not tasks, are the unit, so classes of one task have relations as well.
    """

    def shrinkage(self, squares: torch.Tensor, step: float) -> torch.Tensor:
        """Soft thresholding of the singular values, by a threshold in proportion to the sum of the results."""
        values = squares.sqrt()
        largest = values.sort(descending=True).values.cumsum(0)
        # with k directions left their sum is S = (s_1 + ... + s_k) / (1 + 2 step k), and the right k has the largest
        left = (largest / (1 + 2 * step * torch.arange(1, len(values) + 1, device=values.device))).max()
        return (1 - 2 * step * left / values.clamp_min(1e-30)).clamp_min(0)


def relation(maps: torch.Tensor) -> torch.Tensor:
    """Omega (..., c, c) of maps (..., r, c), such as those of a trained stack: ``(W'W)^(1/2)`` of trace 1.

    Its diagonal says how much of the maps belongs to each column, ``Omega_cd / sqrt(Omega_cc Omega_dd)`` is a
    correlation. Maps of zeros have a relation of zeros.
    """
    squares, vectors = torch.linalg.eigh((maps.mT @ maps).double())
    root = (vectors * squares.clamp_min(0).sqrt().unsqueeze(-2)) @ vectors.mT
    trace = root.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]
    return (root / trace.clamp_min(1e-30)).to(maps.dtype)
