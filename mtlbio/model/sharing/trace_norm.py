"""Trace norm: the maps of all tasks have a low rank (Argyriou, Evgeniou & Pontil 2008, Machine Learning 73:243)."""

import torch

from mtlbio.model.sharing.free import Free
from mtlbio.model.sharing.scheme import scheme


@scheme("trace_norm")
class TraceNorm(Free):
    """``linear = W``, free per task; penalty ``|W|_*``, the sum of the singular values of W (r, columns) of the present
    tasks. Tasks share the directions that several of them need; how many these are is found, not given.

    The penalty's step is exact: every singular value becomes smaller by the step, those below it vanish (singular
    value thresholding; Ji & Ye 2009, ICML, 457-464). Nothing is smoothed and nothing is divided by zero, and the rank
    of the maps is a whole number.

    Deviations from the paper: it learns features and a squared (2, 1)-norm in turns, which is the squared trace norm;
    here it is the norm itself (another scale of the strength, the same path of solutions), and stopping early comes on
    top. Columns, not tasks, are the unit: a task of K classes has K of them.
    """

    def shrinkage(self, squares: torch.Tensor, step: float) -> torch.Tensor:
        """Soft thresholding of the singular values."""
        return (1 - step / squares.sqrt().clamp_min(1e-30)).clamp_min(0)
