"""Modules that are no reason to run a step again hold nothing that a step computes with."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import ClassVar

import pytest
from pydantic import BaseModel, model_validator

from mtlbio.kinds import KINDS, STEPS
from mtlbio.kinds.sources import modules_of
from mtlbio.modules import PACKAGE, cannot_change_a_result

DATA = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset)


def faults(value: object, name: str) -> Iterator[str]:
    """Data that something from an unlisted module is, holds or computes with.

    Validators are left out: what they let through reaches a step by its options.
    """
    if isinstance(value, FunctionType):
        yield from (f"{name} computes with {constant}" for constant in sorted(_constants(value, value.__globals__)))
    elif inspect.isclass(value):
        fields = getattr(value, "model_fields", {})
        for owner in value.__mro__:
            for key, own in vars(owner).items():
                if not _listed(owner.__module__) or key.startswith(("_", "model_")) or key in fields:
                    continue
                if isinstance(own, DATA):
                    yield f"{name}.{key} is data"
                function = getattr(own, "fget", None) or getattr(own, "func", None) or getattr(own, "__func__", own)
                if isinstance(function, FunctionType):
                    found = _constants(function, function.__globals__, value)
                    yield from (f"{name}.{key} computes with {constant}" for constant in sorted(found))
    else:
        yield f"{name} is data"


def _listed(module: str) -> bool:
    return cannot_change_a_result(module) or module == __name__


def _constants(function: FunctionType, known: dict, owner: type | None = None, seen: frozenset = frozenset()) -> set:
    """Names of the module's data that a function uses, by way of others of its module and class too."""
    found = set()
    for word in set(_names(function.__code__)):
        inside = known.get(word, inspect.getattr_static(owner, word, None) if owner else None)
        inside = getattr(inside, "fget", None) or getattr(inside, "__func__", inside)
        if word in known and isinstance(inside, DATA) and not word.startswith("__"):
            found.add(word)
        elif isinstance(inside, FunctionType) and word not in seen and _listed(inside.__module__):
            found |= _constants(inside, inside.__globals__, owner, seen | {word})
    return found


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def imported(text: str) -> Iterator[tuple[str, str]]:
    """Module and name of what a module imports from the package; the name is empty where a module is imported whole.

    What only a type checker imports does not count.
    """
    nodes = list(ast.walk(ast.parse(text)))
    checked = [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    unread = {inner for node in checked for inner in ast.walk(node)}
    for node in (node for node in nodes if node not in unread):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


@cache
def faults_of_file(path: Path) -> tuple[str, ...]:
    found = []
    for module, name in imported(path.read_text(encoding="utf-8")):
        if cannot_change_a_result(module):
            value = getattr(import_module(module), name) if name else None
            found += faults(value, f"{module}.{name}")
        elif name and cannot_change_a_result(f"{module}.{name}"):
            found.append(f"{module}.{name}: imported whole")
    return tuple(found)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", list(KINDS))
def test_no_step_computes_with_what_cannot_change_a_result(kind, step):
    files = [Path(file).resolve() for file in modules_of(step, kind=kind) if file.endswith(".py")]
    found = {str(file.relative_to(PACKAGE)): faults_of_file(file) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


LIMIT = 3


def _limited(value: int) -> int:
    return min(value, LIMIT)


def by_another(value: int) -> int:
    return _limited(value)


def plain(value: int) -> int:
    return value + len(str(value))


class Options(BaseModel):
    value: int = LIMIT
    largest: ClassVar[int] = LIMIT

    @property
    def limited(self) -> int:
        return [_limited(v) for v in (self.value,)][0]

    @property
    def through_a_method(self) -> int:
        return self._inner()

    def _inner(self) -> int:
        return LIMIT

    @model_validator(mode="after")
    def _small(self):
        if self.value > LIMIT:
            raise ValueError("too large")
        return self


class Held:
    count = 4


def test_constants_are_seen_wherever_they_hide():
    assert list(faults(LIMIT, "m.LIMIT")) == ["m.LIMIT is data"]
    assert list(faults(by_another, "m.by_another")) == ["m.by_another computes with LIMIT"]
    assert list(faults(plain, "m.plain")) == []
    assert sorted(faults(Options, "m.Options")) == [
        "m.Options.largest is data",
        "m.Options.limited computes with LIMIT",
        "m.Options.through_a_method computes with LIMIT",
    ]
    assert list(faults(Held, "m.Held")) == ["m.Held.count is data"]
    assert list(faults(ModuleType("m"), "m")) == ["m is data"]
    assert list(imported("import a.b\ndef f():\n    from c import d, e\n")) == [("a.b", ""), ("c", "d"), ("c", "e")]
