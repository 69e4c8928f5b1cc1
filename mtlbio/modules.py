"""Which files of the package a module uses, itself included: what has to be run again when one of them changes."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

# Modules that cannot change a result: their effect reaches a step through its options, or not at all.
NO_RESULT = frozenset(
    {
        "mtlbio.cli",
        "mtlbio.config",
        "mtlbio.sections",
        "mtlbio.errors",
        "mtlbio.files",
        "mtlbio.modules",
        "mtlbio.progress",
        "mtlbio.protein",
        "mtlbio.workflow",
    }
)


def files_of(entry: str, package: Path = PACKAGE) -> list[str]:
    """Files of the package that a module uses: modules by their imports, and the data files those name.

    The imports are read, not executed: a module counts wherever the ``import`` stands, and so do the ``__init__``
    files on the way. Where a module is chosen by name (``import_module(f"mtlbio.model.encoders.{name}")``) every module
    of that folder counts. A data file counts, with its neighbours in the folder, when its name or its folder's name is
    a text constant of such a module. Modules of :data:`NO_RESULT` are left out.

    Parameters
    ----------
    entry : dotted name of the module
    package : folder of the package

    Returns
    -------
    Sorted paths, as :func:`shown`.

    Raises
    ------
    FileNotFoundError
        The package has no such module.
    """
    if _file_of(entry, package) is None:
        raise FileNotFoundError(f"{entry}: no such module in {package}")
    waiting, found, data = [entry], {}, set()
    while waiting:
        name = waiting.pop()
        if name.endswith("."):
            waiting += _modules_in(name, package)
            continue
        file = _file_of(name, package)
        if file is None or name in found or name in NO_RESULT:
            continue
        found[name] = file
        waiting += [name.rpartition(".")[0]]
        imported, constants = _read(file, name)
        waiting += imported
        data.update(_data_files(file, constants, package))
    return sorted(shown(p) for p in {*found.values(), *data})


def shown(path: str | Path) -> str:
    """A path as Snakemake's records should know it: relative below the working directory, so that a clone can move."""
    path, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(path, here) if path.startswith(here + os.sep) else path


def _file_of(name: str, package: Path) -> Path | None:
    """File of a module, or None where the dotted name is no module of the package."""
    first, *rest = name.split(".")
    if first != package.name:
        return None
    place = package.joinpath(*rest)
    return next((f for f in (place / "__init__.py", place.with_suffix(".py")) if f.is_file()), None)


def _modules_in(prefix: str, package: Path) -> list[str]:
    """Modules of a folder, which a dotted name with a dot at its end stands for."""
    first, *rest = prefix.rstrip(".").split(".")
    files = sorted(package.joinpath(*rest).glob("*.py")) if first == package.name else []
    return [prefix + file.stem for file in files if file.stem != "__init__"]


@cache
def _read(file: Path, name: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Dotted names that a module may import (a folder's with a dot at its end), and its text constants."""
    imported, constants = [], set()
    parts = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            # what is imported from a package may be one of its modules
            imported += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
            folder = node.values[0].value
            imported += [folder] if re.fullmatch(r"(\w+\.)+", folder) else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            constants.add(node.value)
    # modules that are named in a registry ("mtlbio.model.linear:fit") are imported later
    imported += [c.partition(":")[0] for c in constants if re.fullmatch(r"\w+(\.\w+)+(:\w+)?", c)]
    return tuple(imported), frozenset(constants)


def _data_files(module: Path, constants: frozenset[str], package: Path) -> Iterator[Path]:
    """Data files (and their neighbours) that a module's constants name, by file name or by folder."""
    named = {part for constant in constants if len(constant) < 200 for part in Path(constant).parts}
    for folder, files in _data_folders(package):
        own = folder != module.parent and folder.is_relative_to(module.parent) and folder.name in named
        if own or any(file.name in named for file in files):
            yield from files


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
