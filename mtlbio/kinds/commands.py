"""What the command line asks before there is a run."""

from contextlib import suppress
from pathlib import Path

from mtlbio.errors import InputError, listing
from mtlbio.kinds.base import KINDS, Kind, Simulation, function_at, kind_named


def simulation_named(name: str) -> Simulation:
    """How data are planted for a value of ``mtlbio simulate --kind``; an InputError where no kind has such data."""
    with suppress(InputError):
        kind_named(name)  # of an installed package, which is registered from now on
    simulations = {kind.simulation.name: kind.simulation for kind in KINDS.values() if kind.simulation}
    if name not in simulations:
        raise InputError(f"--kind: found {name!r}; valid: {listing(sorted(simulations))}")
    return simulations[name]


def kind_of_files(first: Path, second: Path | None) -> Kind:
    """The kind whose YAML ``mtlbio init`` drafts from these files: one that knows them as its own, else the first."""
    drafting = [kind for kind in KINDS.values() if "draft" in kind.commands]
    fitting = (k for k in drafting if "drafts" in k.commands and function_at(k.commands["drafts"])(first, second))
    return next(fitting, drafting[0])
