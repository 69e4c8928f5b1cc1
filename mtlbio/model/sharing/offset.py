"""A common trunk and an offset per task (regularised multi-task learning; Evgeniou & Pontil 2004, KDD, 109-117)."""

import math

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme


@scheme("offset")
class Offset(Sharing):
    """``linear_c = (W + b_t) / sqrt(2) @ head_c`` for the task t of column c; penalty ``sum_t |b_t|^2``.

    A strength without bound is hard sharing at half its learning rate; at strength 0 the tasks still meet in W. The
    root is there because trunk and offset take the same first step, which together is that of hard sharing.

    Deviations from the paper: the sum is that of trunks, not of the maps themselves, because tasks of different kinds
    (a logit, a standardised age) have no map in common; the common part is held small by stopping early instead of a
    penalty of its own; squared loss or cross-entropy instead of the hinge.
    """

    shared = ("trunk",)
    along_inputs = ("offsets",)

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """A trunk (r, b) and offsets (r, t, b) of zeros."""
        offsets = torch.zeros(n_inputs, len(self.outputs.tasks), self.width)
        return {
            "trunk": offsets.new_zeros(n_inputs, self.width),
            "offsets": offsets,
            "heads": self.starting_heads(generator),
        }

    def maps(self, parameters: Parameters) -> Maps:
        """One map per column."""
        trunks = (parameters["trunk"][:, None] + parameters["offsets"]) / math.sqrt(2)
        return Maps(self.heads_on(trunks, parameters["heads"])[:, None])

    def shrink(self, parameters: Parameters, step: float, present: torch.Tensor) -> Parameters:
        """Offsets become smaller by one factor."""
        return {"offsets": torch.where(present[:, None], parameters["offsets"] / (1 + 2 * step), parameters["offsets"])}
