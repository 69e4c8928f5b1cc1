"""Do the tasks pull the trunk in the same direction? Cosines of their gradients at every step, and what they are worth.

- *cosine*: of two tasks' gradients on the shared parameters (Yu et al. 2020, NeurIPS, call a negative one a conflict);
- *angle*: the smallest principal angle (Bjorck & Golub 1973) between what the two tasks ask of the inputs, the spans of
  their gradients on the maps, whatever sign and direction the heads give it. Two tasks at 90 degrees read different
  genes: they neither help nor disturb each other;
- *overlap*: share of the donors labelled for the rarer of the two tasks that carry the other label too. Below about
  30 % the two gradients are averages over different people, and their cosine is noise: it is marked as such.

A conflict is a description, not a verdict: whether sharing helped is measured on held-out donors
(:mod:`mtlbio.evaluation.transfer`).
"""

from itertools import combinations

import numpy as np
import pandas as pd
import torch

from mtlbio.tables import CONFLICT
from mtlbio.training.task_weights import Gradients

OVERLAP = 0.3  # share of labelled donors in common from which a cosine says something


def conflict_table(gradients: Gradients | None, tasks: list[str], labelled: np.ndarray, every: int = 5) -> pd.DataFrame:
    """``conflict.tsv``: one row per recorded epoch (one in ``every``) and pair of tasks of the multi-task arm.

    ``gradients`` are those of the block on all genes; None (nothing shared, one task) gives an empty table. Columns
    ``mtlbio.tables.CONFLICT`` are, with ``labelled`` (donors, tasks) bool: ``networks`` folds x seeds in which both
    tasks were still trained; ``cosine`` their median with the 5 and 95 % points; ``conflicting`` share of *all steps
    since the last row* with a negative cosine; ``angle`` degrees; ``norm_a``, ``norm_b`` median gradient norms.
    """
    rows = []
    if gradients is None:
        return pd.DataFrame(columns=CONFLICT)
    shared = gradients.shared[:, :, 0].flatten(1, 2)  # (epochs, networks, t, t): the first arm has all tasks
    maps = gradients.maps[:, :, 0].flatten(1, 2)
    norms = shared.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt()
    owner = gradients.task_of_map
    for a, b in combinations(range(len(tasks)), 2):
        both = (norms[..., a] > 0) & (norms[..., b] > 0)
        cosine = shared[..., a, b] / (norms[..., a] * norms[..., b]).clamp_min(1e-30)
        for epoch in range(0, len(shared), every):
            here = both[epoch]
            if not here.any():
                continue
            since = slice(max(epoch - every + 1, 0), epoch + 1)
            angles = principal_angle(maps[epoch][here], owner == a, owner == b)
            conflicting = (cosine[since][both[since]] < 0).float().mean().item()
            sizes = (norms[epoch, here, a].median(), norms[epoch, here, b].median())
            facts = (cosine[epoch][here].cpu().numpy(), conflicting, float(angles.median()), sizes)
            rows.append(conflict_row(epoch, (tasks[a], tasks[b]), *facts, (labelled[:, a], labelled[:, b])))
    return pd.DataFrame(rows, columns=CONFLICT)


def conflict_row(
    epoch: int, tasks: tuple, cosines: np.ndarray, conflicting: float, angle: float, norms: tuple, labelled: tuple
) -> tuple:
    """A row of ``conflict.tsv``, of cosines (networks,) and, for each of two tasks, a norm and (donors,) who is
    labelled."""
    low, middle, high = np.quantile(cosines, [0.05, 0.5, 0.95])
    counts = [int(of_task.sum()) for of_task in labelled]
    overlap = (labelled[0] & labelled[1]).sum() / max(min(counts), 1)
    described = (epoch, *tasks, len(cosines), middle, low, high, conflicting, angle, *map(float, norms))
    return (*described, *counts, overlap, bool(overlap >= OVERLAP))


def principal_angle(inner: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """(q,) smallest principal angle, 0 to 90 degrees, between the spans of the columns ``first`` and ``second`` (m,)
    bool, from the inner products (q, m, m) of all of them."""
    inner = inner.double()
    a, b = _whitening(inner[:, first][:, :, first]), _whitening(inner[:, second][:, :, second])
    cosines = torch.linalg.svdvals(a @ inner[:, first][:, :, second] @ b)
    return torch.rad2deg(torch.arccos(cosines[:, 0].clamp(0, 1)))


def _whitening(gram: torch.Tensor) -> torch.Tensor:
    """Inverse square root; directions of no length are left out."""
    values, vectors = torch.linalg.eigh(gram)
    spanned = values > 1e-10 * values[:, -1:].clamp_min(1e-300)
    scale = torch.where(spanned, values.clamp_min(1e-300).rsqrt(), 0.0)
    return (vectors * scale[:, None]) @ vectors.mT
