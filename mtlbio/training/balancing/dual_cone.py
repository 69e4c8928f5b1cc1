"""Projection onto the dual cone of the gradients, for TorchJD's UPGrad."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import nnls
from torchjd.linalg import DualConeProjector


class LeastSquaresProjector(DualConeProjector):
    """Solves ``min v' G v, v >= u`` as nonnegative least squares (Lawson & Hanson 1974, chapter 23).

    With ``G = L L'`` and ``v = u + x`` it is ``min |L' x + L' u|^2, x >= 0``: an active-set method in scipy, exact
    up to rounding. TorchJD's own projector needs quadprog (GPL) and qpsolvers (LGPL). As there, G is divided by its
    trace and ``ridge`` is added to its diagonal.
    """

    def __init__(self, ridge: float = 1e-4):
        self.ridge = ridge

    def __call__(self, U: torch.Tensor, G: torch.Tensor) -> torch.Tensor:
        """(..., m) projections of ``U`` (..., m), for the Gramian ``G`` (m, m) of a trace that is not zero."""
        gramian = G.detach().cpu().double().numpy()
        values, vectors = np.linalg.eigh(gramian / np.trace(gramian))
        root = (vectors * np.sqrt(np.clip(values, 0, None) + self.ridge)).T  # root' root = G
        wanted = U.detach().cpu().double().numpy()
        found = np.apply_along_axis(lambda u: u + nnls(root, -root @ u)[0], -1, wanted)
        return torch.as_tensor(found, device=G.device, dtype=G.dtype)
