"""Loss of every task over the labelled residues of a batch, in units in which knowing nothing costs 1.

A residue without a label never reaches autograd: it is taken out before the loss, not multiplied by zero, so that a
missing value cannot leave a NaN in a gradient.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from mtlbio.sequence.chains import Chains, ResidueTask
from mtlbio.sequence.letters import MISSING_STATE, Q3_OF_Q8
from mtlbio.training.chains.batches import NO_STATE, Batch

_GROUPS = torch.tensor(Q3_OF_Q8)


def loss_sum(task: ResidueTask, raw: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Summed loss of the labelled residues, and how many there are.

    A residue of which only Q3 is known asks for any of that state's eight-state classes: minus the logarithm of their
    summed probability. So chains with Q3 and chains with Q8 train one head.

    Parameters
    ----------
    raw : (b, length, outputs)
    """
    label = batch.labels[task.name]
    if task.kind == "secondary_structure":
        three = batch.q3[task.name]
        known = three != NO_STATE
        raw, label, three = raw[known].float(), label[known], three[known]
        states = torch.arange(raw.shape[1], device=raw.device)
        exact = (label != NO_STATE)[:, None]
        allowed = torch.where(exact, states == label[:, None], _GROUPS.to(raw.device) == three[:, None])
        chosen = functional.log_softmax(raw, dim=1).masked_fill(~allowed, -torch.inf)
        return -torch.logsumexp(chosen, dim=1).sum(), known.sum()
    known = ~torch.isnan(label)
    raw, label = raw[known][:, 0].float(), label[known]
    if task.kind == "binary":
        return functional.binary_cross_entropy_with_logits(raw, label, reduction="sum"), known.sum()
    if task.kind == "accessibility":
        raw = torch.sigmoid(raw)
    return functional.mse_loss(raw, label, reduction="sum"), known.sum()


def null_loss(chains: Chains, task: ResidueTask, rows: np.ndarray) -> float:
    """Mean loss of the best constant answer over the residues ``rows`` (bool): entropy or variance of the labels."""
    if task.kind == "secondary_structure":
        eight, three = chains.labels[task.name][rows], chains.q3[task.name][rows]
        exact = eight[eight != MISSING_STATE]
        share8 = np.bincount(exact, minlength=8) / max(len(exact), 1)
        rest = three[(three != MISSING_STATE) & (eight == MISSING_STATE)]
        share3 = np.bincount(rest, minlength=3) / max(len(rest), 1)
        cost = _entropy(share8) * len(exact) + _entropy(share3) * len(rest)
        return max(cost / max(len(exact) + len(rest), 1), 1e-3)
    values = chains.labels[task.name][rows]
    values = values[~np.isnan(values)].astype(float)
    if task.kind == "binary":
        return max(_entropy(np.array([values.mean(), 1 - values.mean()])), 1e-3)
    return 1.0 if task.kind == "regression" else max(float(values.var()), 1e-4)


def _entropy(share: np.ndarray) -> float:
    positive = share[share > 0]
    return float(-(positive * np.log(positive)).sum())
