"""Losses of all tasks side by side, on packed outputs; what a loss is, is known to the kind of label."""

import torch

from mtlbio.model.outputs import Outputs


def task_losses(outputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, packing: Outputs) -> torch.Tensor:
    """(..., n, tasks) loss of every sample and task, not yet weighted.

    Parameters
    ----------
    outputs : (..., n, packed outputs)
    targets : (n, tasks), with a harmless number where the label is missing: the caller's weights are zero there, so
        no gradient flows, and NaN never meets autograd
    weights : (..., n, tasks) of the samples, for losses that depend on who else takes part
    """
    tasks = enumerate(zip(packing.tasks, packing.outputs, strict=True))
    losses = [task.loss(outputs[..., place], targets[:, t], weights[..., t]) for t, (task, place) in tasks]
    return torch.stack(losses, dim=-1)
