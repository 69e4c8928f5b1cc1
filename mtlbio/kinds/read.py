"""Reading a run's YAML: which kind of run it describes, and what it says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mtlbio.config.keys import explain
from mtlbio.config.yaml import read_yaml
from mtlbio.errors import InputError, one_line
from mtlbio.kinds.base import KINDS, Kind, kind_named, kind_of
from mtlbio.kinds.schemas.run import Run
from mtlbio.reading import file_of, regular_file


def read_run(path: str | Path) -> Run:
    """Read and check a run's YAML.

    Paths in it are relative to the YAML and come back absolute. Files are checked for existence only; their content is
    the business of ``mtlbio prepare``. An InputError is one line: the file, the key, what was found, what is valid.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> run.run, sorted(run.tasks)
    ('planted', ['age', 'disease', 'response'])
    >>> mtlbio.read_run("planted/truth.csv")
    Traceback (most recent call last):
    mtlbio.errors.InputError: planted/truth.csv: expected keys such as run, expression, tasks; found text
    """
    path = Path(path)
    regular_file(path, "a YAML file that describes a run (see config/README.md)", may_be_empty=True)
    content = read_yaml(path)
    if not isinstance(content, dict):
        words = {str: "text", list: "a list", int: "a number", float: "a number", bool: "true or false"}
        what = "an empty file" if content is None else words.get(type(content), type(content).__name__)
        raise InputError(f"{path}: expected keys such as run, expression, tasks; found {what}")
    try:
        run = as_run(content)
    except InputError as error:
        raise InputError(f"{path}: {one_line(str(error))}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply, or a reference (*) to what it stands in") from None
    folder = path.resolve().parent

    def resolved(key: str, value: str) -> str:
        try:
            whole = (folder / Path(value).expanduser()).resolve()
            place, _ = file_of(whole)
            there = place.exists()
        except (OSError, RuntimeError, ValueError) as error:  # too long, links in a circle, nobody's home, NUL
            problem = getattr(error, "strerror", None) or str(error)
            raise InputError(f"{path}: {key}: {one_line(problem, 200)}; expected the path of a file") from None
        if not there:
            raise InputError(f"{path}: {key}: no such file: {one_line(str(place))}")
        if not place.is_dir():
            try:
                regular_file(place, "a file", may_be_empty=True)
            except InputError as error:
                raise InputError(f"{path}: {key}: {error}") from None
        return str(whole)

    run = kind_of(run).with_paths(run, resolved)
    wrong = kind_of(run).objection(run)
    if wrong:
        raise InputError(f"{path}: {wrong}")
    return run


def as_run(content: Mapping[str, Any]) -> Run:
    """The run that the content of a YAML describes, its paths as they are; an InputError is one line, as above."""
    kind = next((kind for kind in KINDS.values() if kind.recognises(content)), None)
    kind = kind or kind_named(content.get("kind"))
    try:
        return kind.schema.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        of_the_whole = first["type"] == "value_error" and not first["loc"]  # by the model itself
        line = None if of_the_whole else _of_another_kind(content, kind)
        raise InputError(line or explain(error, kind.schema, *kind.beside).removeprefix(": ")) from None


def _of_another_kind(content: Mapping[str, Any], kind: Kind) -> str | None:
    """The line on a top-level key that belongs to another kind of run; None where there is none."""
    for other in KINDS.values():
        strange = [key for key in content if key in other.schema.model_fields.keys() - kind.schema.model_fields.keys()]
        if strange:
            hint = f"write `kind: {other.name}`, or " if content.get("kind", "cohort") == "cohort" else ""
            return (
                f"{strange[0]}: unknown key; it belongs to a run of kind {other.name}, and this one is a {kind.name}: "
                f"{hint}leave it out"
            )
    return None
