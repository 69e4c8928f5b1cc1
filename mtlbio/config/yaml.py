"""YAML read strictly: keys are plain text and stand once, and a problem is one line."""

from pathlib import Path
from typing import Any

import yaml

from mtlbio.errors import InputError


def read_yaml(path: Path) -> Any:
    """Content of a YAML file.

    An InputError where it is no YAML (with line and column), a key stands twice or is no plain text.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise InputError(f"{path}: not valid YAML: {' '.join(problem.split())}{where}") from None


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets a later key overwrite an earlier one in silence; here that is an error."""

    def construct_mapping(self, node, deep=False):
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(None, None, "a key has to be plain text", key.start_mark)
            if key.value in keys and key.value != "<<":
                raise yaml.MarkedYAMLError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            keys.add(key.value)
        return super().construct_mapping(node, deep)
