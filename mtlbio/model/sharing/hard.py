"""Hard sharing: one trunk for all tasks (Caruana 1997, Machine Learning 28:41)."""

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme


@scheme("hard")
class Hard(Sharing):
    """``linear_c = trunk @ head_c``: tasks meet in the trunk (r, b), each has its head (b, columns)."""

    shared = ("trunk",)

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """A trunk of zeros: what is not learnt is not there, and stopping early is ridge regression."""
        return {"trunk": torch.zeros(n_inputs, self.width), "heads": self.starting_heads(generator)}

    def maps(self, parameters: Parameters) -> Maps:
        """One map per column."""
        return Maps((parameters["trunk"] @ parameters["heads"])[:, None])
