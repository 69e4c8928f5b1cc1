"""Which runs the words of ``mtlbio run`` mean: YAMLs, and folders of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlbio.config.yaml import read_yaml
from mtlbio.errors import InputError, listing
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas.run import Run
from mtlbio.progress import say
from mtlbio.summary.rows import NotStarted

YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Found:
    """A run: its YAML, and what that says."""

    yaml: Path
    run: Run


def find_runs(words: list[str]) -> tuple[list[Found], list[NotStarted]]:
    """The runs that can be read, and those that cannot, each in the order of the words.

    Parameters
    ----------
    words : YAMLs, or folders: the YAMLs in them and one folder further down (as ``mtlbio simulate cohorts/a`` leaves
        them). A YAML that is named twice counts once. YAMLs of a folder that describe no run are said and left out.

    Raises
    ------
    InputError
        A folder holds no run.
    """
    found: list[Found] = []
    wrong: list[NotStarted] = []
    seen: set[Path] = set()
    if "" in words:
        raise InputError("RUN.yaml: found an empty word; expected a YAML, or a folder of them")
    for path in (path for word in words for path in _yamls(Path(word))):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        try:
            found.append(Found(path, read_run(path)))
        except InputError as error:
            wrong.append(NotStarted(_name(path), str(path), str(error)))
    return _apart(found, wrong)


def is_run_or_folder(word: str) -> bool:
    """Whether a word can only mean runs: a YAML, or a folder that holds some."""
    path = Path(word)
    return path.suffix in YAML or (path.is_dir() and bool(_inside(path)))


def _yamls(path: Path) -> list[Path]:
    """The path itself, or where it is a folder the runs in it."""
    if not path.is_dir():
        return [path]
    inside = _inside(path)
    runs = [file for file in inside if _may_be_a_run(file)]
    if not runs:
        what = f"{listing(inside, 3)}, without a key `run`" if inside else "no .yaml file"
        raise InputError(f"{path}: found {what}; expected YAMLs of runs in it, or one folder further down")
    others = [file for file in inside if file not in runs]
    if others:
        say(f"{path}: left out, since no `run:` stands in it: {listing(others)}")
    return runs


def _inside(folder: Path) -> list[Path]:
    """YAMLs in a folder and one further down, hidden ones left out."""
    files = [file for pattern in ("*", "*/*") for file in folder.glob(pattern) if file.suffix in YAML]
    shown = [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
    return sorted(file for file in shown if file.is_file())


def _may_be_a_run(path: Path) -> bool:
    """Whether a YAML describes a run, or may have been meant to, since it cannot be read."""
    content = _content(path)
    return content is None or "run" in content


def _content(path: Path) -> dict[Any, Any] | None:
    """What stands in a YAML, nothing where that is no mapping; None where it cannot be read."""
    try:
        content = read_yaml(path)
    except (InputError, OSError):
        return None
    return content if isinstance(content, dict) else {}


def _name(path: Path) -> str:
    """What a run with a mistake is called: as its YAML says, else as the file is."""
    name = (_content(path) or {}).get("run")
    return name if isinstance(name, str) and name else path.stem


def _apart(found: list[Found], wrong: list[NotStarted]) -> tuple[list[Found], list[NotStarted]]:
    """Without runs of one name, none of which can be meant for sure."""
    named: dict[str, list[Path]] = {}
    for one in found:
        named.setdefault(one.run.run, []).append(one.yaml)
    for name, paths in named.items():
        if len(paths) > 1:
            line = f"{listing(paths, 3)}: run: {name!r} is the name of {len(paths)} runs; each needs its own"
            wrong.append(NotStarted(name, str(paths[0]), line))
    return [one for one in found if len(named[one.run.run]) == 1], wrong
