"""Tasks that were added to a finished run: their files beside those of the steps, none of which they touch.

The record of a task is written before its files get their names, and goes after them: a task whose record names a file
that is not there was not finished, or its model was trained again, and counts as not added.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.integrity.record import MANIFEST, Content, Record, faults, place_of, read_record

HEADS = "model/heads"
ADDED = "added"
_STEP = "added-"


@dataclass(frozen=True)
class Staged:
    """Where the files of a task are written before they get their names: ``arrays`` and ``description`` of its head,
    and the folder ``tables``."""

    arrays: Path
    description: Path
    tables: Path


def arrays_of(folder: Path, name: str) -> Path:
    """The weights of a head."""
    return folder / HEADS / f"{name}.safetensors"


def description_of(folder: Path, name: str) -> Path:
    """What is known of a head: its label, on what it rests, and the answer."""
    return folder / HEADS / f"{name}.json"


def record_of_task(folder: Path, name: str) -> Record | None:
    """The record of an added task; None where there is none. An InputError where it is damaged."""
    return read_record(place_of(folder, f"{_STEP}{name}"))


def added_tasks(folder: Path) -> list[str]:
    """Names of the tasks with a record, finished or not; no file is opened."""
    names = sorted(path.name for path in (folder / MANIFEST).glob(f"{_STEP}*.json"))
    return [name.removeprefix(_STEP).removesuffix(".json") for name in names]


def is_there(folder: Path, name: str) -> bool:
    """Whether every file of an added task is there, changed or not."""
    record = record_of_task(folder, name)
    return record is not None and all((folder / file).is_file() for file in record.files)


def added_files(folder: Path) -> set[str]:
    """Files of all added tasks, by their path below the folder of the run."""
    files = set[str]()
    for name in added_tasks(folder):
        with suppress(InputError):
            record = record_of_task(folder, name)
            files |= set(record.files) if record else set()
    return files


@contextmanager
def adding(folder: Path, name: str, run: str, trained: Record) -> Iterator[Staged]:
    """Give places for the files of a task; on success they get their names all together, on failure they vanish.

    ``trained`` is the record of the step whose trunk the head stands on. Places are below ``added/``: in ``model/`` a
    killed process would leave what looks like somebody's file.
    """
    try:
        with replacing(folder / ADDED / name) as tables:
            tables.mkdir()
            holder = tables.parent / "head"
            holder.mkdir()
            staged = Staged(holder / f"{name}.safetensors", holder / f"{name}.json", tables)
            yield staged
            named = {staged.arrays: arrays_of(folder, name), staged.description: description_of(folder, name)}
            files = {str(place.relative_to(folder)): Content.of(file) for file, place in named.items()}
            files |= {f"{ADDED}/{name}/{file.name}": Content.of(file) for file in sorted(tables.iterdir())}
            (folder / HEADS).mkdir(parents=True, exist_ok=True)
            Record(f"{_STEP}{name}", run, files, {trained.step: trained.digest}).write(folder)
            for file, place in named.items():
                os.replace(file, place)
    finally:
        _remove_empty(folder)


def remove_added(folder: Path, name: str) -> None:
    """Remove the files of an added task, whole or not, and its record last."""
    arrays_of(folder, name).unlink(missing_ok=True)
    description_of(folder, name).unlink(missing_ok=True)
    shutil.rmtree(folder / ADDED / name, ignore_errors=True)
    _remove_empty(folder)
    place_of(folder, f"{_STEP}{name}").unlink(missing_ok=True)


def check_as_written(folder: Path, name: str) -> None:
    """An InputError where a file of an added task is not as it was written."""
    record = record_of_task(folder, name)
    changed = {} if record is None else faults(record, folder)
    for file, words in changed.items():
        raise InputError(
            f"{folder / file}: {words}, by mtlbio add-task; `mtlbio remove-task {folder} {name}`, then add it again"
        )


def lines_of_added(folder: Path, records: dict[str, Record]) -> list[tuple[str, bool]]:
    """A line per added task, or per fault of one, and whether it is as written; ``records`` are those of the steps."""
    lines = list[tuple[str, bool]]()
    for name in added_tasks(folder):
        try:
            record = record_of_task(folder, name)
        except InputError as error:
            lines.append((f"added {name}: {error}", False))
            continue
        if record is None:
            continue
        found = [f"added {name}: {folder / file}: {words}" for file, words in faults(record, folder).items()]
        found += [
            f"added {name}: stands on other files of step {s} than are there" for s in record.read_others(records)
        ]
        lines += [(line, False) for line in found]
        lines += [] if found else [(f"added {name}: {len(record.files)} files as written", True)]
    return lines


def _remove_empty(folder: Path) -> None:
    for place in (folder / HEADS, folder / ADDED):
        with suppress(OSError):
            place.rmdir()
