"""Multi-gate mixture of experts (Ma et al. 2018, KDD, 1930-1939)."""

import math

import torch

from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme

EXPERTS = 3
# The gates' starting offsets. Experts that all weigh the same take the same steps, and stay one expert for ever.
SPREAD = 0.5


@scheme("mmoe")
class Mmoe(Sharing):
    """``value_c(x) = sum_e softmax_e(x @ gate_t + offset_t) (x @ W_e @ head_c) sqrt(E)`` for the task t of column c.

    Experts W_e (r, b) are shared; each task has a gate (r, E). The root makes up for the weights of about 1 / E, so
    that one step from the start is that of hard sharing (up to the spread of the gates' random offsets).

    Deviations from the paper: experts and heads are linear, only the gates are not; 3 experts instead of 8, because
    donors are few; gates start at random offsets but without a slope, so that no donor is set apart by chance.
    """

    shared = ("experts",)
    along_inputs = ("gates",)
    squash = "softmax"

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """Experts (r, E, b) and gates (r, E, t) of zeros, offsets (E, t) at random."""
        firsts = [place.start for place in self.outputs.columns]
        return {
            "experts": torch.zeros(n_inputs, EXPERTS, self.width),
            "heads": self.starting_heads(generator),
            "gates": torch.zeros(n_inputs, EXPERTS, len(firsts)),
            "offsets": SPREAD * self.draws(EXPERTS, generator)[:, firsts],
        }

    def maps(self, parameters: Parameters) -> Maps:
        """A map per expert and column."""
        linear = math.sqrt(EXPERTS) * parameters["experts"] @ parameters["heads"]
        return Maps(linear, self.per_column(parameters["gates"]), self.per_column(parameters["offsets"]))
