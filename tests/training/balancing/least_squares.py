"""A slow projector for TorchJD's UPGrad, whose own one needs GPL solvers."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import nnls
from torchjd.linalg import DualConeProjector


class LeastSquaresProjector(DualConeProjector):
    """``min v' G v, v >= u`` as nonnegative least squares (Lawson & Hanson 1974, chapter 23): with ``G = L L'`` and
    ``v = u + x`` it is ``min |L' x + L' u|^2, x >= 0``. As in TorchJD, G is divided by its trace and has a ridge."""

    def __call__(self, U: torch.Tensor, G: torch.Tensor) -> torch.Tensor:
        """(..., m) projections of ``U`` (..., m), for the Gramian ``G`` (m, m)."""
        gramian = G.double().numpy()
        root = np.linalg.cholesky(gramian / np.trace(gramian) + 1e-4 * np.eye(len(gramian))).T
        found = np.apply_along_axis(lambda u: u + nnls(root, -root @ u)[0], -1, U.double().numpy())
        return torch.as_tensor(found, dtype=G.dtype)
