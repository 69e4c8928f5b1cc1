"""Customised gate control, the layer of progressive layered extraction (Tang et al. 2020, RecSys, 269-278)."""

import math

import torch

from mtlbio.model.sharing.mmoe import SPREAD
from mtlbio.model.sharing.scheme import Maps, Parameters, Sharing, scheme

EXPERTS = 2  # shared by all tasks; each task has one more of its own


@scheme("ple")
class Ple(Sharing):
    """As :mod:`mmoe`, with experts W_e that all tasks share and one expert V_t that only task t trains and reads::

        value_c(x) = sum_e softmax_e(x @ gate_t + offset_t) (x @ U_e @ head_c) sqrt(3),  U = (W_1, W_2, V_t)

    Experts of its own let a task keep what the others would overwrite. One step from the start is that of hard
    sharing, up to the spread of the gates' random offsets.

    Deviations from the paper: one layer, not several, since linear layers on top of each other would be one; 2 shared
    experts and 1 per task, because donors are few; experts and heads are linear, only the gates are not.
    """

    shared = ("experts",)
    along_inputs = ("single", "gates")
    squash = "softmax"

    def start(self, n_inputs: int, generator: torch.Generator) -> Parameters:
        """Shared experts (r, E, b), those of the tasks (r, t, b), gates (r, E + 1, t), offsets (E + 1, t)."""
        firsts = [place.start for place in self.outputs.columns]
        return {
            "experts": torch.zeros(n_inputs, EXPERTS, self.width),
            "single": torch.zeros(n_inputs, len(firsts), self.width),
            "heads": self.starting_heads(generator),
            "gates": torch.zeros(n_inputs, EXPERTS + 1, len(firsts)),
            "offsets": SPREAD * self.draws(EXPERTS + 1, generator)[:, firsts],
        }

    def maps(self, parameters: Parameters) -> Maps:
        """A map per expert and column."""
        alone = self.heads_on(parameters["single"], parameters["heads"])[:, None]
        linear = math.sqrt(EXPERTS + 1) * torch.cat([parameters["experts"] @ parameters["heads"], alone], dim=1)
        return Maps(linear, self.per_column(parameters["gates"]), self.per_column(parameters["offsets"]))
