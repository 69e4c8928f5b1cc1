"""Cross-stitch units: a trunk per task, mixed by a learned matrix (Misra et al. 2016, CVPR, 3994-4003)."""

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme


@scheme("cross_stitch")
class CrossStitch(Sharing):
    """``linear_c = (sum_u S_tu W_u) @ head_c`` for the task t of column c; S is learned, from the identity.

    The heads of all tasks start on the same dimensions, so the first thing that S learns is whether the tasks'
    gradients agree: ``S_tu`` grows with their product and may turn negative. Row t of S belongs to task t; the trunks
    are shared, as other tasks train W_u through S. A task without labels has a trunk that stays zero, and nothing
    that a row of S could read. One step from the start is that of hard sharing.

    Deviations from the paper: one unit and linear trunks; one number per pair of tasks, not per channel; S starts at
    the identity, not near it (the paper's .9 and .1), or tasks without labels would lend the others their capacity.
    """

    shared = ("trunks",)

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """Trunks (r, t, b) of zeros."""
        t = len(self.outputs.tasks)
        trunks = torch.zeros(n_inputs, t, self.width)
        return {"trunks": trunks, "stitch": torch.eye(t), "heads": self.starting_heads_of_task(generator)}

    def maps(self, parameters: Parameters) -> Maps:
        """One map per column."""
        mixed = torch.einsum("tu,rub->rtb", parameters["stitch"], parameters["trunks"])
        return Maps(self.heads_on(mixed, parameters["heads"])[:, None])
