"""Examples in docstrings run and say what they show, and every function that the documentation lists has one."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import mtlbio
from benchmarks.shared.small_run import SMALLEST
from mtlbio.cohort.assays.simulate import plant
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.kinds import STEPS

ROOT = Path(__file__).parents[2]
API = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/api").glob("*.md")))
pytestmark = pytest.mark.xdist_group("examples")  # they share one folder
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DOOR = "mtlbio.door"  # its functions share one run, whichever of its modules they stand in
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "mtlbio").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]
TOGETHER = sorted({DOOR if name.startswith(DOOR) else name for name in MODULES}, key=lambda name: (name != DOOR, name))
# in the order of a run: each leaves what the next one reads
ORDER = [
    "read_run",
    *("trial" if step == "probe" else step for step in STEPS),
    "influence",
    "panel",
    "tradeoff",
    "impute",
    "predict",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the planted cohort ``planted`` and, once the steps have run, its results."""
    folder = tmp_path_factory.mktemp("examples")
    yaml = write_simulation(folder / "planted", simulate("clear", seed=1, donors=48, genes=300), name="planted")
    yaml.write_text(yaml.read_text() + SMALLEST)
    plant(folder / "assays", "assays", 0, donors=60)
    return folder


def documented() -> dict[str, object]:
    """Functions that docs/api lists, by name."""
    found, module = {}, ""
    for kind, name in re.findall(r"^\.\. (currentmodule|autofunction):: (\S+)$", API, flags=re.MULTILINE):
        if kind == "currentmodule":
            module = name
            continue
        origin, _, own = (name if name.startswith("mtlbio.") else f"{module}.{name}").rpartition(".")
        origin = "mtlbio.door" if (origin, own) == ("mtlbio", "report") else origin
        found[f"{origin}.{own}"] = getattr(importlib.import_module(origin), own)
    return found


def examples(name: str) -> list[doctest.DocTest]:
    """Those of a module, in the order in which a run takes its steps."""
    names = [own for own in MODULES if own.startswith(DOOR)] if name == DOOR else [name]
    found = [test for own in names for test in doctest.DocTestFinder().find(importlib.import_module(own), own)]
    order = {step: place for place, step in enumerate(ORDER)} if name == DOOR else {}
    return sorted(
        (test for test in found if test.examples),
        key=lambda test: (order.get(test.name.rpartition(".")[2], 0), test.name),
    )


@pytest.mark.parametrize("name", TOGETHER)  # the first makes the results
def test_examples_say_what_they_show(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    said = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    tests = examples(name)
    assert tests
    if name.startswith("mtlbio.notebook") and not Path("results").exists():  # whoever comes first makes the results
        tests = [*examples(DOOR), *tests]
    for test in tests:
        test.globs |= {"mtlbio": mtlbio}
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def test_every_function_that_is_listed_has_an_example():
    functions = documented()
    assert len(functions) > 30
    assert [name for name, function in functions.items() if ">>> " not in (function.__doc__ or "")] == []


def test_every_name_that_is_offered_is_listed():
    offered = {name.removeprefix("mtlbio.door.") for name in documented() if name.startswith("mtlbio.door.")}
    offered |= {name.removeprefix("mtlbio.") for name in documented() if name.count(".") == 1}
    assert sorted(offered | {"pl", "MultiTask"}) == sorted(mtlbio.__all__)
    pictures = {f"mtlbio.notebook.pl.{name}" for name in mtlbio.pl.__all__}
    assert "autoclass:: MultiTask" in API and ">>> " in mtlbio.MultiTask.__doc__
    assert pictures == {name for name in documented() if name.startswith("mtlbio.notebook.pl.")}
