"""Balancers by name; importing this imports no solver."""

from importlib import import_module

from mtlbio.choices.balancers import BALANCERS, checked_options
from mtlbio.training.balancing.base import REGISTERED, Balancer


def registered() -> dict[str, type[Balancer]]:
    """Class of every balancer by name; each lies in the file of its name."""
    for name in BALANCERS:
        import_module(f"mtlbio.training.balancing.{name}")
    return {name: REGISTERED[name] for name in BALANCERS}


def make_balancer(name: str, tasks: tuple[str, ...], replicas: int, device="cpu", **options) -> Balancer:
    """Balancer of R replicas, of tasks in the order of :attr:`Step.losses`, in its state before the first step.

    ``options`` are those of the method, see :func:`mtlbio.choices.balancers.options_of`.

    Raises
    ------
    InputError
        if the method or an option is unknown, or an option's value is out of range
    """
    whole = checked_options(name, options)
    import_module(f"mtlbio.training.balancing.{name}")
    return REGISTERED[name](tuple(tasks), replicas, device, **whole)
