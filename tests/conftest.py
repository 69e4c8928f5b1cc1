"""What holds for every test."""

import copy
import os

# Each of several processes runs tests: threads of one that wait for those of another take many times as long as one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from mtlbio import progress

_BEGUN: dict[int, dict] = {}


def _generators(module) -> list[np.random.Generator]:
    return [value for value in vars(module).values() if isinstance(value, np.random.Generator)]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups, and after rooms have made theirs
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Remember where the generators of all files begin; tests of a file that share what is made once for the file run
    in one process, so that it is not made in several."""
    for module in {item.module for item in items if hasattr(item, "module")}:
        _BEGUN.update((id(rng), copy.deepcopy(rng.bit_generator.state)) for rng in _generators(module))
    for item in items:
        if _shares_with_its_file(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(item.config.rootpath).as_posix()))


def _shares_with_its_file(item: pytest.Item) -> bool:
    info = getattr(item, "_fixtureinfo", None)
    found = [] if info is None else [fixture for same in info.name2fixturedefs.values() for fixture in same]
    return any(fixture.scope in ("class", "module", "package") for fixture in found)


@pytest.fixture(autouse=True)
def the_same_draws_in_any_order(request):
    """A generator of a test file begins anew for every test: which tests a process has run before decides nothing."""
    for rng in _generators(request.module):
        rng.bit_generator.state = _BEGUN[id(rng)]


@pytest.fixture(autouse=True)
def progress_as_it_was():
    """Commands print progress and benchmarks do not: neither says what the next test of this process prints."""
    handlers, level, quiet = progress.log.handlers[:], progress.log.level, progress.console.quiet
    yield
    progress.log.handlers, progress.log.level, progress.console.quiet = handlers, level, quiet
