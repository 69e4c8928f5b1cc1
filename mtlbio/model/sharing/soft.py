"""Soft sharing: a trunk per task, kept close to the others' (Duong et al. 2015, ACL, short papers, 845-850)."""

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme


@scheme("soft")
class Soft(Sharing):
    """``linear_c = W_t @ head_c`` for the task t of column c; penalty ``sum_{t<u} |W_t - W_u|^2`` of those present.

    Strength 0 trains the tasks apart; a strength without bound leaves one trunk, which then moves by the *mean* of the
    tasks' gradients where that of hard sharing moves by their sum. One step from the start is that of hard sharing.

    No gradient of one task reaches another's parameters, so there is nothing for balancers that compare or project
    gradients: choosing one is an error. Balancers of losses set the pace of each task against the penalty.

    Deviations from the paper: two parsers there, any number of tasks here; all of a trunk is tied, heads are not; the
    penalty is an implicit step after the gradient's.
    """

    along_inputs = ("trunks",)

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """Trunks (r, t, b) of zeros."""
        trunks = torch.zeros(n_inputs, len(self.outputs.tasks), self.width)
        return {"trunks": trunks, "heads": self.starting_heads(generator)}

    def maps(self, parameters: Parameters) -> Maps:
        """One map per column."""
        return Maps(self.heads_on(parameters["trunks"], parameters["heads"])[:, None])

    def shrink(self, parameters: Parameters, step: float, present: torch.Tensor) -> Parameters:
        """All distances to the mean become smaller by one factor: the pairs' sum is ``n * sum |W_t - mean|^2``."""
        trunks, here = parameters["trunks"], present[:, None]
        n = present.sum().to(trunks)
        mean = torch.where(here, trunks, 0.0).sum(1, keepdim=True) / n.clamp_min(1)
        return {"trunks": torch.where(here, mean + (trunks - mean) / (1 + 2 * step * n), trunks)}
