"""Per-sample losses of every kind of task, on packed outputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from mtlbio.model.outputs import Outputs

LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {}


def _for(kind: str):
    def register(function):
        LOSSES[kind] = function
        return function

    return register


@_for("binary")
def binary_loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of logits (..., n, 1) against 0/1 targets (n,)."""
    return F.binary_cross_entropy_with_logits(outputs[..., 0], target.expand(outputs.shape[:-1]), reduction="none")


@_for("regression")
def regression_loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Half the squared error of standardised values; .5 for the mean, near the .69 of an uninformed class head."""
    return 0.5 * (outputs[..., 0] - target) ** 2


@_for("ordinal")
def ordinal_loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the logits of ``level > k`` (..., n, K - 1)."""
    levels = torch.arange(outputs.shape[-1], device=outputs.device)
    above = (target[:, None] > levels).to(outputs.dtype)
    return F.binary_cross_entropy_with_logits(outputs, above.expand(outputs.shape), reduction="none").mean(-1)


@_for("multiclass")
def multiclass_loss(outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of logits (..., n, K) against class codes (n,)."""
    log_probability = outputs.log_softmax(-1)
    index = target.long().expand(outputs.shape[:-1])[..., None]
    return -log_probability.gather(-1, index)[..., 0]


def task_losses(outputs: torch.Tensor, targets: torch.Tensor, packing: Outputs) -> torch.Tensor:
    """Loss of every sample and task.

    Parameters
    ----------
    outputs : (..., n, packed outputs)
    targets : (n, tasks), with a harmless number where the label is missing: the caller's weights are zero there, so
        no gradient flows, and NaN never meets autograd
    packing : places of the tasks

    Returns
    -------
    (..., n, tasks)
    """
    parts = [
        LOSSES[task.kind](outputs[..., place], targets[:, t])
        for t, (task, place) in enumerate(zip(packing.tasks, packing.outputs, strict=True))
    ]
    return torch.stack(parts, dim=-1)
