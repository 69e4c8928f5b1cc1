"""Which files of the package a module uses, itself included: what has to be run again when one of them changes."""

import ast
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

# Modules that cannot change a result: their effect reaches a step through its options, or not at all. A star stands for
# every module of a package.
NO_RESULT = (
    "mtlbio.cli",
    "mtlbio.cli.*",
    "mtlbio.cluster",
    "mtlbio.cluster.*",
    "mtlbio.config",
    "mtlbio.config.*",
    "mtlbio.door",
    "mtlbio.door.*",
    "mtlbio.errors",
    "mtlbio.faults",
    "mtlbio.files",
    "mtlbio.integrity",
    "mtlbio.integrity.*",
    "mtlbio.kinds.doubts",
    "mtlbio.kinds.read",
    "mtlbio.kinds.reference",
    "mtlbio.kinds.sources",
    "mtlbio.kinds.schemas",
    "mtlbio.kinds.schemas.*",
    "mtlbio.notebook",
    "mtlbio.notebook.*",
    "mtlbio.places",
    "mtlbio.progress",
    "mtlbio.section",
    "mtlbio.workflow",
)


@cache
def cannot_change_a_result(name: str) -> bool:
    """Whether a module is of :data:`NO_RESULT`."""
    return any(fnmatchcase(name, pattern) for pattern in NO_RESULT)


def files_of(
    entry: str, package: Path = PACKAGE, kind=None, step: str | None = None, further: Iterable[str] = ()
) -> list[str]:
    """Files of the package that a module uses: modules by their imports, and the data files those name.

    Sorted paths, as :func:`shown`; a FileNotFoundError where there is no such module.

    The imports are read, not executed: a module counts wherever the ``import`` stands, and so do the ``__init__``
    files on the way. Where a module is chosen by name (``import_module(f"mtlbio.model.encoders.{name}")``) every module
    of that folder counts. A data file counts, with its neighbours in the folder, when its name or its folder's name is
    a text constant of such a module. Modules of :data:`NO_RESULT` are left out.

    A kind of run names the functions of all its steps as text. Of those only the parts count that a module asks for
    (``kind.part("train", "axes")``) and those of ``step``; of the modules that define kinds, only that of ``kind``.

    Parameters
    ----------
    entry, package : dotted name of the module, and folder of the package
    kind : :class:`mtlbio.kinds.base.Kind` of the run; of one from outside, modules of its own package count too
    step : the step that the module stands for
    further : modules from outside the package that count too, with what they use of their own package
    """
    roots, waiting = {package.name: package}, [entry, *further]
    of_kind, others = frozenset[str](), frozenset[str]()
    parts: Mapping[str, Mapping[str, str]] = {}
    if kind is not None:
        of_kind, others, parts = kind.modules, kind.other_modules, kind.parts
        waiting += [*of_kind, *_modules_of(parts.get(step or "", {}).values())]
    roots = {name: root for module in (*of_kind, *further) for name, root in _root_of(module).items()} | roots
    if _file_of(entry, roots) is None:
        raise FileNotFoundError(f"{entry}: no such module in {package}")
    files, data = dict[str, Path](), set[Path]()
    while waiting:
        name = waiting.pop()
        if name.endswith("."):
            waiting += _modules_in(name, roots)
            continue
        file = _file_of(name, roots)
        if file is None or name in files or cannot_change_a_result(name):
            continue
        files[name] = file
        used = _read(file, name)
        waiting += [name.rpartition(".")[0]]
        waiting += _modules_of(parts[at][part] for at, part in used.parts if part in parts.get(at, {}))
        if name in of_kind:
            waiting += used.imported
        elif name.split(".")[:2] == [package.name, "kinds"]:
            waiting += [imported for imported in used.imported if imported not in others]
        else:
            waiting += [*used.imported, *_modules_of(used.places)]
            data.update(_data_files(file, name, roots[name.partition(".")[0]]))
    return sorted(shown(p) for p in {*files.values(), *data})


def shown(path: str | Path) -> str:
    """A path as Snakemake's records should know it: relative below the working directory, so that a clone can move."""
    path, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(path, here) if path.startswith(here + os.sep) else path


def _modules_of(places: Iterable[str]) -> list[str]:
    """Modules of ``"module:function"``."""
    return [place.partition(":")[0] for place in places]


def _root_of(module: str) -> dict[str, Path]:
    """Name and folder of the package that a loaded module stands in; its own file where it stands alone."""
    first = module.partition(".")[0]
    loaded = sys.modules.get(first)  # none where the kind was made in a notebook
    folders, file = getattr(loaded, "__path__", None), getattr(loaded, "__file__", None)
    place = next(iter(folders)) if folders else file
    return {first: Path(place).resolve()} if place else {}


def _file_of(name: str, roots: dict[str, Path]) -> Path | None:
    """File of a module, or None where the dotted name is no module of these packages."""
    first, _, rest = name.partition(".")
    return _file_below(roots[first], rest) if first in roots else None


@cache
def _file_below(root: Path, rest: str) -> Path | None:
    place = root.joinpath(*rest.split(".")) if rest else root
    return next((f for f in (place / "__init__.py", place.with_suffix(".py")) if f.is_file()), None)


def _modules_in(prefix: str, roots: dict[str, Path]) -> list[str]:
    """Modules of a folder, which a dotted name with a dot at its end stands for."""
    first, *rest = prefix.rstrip(".").split(".")
    files = sorted(roots[first].joinpath(*rest).glob("*.py")) if first in roots else []
    return [prefix + file.stem for file in files if file.stem != "__init__"]


@dataclass(frozen=True)
class _Used:
    """What a module uses, as its text says."""

    imported: list[str]  # dotted names that it may import; a folder's with a dot at its end
    places: list[str]  # functions that it names as text, which are imported later
    parts: list[tuple[str, str]]  # (step, name) of the parts that it asks a kind of run for
    constants: set[str]  # its texts


@cache
def _read(file: Path, name: str) -> _Used:
    imported, parts, constants = list[str](), list[tuple[str, str]](), set[str]()
    parents = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            # what is imported from a package may be one of its modules
            imported += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            folder = node.values[0].value
            imported += [folder] if isinstance(folder, str) and re.fullmatch(r"(\w+\.)+", folder) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "part":
            words = [str(word.value) for word in node.args[:2] if isinstance(word, ast.Constant)]
            parts += [(words[0], words[1])] if len(words) == 2 else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            constants.add(node.value)
    # modules that are named in a registry ("mtlbio.model.linear:fit") are imported later
    places = [text for text in sorted(constants) if re.fullmatch(r"\w+(\.\w+)+(:\w+)?", text)]
    return _Used(imported, places, parts, constants)


@cache
def _data_files(module: Path, name: str, package: Path) -> tuple[Path, ...]:
    """Data files (and their neighbours) that a module's constants name, by file name or by folder."""
    constants = _read(module, name).constants
    named = {part for constant in constants if len(constant) < 200 for part in Path(constant).parts}
    found = list[Path]()
    for folder, files in _data_folders(package):
        below = folder != module.parent and folder.is_relative_to(module.parent)
        if (below and folder.name in named) or any(file.name in named for file in files):
            found += files
    return tuple(found)


@cache
def _data_folders(package: Path) -> list[tuple[Path, list[Path]]]:
    """Folders of the package that hold other files than Python's, with these files."""
    folders = []
    for folder, below, names in os.walk(package):
        below[:] = sorted(d for d in below if d != "__pycache__")
        files = [Path(folder, n) for n in sorted(names) if not n.endswith((".py", ".pyc"))]
        if files:
            folders.append((Path(folder), files))
    return folders
