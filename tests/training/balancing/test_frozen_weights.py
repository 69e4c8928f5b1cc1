"""Frozen weights: a change of a method's numbers has to be meant."""

import pytest
import torch
from steps import Course, answers

from mtlbio.choices.balancers import BALANCERS

# gradients of three tasks: the second against the first, the third short and mostly across both
GRADIENTS = torch.tensor([[1.0, 0.0, 0.5], [-0.8, 0.9, 0.0], [0.1, 0.4, -0.3]], dtype=torch.float64)
LOSSES = torch.tensor(
    [[0.69, 0.50, 0.69], [0.60, 0.49, 0.66], [0.50, 0.47, 0.64], [0.42, 0.46, 0.63]], dtype=torch.float64
)

# the weights of the third step
FROZEN = {
    "equal": (1.000000, 1.000000, 1.000000),
    "uncertainty": (0.998011, 1.005486, 0.996503),
    "dwa": (0.967365, 1.022283, 1.010352),
    "rlw": (0.127937, 0.430386, 2.441677),
    "gls": (1.063602, 1.131492, 0.830939),
    "famo": (0.987557, 1.160852, 0.851590),
    "imtl_l": (0.996043, 1.010943, 0.993013),
    "gradnorm": (0.972112, 0.967439, 1.060449),
    "pcgrad": (1.680000, 1.551724, 1.000000),
    "mgda": (0.813046, 0.492214, 1.694740),
    "cagrad": (0.896324, 0.666667, 1.436199),
    "gradvac": (1.668963, 1.542893, 1.000000),
    "aligned_mtl": (0.534900, 0.429975, 0.697086),
    "imtl_g": (1.481628, 1.351566, 0.166806),
    "nash_mtl": (1.338559, 1.073236, 1.549972),
    "upgrad": (1.679839, 1.551612, 1.000000),
    "cvar": (0.000000, 2.202128, 0.797872),
}


def conflict() -> Course:
    """Three steps of one replica on the same gradients."""
    gramians = (GRADIENTS @ GRADIENTS.T).repeat(3, 1, 1, 1)
    present = torch.ones(3, 1, 3, dtype=torch.bool)
    return Course(("disease", "age", "sex"), LOSSES[:-1, None], LOSSES[1:, None], gramians, present, torch.tensor([7]))


@pytest.mark.parametrize("name", BALANCERS)
def test_weights_are_as_they_were(name):
    assert answers(name, conflict())[-1, 0].tolist() == pytest.approx(FROZEN[name], rel=0, abs=2e-5)
