"""The record of a step: what it wrote, with the SHA-256 of every file, and what it was made from."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mtlbio.errors import InputError
from mtlbio.files import replacing

MANIFEST = "manifest"


@dataclass(frozen=True)
class Content:
    """Size and SHA-256 of a file, as ``sha256sum`` prints it."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Content":
        """Of the file that is there."""
        with path.open("rb") as file:
            return cls(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True)
class Record:
    """What a step wrote, and from what.

    Attributes
    ----------
    step, run : which step of which run
    files : path below the folder of results -> content
    reads : step whose files were read -> digest of its record's ``files``
    options : digest of the keys of the YAML that the step depends on, without paths
    modules : digest of the modules that the step uses
    data : content of the files that the YAML names, in the order in which it does
    mtlbio : version that wrote it
    """

    step: str
    run: str
    files: Mapping[str, Content]
    reads: Mapping[str, str] = field(default_factory=dict)
    options: str = ""
    modules: str = ""
    data: tuple[Content, ...] = ()
    mtlbio: str = field(default_factory=lambda: version("mtlbio"))

    @property
    def digest(self) -> str:
        """Of everything that it says of the files."""
        return digest_of(json.dumps({path: content.sha256 for path, content in sorted(self.files.items())}))

    def read_others(self, records: Mapping[str, "Record"]) -> list[str]:
        """Steps of which it read other files than ``records`` have, in the order in which it reads."""
        return [step for step, digest in self.reads.items() if step in records and records[step].digest != digest]

    def write(self, folder: Path) -> Path:
        """Keep it as ``manifest/<step>.json``; gives the path."""
        path = place_of(folder, self.step)
        content = asdict(self)
        content["files"] = dict(sorted(content["files"].items()))
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return path


def place_of(folder: Path, step: str) -> Path:
    """Path of a step's record."""
    return folder / MANIFEST / f"{step}.json"


def read_record(path: Path) -> Record | None:
    """The record in a file; None where there is none. An InputError where it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        contents = {name: Content(**found) for name, found in content["files"].items()}
        inside = all(not os.path.isabs(name) and ".." not in Path(name).parts and len(name) < 1000 for name in contents)
        record = Record(**content | {"files": contents, "data": tuple(Content(**found) for found in content["data"])})
        _check_types(record)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, OSError) as error:
        raise InputError(f"{path}: not the record of a step as mtlbio writes it ({_short(error)})") from None
    if not inside or record.step != path.name.partition(".")[0]:
        raise InputError(f"{path}: not the record of a step as mtlbio writes it (it is of {record.step!r})")
    return record


def _check_types(record: Record) -> None:
    """A ValueError where something in it is of another type."""
    text = [
        record.step,
        record.run,
        record.options,
        record.modules,
        record.mtlbio,
        *record.reads,
        *record.reads.values(),
    ]
    every = [*record.files.values(), *record.data]
    text += [content.sha256 for content in every]
    if not all(isinstance(word, str) for word in text) or not all(type(content.bytes) is int for content in every):
        raise ValueError("a value of another type")


def faults(record: Record, folder: Path) -> dict[str, str]:
    """Files that are not as they were written, and what is wrong with each, in words."""
    return {name: words for name in record.files if (words := _fault(folder / name, record.files[name]))}


def contents(folder: Path, paths: Iterable[Path]) -> dict[str, Content]:
    """Content of files, and of all files in folders, by their path below ``folder``; what lies outside is left out."""
    files: set[Path] = set()
    for path in paths:
        inside = [Path(below, name) for below, _, names in os.walk(path) for name in names]
        files |= {file.absolute() for file in ([path] if path.is_file() else inside)}
    whole = folder.absolute()
    return {str(file.relative_to(whole)): Content.of(file) for file in sorted(files) if file.is_relative_to(whole)}


def check_unchanged(folder: Path, step: str) -> None:
    """An InputError where a file that is about to be written again has been changed by somebody."""
    record = read_record(place_of(folder, step))
    changed = {name: words for name, words in faults(record, folder).items() if words != "missing"} if record else {}
    for name, words in changed.items():
        raise InputError(
            f"{folder / name}: {words}; it would be written anew: move it elsewhere, or give another folder"
        )


def recorded(folder: Path, step: str, *names: str, run: str = "") -> Record:
    """Write the record of files that no step of this process wrote, and of which no options are known; gives it."""
    record = Record(step, run, contents(folder, [folder / name for name in names]))
    record.write(folder)
    return record


def digest_of(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _fault(path: Path, content: Content) -> str:
    if path.is_symlink() and not path.exists():
        return "a link to nothing"
    if not path.is_file():
        return "missing" if not path.exists() else "no file any more"
    size = path.stat().st_size
    if size != content.bytes:
        shorter = "truncated or replaced" if size < content.bytes else "replaced or added to"
        return f"{shorter}: {size:,} bytes where {content.bytes:,} were written"
    return "" if Content.of(path).sha256 == content.sha256 else f"changed: {size:,} bytes as written, but others"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__


def as_json(value: Any) -> str:
    """One text for one value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)
