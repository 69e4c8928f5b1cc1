"""Balancers by name; importing this imports neither torch nor a solver."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from mtlbio.errors import InputError, listing
from mtlbio.training.balancing.names import BALANCERS, METHODS

if TYPE_CHECKING:
    from mtlbio.training.balancing.base import Balancer

_REGISTERED: dict[str, type[Balancer]] = {}
_Class = TypeVar("_Class", bound=type)


def balancer(name: str):
    """Class decorator: the class can be made by ``name``, which :data:`names.METHODS` describes in a line."""
    if name not in METHODS:
        raise KeyError(f"{name}: has no line in mtlbio/training/balancing/names.py")

    def register(made: _Class) -> _Class:
        made.name = name
        _REGISTERED[name] = made
        return made

    return register


def registered() -> dict[str, type[Balancer]]:
    """Class of every balancer by name; a new file of this folder is named in this import."""
    from mtlbio.training.balancing import (  # noqa: F401
        aligned_mtl,
        cagrad,
        cvar,
        dwa,
        equal,
        famo,
        gls,
        gradnorm,
        gradvac,
        imtl_g,
        imtl_l,
        mgda,
        nash_mtl,
        pcgrad,
        rlw,
        uncertainty,
        upgrad,
    )

    return {name: _REGISTERED[name] for name in BALANCERS}


def options_of(name: str) -> dict[str, Any]:
    """Options of a balancer with their defaults.

    Raises
    ------
    InputError
        if there is no balancer of this name
    """
    if name not in METHODS:
        raise InputError(f"balancing: no method '{name}'; valid: {listing(BALANCERS, limit=len(BALANCERS))}")
    parameters = inspect.signature(registered()[name].__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def make_balancer(name: str, tasks: tuple[str, ...], replicas: int, device="cpu", **options) -> Balancer:
    """Balancer of R replicas in its state before the first step.

    Parameters
    ----------
    name : one of :data:`names.BALANCERS`
    tasks : names, in the order of the columns of :attr:`Step.losses`
    replicas : R
    device : where the losses are
    options : of the method, see :func:`options_of`

    Raises
    ------
    InputError
        if the method or an option is unknown, or an option's value is out of range
    """
    valid = options_of(name)
    for option in options:
        if option not in valid:
            raise InputError(f"balancing {name}: no option '{option}'; valid: {listing(valid)}")
    return registered()[name](tuple(tasks), replicas, device, **options)
