"""Which axis of one model is which axis of another."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class Matching:
    """Partner of every reference axis.

    Attributes
    ----------
    transfer : (k, k_ref) maps latents of the other model onto the reference axes: a signed permutation, and a
        regression for a reference axis that found no partner
    correlation : (k_ref,) absolute correlation with the partner over the shared samples; 0 without one
    unmatched : axes of the other model that are nobody's partner
    """

    transfer: np.ndarray
    correlation: np.ndarray
    unmatched: np.ndarray

    @property
    def paired(self) -> np.ndarray:
        """(k_ref,) whether a reference axis has a partner."""
        return self.correlation > 0


def match_axes(reference: np.ndarray, other: np.ndarray, ridge: float = 0.01) -> Matching:
    """Assign the axes of ``other`` (n, k) to those of ``reference`` (n, k_ref), of the same samples, by absolute
    correlation (Hungarian method). ``ridge`` is the penalty, as a share of n, of the regression in place of a missing
    partner."""
    n, k_ref = reference.shape
    k = other.shape[1]
    ref = (reference - reference.mean(0)) / (reference.std(0) + 1e-12)
    oth = (other - other.mean(0)) / (other.std(0) + 1e-12)
    correlation = ref.T @ oth / n
    rows, columns = linear_sum_assignment(-np.abs(correlation))
    transfer = np.zeros((k, k_ref))
    matched = np.zeros(k_ref)
    transfer[columns, rows] = np.where(correlation[rows, columns] < 0, -1.0, 1.0)
    matched[rows] = np.abs(correlation[rows, columns])
    lonely = np.setdiff1d(np.arange(k_ref), rows)
    if len(lonely):
        gram = other.T @ other + ridge * n * np.eye(k)
        transfer[:, lonely] = np.linalg.solve(gram, other.T @ ref[:, lonely])
    return Matching(transfer, matched, np.setdiff1d(np.arange(k), columns))


def effective_rank(latents: np.ndarray) -> float:
    """Exponential of the entropy of the eigenvalues of the correlation matrix (Roy & Vetterli 2007).

    A stability near 1 with an effective rank near 1 is a collapsed encoder, not a stable one.
    """
    spread = latents.std(axis=0)
    varies = latents[:, spread > 1e-12]
    if varies.shape[1] == 0:
        return 0.0
    values = np.linalg.eigvalsh(np.atleast_2d(np.corrcoef(varies, rowvar=False)))
    share = np.clip(values, 1e-15, None) / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
