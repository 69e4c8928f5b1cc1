"""Making a balancer by name: every wrong name or option is one clear line."""

import subprocess
import sys

import pytest
from steps import answers, course

from mtlbio.errors import InputError
from mtlbio.training.balancing.names import BALANCERS, METHODS
from mtlbio.training.balancing.registry import balancer, make_balancer, options_of, registered

TASKS = ("disease", "age")


def test_every_name_has_a_class_and_every_class_a_name():
    assert tuple(registered()) == BALANCERS
    assert all(made.name == name for name, made in registered().items())
    assert all(10 < len(line) < 120 for line in METHODS.values())
    with pytest.raises(KeyError, match="no line in"):
        balancer("unheard_of")


def test_the_names_need_neither_torch_nor_a_solver():
    code = (
        "import sys; import mtlbio.training.balancing.registry as r; heavy = {'torch', 'torchjd', 'cvxpy', 'scipy'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules); r.registered();"
        "assert not {'torchjd', 'cvxpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_unknown_method():
    with pytest.raises(InputError, match="balancing: no method 'pc_grad'; valid: equal, uncertainty, .*, cvar"):
        make_balancer("pc_grad", TASKS, 1)


@pytest.mark.parametrize("name", BALANCERS)
def test_unknown_option(name):
    valid = ", ".join(options_of(name)) or r"\(none\)"
    with pytest.raises(InputError, match=f"balancing {name}: no option 'momentum'; valid: {valid}"):
        make_balancer(name, TASKS, 1, momentum=0.9)


@pytest.mark.parametrize(
    "name, option, value, valid",
    [
        ("uncertainty", "learning_rate", 0, "a number above 0"),
        ("imtl_l", "learning_rate", "fast", "a number above 0"),
        ("dwa", "temperature", -1.0, "a number above 0"),
        ("famo", "learning_rate", 0.0, "a number above 0"),
        ("famo", "weight_decay", -0.1, "a number at least 0"),
        ("gradnorm", "alpha", float("nan"), "a number at least 0"),
        ("gradnorm", "learning_rate", True, "a number above 0"),
        ("gradvac", "decay", 1.5, "a number above 0 and at most 1"),
        ("cvar", "quantile", 1.0, "a number above 0 and below 1"),
        ("cagrad", "c", 0, "a number above 0"),
        ("aligned_mtl", "scale_mode", "max", "min, median, rmse"),
    ],
)
def test_value_out_of_range(name, option, value, valid):
    with pytest.raises(InputError, match=f"balancing {name}: {option}: found .*; valid: {valid}$"):
        make_balancer(name, TASKS, 1, **{option: value})


def test_every_option_is_among_those_checked_and_can_be_given():
    for name in BALANCERS:
        make_balancer(name, TASKS, 1, **options_of(name))
    assert {option for name in BALANCERS for option in options_of(name)} == {
        "learning_rate", "temperature", "weight_decay", "alpha", "decay", "quantile", "c", "scale_mode",
    }  # fmt: skip


@pytest.mark.parametrize("name", BALANCERS)
def test_no_method_needs_a_solver_that_is_not_installed_with_the_package(name, monkeypatch):
    for solver in ("cvxpy", "clarabel", "ecos", "quadprog", "qpsolvers"):
        monkeypatch.setitem(sys.modules, solver, None)
    steps = course(steps=2).of_tasks([0, 1])
    assert answers(name, steps).isfinite().all()
