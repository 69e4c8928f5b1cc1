"""The balancers by name, with what a check of the run has to know of them.

``mtlbio/training/balancing/<name>.py`` holds the method, which takes its scope and the defaults and bounds of its
options from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mtlbio.choices.options import Choice, Number
from mtlbio.errors import InputError, listing


@dataclass(frozen=True)
class BalancerFacts:
    """What is known of a balancer without making one."""

    line: str  # what it does, for the user
    options: Mapping[str, Number | Choice] = field(default_factory=dict)  # by name
    # a weight multiplies the task's whole loss, trunk and head, or only its gradient on the shared parameters
    scope: Literal["loss", "gradient"] = "loss"
    reads_gramian: bool = False  # whether it compares the tasks' gradients on the shared parameters


def _of_gradients(line: str, **options: Number | Choice) -> BalancerFacts:
    return BalancerFacts(line, options, scope="gradient", reads_gramian=True)


BALANCERS: dict[str, BalancerFacts] = {
    "equal": BalancerFacts("every task counts the same; the default, and usually as good as any other"),
    "uncertainty": BalancerFacts(
        "learned log-variances: weight ~ 1 / variance of the task (Kendall et al. 2018, CVPR)",
        {"learning_rate": Number(0.05, above=0, at_most=10)},
    ),
    "dwa": BalancerFacts(
        "tasks whose loss falls more slowly than the others' count more (Liu et al. 2019, CVPR)",
        {"temperature": Number(2.0, above=0, at_most=1000)},
    ),
    "rlw": BalancerFacts("random weights at every step: a litmus test for the others (Lin et al. 2022, TMLR)"),
    "gls": BalancerFacts("descends the geometric mean of the losses (Chennupati et al. 2019, CVPRW)"),
    "famo": BalancerFacts(
        "keeps the relative fall of all losses equal, from losses only (Liu et al. 2023, NeurIPS)",
        {"learning_rate": Number(0.025, above=0, at_most=10), "weight_decay": Number(1e-3, at_least=0, at_most=10)},
    ),
    "imtl_l": BalancerFacts(
        "learned scales that bring all losses to one size (Liu et al. 2021, ICLR)",
        {"learning_rate": Number(0.05, above=0, at_most=10)},
    ),
    "gradnorm": BalancerFacts(
        "gradient norms follow the relative training rates (Chen et al. 2018, ICML)",
        {"alpha": Number(1.5, at_least=0, at_most=100), "learning_rate": Number(0.025, above=0, at_most=10)},
        reads_gramian=True,
    ),
    "pcgrad": _of_gradients("projects away what one task's gradient takes from another (Yu et al. 2020, NeurIPS)"),
    "mgda": _of_gradients("the common descent direction of least norm (Desideri 2012; Sener & Koltun 2018, NeurIPS)"),
    "cagrad": _of_gradients(
        "the best worst-case descent near the mean gradient (Liu et al. 2021, NeurIPS)",
        c=Number(0.5, above=0, at_most=100),
    ),
    "gradvac": _of_gradients(
        "raises the cosine of two tasks to its running mean (Wang et al. 2021, ICLR)",
        decay=Number(0.01, above=0, at_most=1),
    ),
    "aligned_mtl": _of_gradients(
        "turns the gradients into orthogonal ones of equal length (Senushkin et al. 2023, CVPR)",
        scale_mode=Choice("min", ("min", "median", "rmse")),
    ),
    "imtl_g": _of_gradients("equal projections of the step on every task's gradient direction (Liu et al. 2021, ICLR)"),
    "nash_mtl": _of_gradients("the Nash bargaining solution between the tasks (Navon et al. 2022, ICML)"),
    "upgrad": _of_gradients("mean of the gradients, each projected to harm no task (Quinton & Rey 2024)"),
    "cvar": BalancerFacts(
        "only the tasks that are worst off count (Rockafellar & Uryasev 2000, Journal of Risk)",
        {"quantile": Number(0.5, above=0, below=1)},
    ),
}

if TYPE_CHECKING:  # the names are known when the module is read
    BalancerName = str
else:
    BalancerName = Literal[tuple(BALANCERS)]


def options_of(name: str) -> dict[str, float | str]:
    """Options of a balancer with their defaults; an InputError where there is no balancer of this name."""
    if name not in BALANCERS:
        raise InputError(f"balancing: no method '{name}'; valid: {listing(BALANCERS, limit=len(BALANCERS))}")
    return {option: facts.default for option, facts in BALANCERS[name].options.items()}


def checked_options(name: str, options: Mapping[str, float | str]) -> dict[str, float | str]:
    """All options of a balancer, with the defaults of those that are left out.

    An InputError where the balancer or an option is unknown, or a value is out of range.
    """
    defaults = options_of(name)
    for option in options:
        if option not in defaults:
            raise InputError(f"balancing {name}: no option '{option}'; valid: {listing(defaults)}")
    values, facts = defaults | dict(options), BALANCERS[name].options
    return {option: facts[option].check(f"balancing {name}: {option}", value) for option, value in values.items()}
