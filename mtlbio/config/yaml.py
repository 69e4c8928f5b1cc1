"""YAML read strictly: keys are plain text and stand once, and a problem is one line."""

from pathlib import Path
from typing import Any

import yaml

from mtlbio.errors import InputError
from mtlbio.reading import regular_file

# A list of ten thousand columns is a few hundred kilobytes; references may not unfold into more than that either.
_MOST_BYTES, _MOST_VALUES = 20_000_000, 1_000_000


def read_yaml(path: Path) -> Any:
    """Content of a YAML file.

    An InputError where it is no YAML (with line and column), a key stands twice or is no plain text, references unfold
    without end, or it is far larger than any description of a run.
    """
    size = regular_file(path, "a description in YAML", may_be_empty=True).st_size
    if size > _MOST_BYTES:
        raise InputError(f"{path}: {size:,} bytes; expected a description of at most {_MOST_BYTES:,}")
    try:
        loader = _UniqueKeys(path.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            if _values(node, {}) > _MOST_VALUES:
                raise InputError(
                    f"{path}: not valid YAML: references (*) unfold into more than {_MOST_VALUES:,} values"
                )
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except RecursionError:
        raise InputError(
            f"{path}: not valid YAML: nested too deeply, or a reference (*) to what it stands in"
        ) from None
    except InputError:
        raise
    except Exception as error:  # dates and numbers that are none: what Python says of them
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise InputError(f"{path}: not valid YAML: {' '.join(problem.split())[:200]}{where}") from None


def keys_of(texts: list[str], option: str) -> dict[str, Any]:
    """Keys of a YAML from words ``KEY=VALUE`` of a command line; an InputError where one is no such word.

    Examples
    --------
    >>> keys_of(["classes=[low, high]", "unit=mg"], "--key")
    {'classes': ['low', 'high'], 'unit': 'mg'}
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not equals or not key:
            raise InputError(f"{option}: found {text!r}; expected KEY=VALUE, such as classes=[low, high]")
    return found


def _values(node, known: dict[int, int]) -> int:
    """How many values a node has when its references are unfolded."""
    if isinstance(node, yaml.ScalarNode) or node is None:
        return 1
    if id(node) not in known:
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1 + sum(_values(part, known) for part in inner)
    return known[id(node)]


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a later key overwrite an earlier one in silence; here that is an error."""

    def construct_mapping(self, node, deep=False):
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(None, None, "a key has to be plain text", key.start_mark)
            if key.value in keys and key.value != "<<":
                raise yaml.MarkedYAMLError(None, None, f"key {key.value[:60]!r} stands twice", key.start_mark)
            keys.add(key.value)
        return super().construct_mapping(node, deep)
