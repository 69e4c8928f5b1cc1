"""Making a balancer by name: every wrong name or option is one clear line."""

import inspect
import subprocess
import sys

import pytest
from steps import answers, course

from mtlbio.choices.balancers import BALANCERS, options_of
from mtlbio.errors import InputError
from mtlbio.training.balancing.base import balancer
from mtlbio.training.balancing.gramian import GramianBalancer
from mtlbio.training.balancing.registry import make_balancer, registered

TASKS = ("disease", "age")


def test_every_name_has_a_class_and_every_class_a_name():
    assert tuple(registered()) == tuple(BALANCERS)
    assert all(made.name == name for name, made in registered().items())
    assert all(10 < len(facts.line) < 120 for facts in BALANCERS.values())
    with pytest.raises(KeyError, match="no entry in"):
        balancer("unheard_of")


@pytest.mark.parametrize("name", BALANCERS)
def test_every_class_agrees_with_its_facts(name):
    facts, made = BALANCERS[name], registered()[name]
    assert inspect.get_annotations(made).keys() == facts.options.keys()
    assert not any(hasattr(made, option) for option in facts.options)  # the default stands in the facts only
    assert (facts.scope == "gradient") == issubclass(made, GramianBalancer)
    made_so = make_balancer(name, TASKS, 1)
    assert {option: getattr(made_so, option) for option in facts.options} == options_of(name)


def test_the_names_need_neither_torch_nor_a_solver():
    code = (
        "import sys; import mtlbio.choices.multitask; heavy = {'torch', 'torchjd', 'cvxpy', 'scipy'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "import mtlbio.training.balancing.registry as r; r.registered();"
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
        ("uncertainty", "learning_rate", 0, "a number above 0 and at most 10"),
        ("imtl_l", "learning_rate", "fast", "a number above 0 and at most 10"),
        ("dwa", "temperature", -1.0, "a number above 0 and at most 1000"),
        ("famo", "learning_rate", 0.0, "a number above 0 and at most 10"),
        ("famo", "weight_decay", -0.1, "a number at least 0 and at most 10"),
        ("gradnorm", "alpha", float("nan"), "a number at least 0 and at most 100"),
        ("gradnorm", "learning_rate", True, "a number above 0 and at most 10"),
        ("gradvac", "decay", 1.5, "a number above 0 and at most 1"),
        ("cvar", "quantile", 1.0, "a number above 0 and below 1"),
        ("cagrad", "c", 0, "a number above 0 and at most 100"),
        ("aligned_mtl", "scale_mode", "max", "min, median, rmse"),
    ],
)
def test_value_out_of_range(name, option, value, valid):
    with pytest.raises(InputError, match=f"balancing {name}: {option}: found .*; valid: {valid}$"):
        make_balancer(name, TASKS, 1, **{option: value})


@pytest.mark.parametrize("name, option", [(name, option) for name in BALANCERS for option in options_of(name)])
def test_every_option_can_be_given_and_has_values_that_are_refused(name, option):
    make_balancer(name, TASKS, 1, **options_of(name))
    for value in (None, "fast", True, float("nan")):
        with pytest.raises(InputError, match=f"balancing {name}: {option}: found .*; valid: "):
            make_balancer(name, TASKS, 1, **{option: value})


@pytest.mark.parametrize("name", BALANCERS)
def test_no_method_needs_a_solver_that_is_not_installed_with_the_package(name, monkeypatch):
    for solver in ("cvxpy", "clarabel", "ecos", "quadprog", "qpsolvers"):
        monkeypatch.setitem(sys.modules, solver, None)
    steps = course(steps=2).of_tasks([0, 1])
    assert answers(name, steps).isfinite().all()
