"""The house: rooms that import earlier rooms only, and files that do not import each other in a circle.

An import counts wherever it stands, also inside a function, and so does a module that is chosen by name
(``import_module(f"mtlbio.model.encoders.{name}")``: every file of that folder).
"""

import ast
import re
from pathlib import Path

import pytest

from mtlbio.kinds import KINDS
from mtlbio.kinds.sources import modules_of
from mtlbio.modules import PACKAGE, cannot_change_a_result

# From the ground up: a room may import itself, its neighbours in the same line and every line above.
ORDER = (
    (
        "errors",
        "faults",
        "files",
        "handover",
        "modules",
        "parts",
        "places",
        "progress",
        "reading",
        "section",
        "tables",
        "text",
        "threads",
        "unpacking",
        "choices",
        "cluster",
    ),
    ("metrics",),
    ("labels",),
    ("config",),
    ("intake",),
    ("kinds",),
    ("integrity",),
    ("door",),
    ("cohort",),
    ("sequence",),
    ("model",),
    ("training",),
    ("evaluation",),
    ("embedding",),
    ("probing",),
    ("federation",),
    ("report",),
    ("notebook",),
    ("summary",),
    ("commands",),
    ("workflow",),
    ("launch",),
    ("cli", "__main__"),
)
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}


def modules(package: Path) -> dict[str, Path]:
    """Dotted name -> file of every module of a package."""
    files = sorted(package.rglob("*.py"))
    return {".".join(f.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


def imports(name: str, files: dict[str, Path]) -> set[str]:
    """Modules of the package that a module imports anywhere."""
    found = set()
    parents = name.split(".") if files[name].name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(files[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            whole = [f"{origin}.{alias.name}" for alias in node.names]
            found |= {path if path in files else origin for path in whole}
        elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            folder = node.values[0].value
            if re.fullmatch(r"(\w+\.)+", folder):
                found |= {other for other in files if other.rpartition(".")[0] + "." == folder}
    return found & (files.keys() - {name})


def in_circles(graph: dict[str, set[str]]) -> set[str]:
    """What is left when modules that import none of the rest, or that none of the rest imports, are taken away."""
    left = dict(graph)
    while True:
        used = {other for own in left.values() for other in own}
        kept = {name: own & left.keys() for name, own in left.items() if own & left.keys() and name in used}
        if kept.keys() == left.keys():
            return set(kept)
        left = kept


def room_of(name: str) -> str:
    return name.split(".")[1]


def upward(graph: dict[str, set[str]]) -> list[str]:
    """Imports of a later room, as ``importer -> imported``."""
    found = []
    for name, own in graph.items():
        for other in own:
            rooms = [room_of(module) for module in (name, other) if "." in module]
            if len(rooms) == 2 and LEVEL[rooms[1]] > LEVEL[rooms[0]]:
                found.append(f"{name} -> {other}")
    return sorted(found)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    files = modules(PACKAGE)
    return {name: imports(name, files) for name in files}


def test_no_file_imports_itself_by_way_of_others(graph):
    assert in_circles(graph) == set()


def test_every_room_has_its_place(graph):
    rooms = {room_of(name) for name in graph if "." in name}
    assert rooms <= LEVEL.keys()
    assert {"choices", "cohort", "model", "training", "probing", "commands", "cli"} <= rooms


def test_no_room_imports_a_later_one(graph):
    assert len(graph) > 200 and sum(map(len, graph.values())) > 600
    assert upward(graph) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_uses_no_later_room_and_its_own_entry(kind):
    for step, place in KINDS[kind].steps.items():
        entry = place.partition(":")[0]
        found = {Path(p).resolve().relative_to(PACKAGE) for p in modules_of(step, kind=kind)}
        assert Path(*entry.split(".")[1:]).with_suffix(".py") in found
        rooms = {path.parts[0].removesuffix(".py") for path in found} - {"__init__"}
        assert not [room for room in rooms if LEVEL[room] > LEVEL[room_of(entry)]], step
        names = {"mtlbio." + ".".join(path.with_suffix("").parts) for path in found}
        assert not [name for name in names if cannot_change_a_result(name)]


@pytest.fixture
def package(tmp_path):
    """A small package with three hidden circles and two imports of a later room."""
    texts = {
        "__init__": "",
        "errors": "",
        "files": "from mtlbio.errors import InputError",
        "cohort/__init__": "",
        "cohort/read": "from mtlbio.files import replacing\ndef read():\n    from mtlbio.cohort import check",
        "cohort/check": "from .read import read",
        "model/__init__": "",
        "model/axes": "import mtlbio.errors\ndef find():\n    import mtlbio.model.turn",
        "model/turn": "from . import axes",
        "model/encoders/__init__": "",
        "model/encoders/make": "def made(name):\n    return import_module(f'mtlbio.model.encoders.{name}')",
        "model/encoders/cnn": "from mtlbio.model.encoders.make import made",
        "model/alone": "from mtlbio.model.axes import find\nfrom mtlbio.report import page",
        "report/__init__": "",
        "report/page": "",
        "tables": "def late():\n    from mtlbio.cohort.read import read",
    }
    for name, text in texts.items():
        path = tmp_path / "mtlbio" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    files = modules(tmp_path / "mtlbio")
    return {name: imports(name, files) for name in files}


def test_hidden_circles_and_upward_imports_are_found(package):
    assert in_circles(package) == {
        "mtlbio.cohort.read", "mtlbio.cohort.check", "mtlbio.model.axes", "mtlbio.model.turn",
        "mtlbio.model.encoders.make", "mtlbio.model.encoders.cnn",
    }  # fmt: skip
    assert upward(package) == ["mtlbio.model.alone -> mtlbio.report.page", "mtlbio.tables -> mtlbio.cohort.read"]
