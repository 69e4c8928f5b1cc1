"""Attention: one trunk, whose dimensions each task masks (the idea of MTAN; Liu, Johns & Davison 2019, CVPR)."""

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme


@scheme("attention")
class Attention(Sharing):
    """``value_c(x) = 2 (sigmoid(x @ gate_t + offset_t) * (x @ trunk)) @ head_c`` for the task t of column c.

    The trunk (r, b) is shared; each task has a mask of its b dimensions. Masks start at one half for every sample, and
    the 2 makes up for it: one step from the start is that of hard sharing.

    Deviations from the paper: that has convolutional masks of images in every layer; here it is one layer of vectors,
    and the mask reads the same inputs as the trunk.
    """

    shared = ("trunk",)
    along_inputs = ("gates",)
    squash = "sigmoid"

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """A trunk (r, b), gates (r, b, t) and offsets (b, t) of zeros."""
        t = len(self.outputs.tasks)
        return {
            "trunk": torch.zeros(n_inputs, self.width),
            "heads": self.starting_heads(generator),
            "gates": torch.zeros(n_inputs, self.width, t),
            "offsets": torch.zeros(self.width, t),
        }

    def maps(self, parameters: Parameters) -> Maps:
        """A map per dimension of the trunk and column."""
        linear = 2 * parameters["trunk"][:, :, None] * parameters["heads"]
        return Maps(linear, self.per_column(parameters["gates"]), self.per_column(parameters["offsets"]))
