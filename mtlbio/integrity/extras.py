"""What a command adds to a run as a folder of its own, such as ``panel/``, recorded as the files of a step are.

The folder is made under another name and takes its own when all of it is there. Its record is written just before: a
process that is killed in between leaves one that names other files than are there, which the next call makes anew.
Neither a step nor another command writes there.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.integrity.record import Content, Record, faults, place_of, read_record

EXTRAS = ("panel", "tradeoff", "impute")


@contextmanager
def writing(folder: Path, name: str, reads: dict[str, Record]) -> Iterator[Path]:
    """Give a place for the files of a command; on success they are its folder, on failure they vanish.

    ``reads``: records of the steps whose files the command has read.

    An InputError where something stands there that mtlbio did not write.
    """
    check_own(folder, name)
    run = next(iter(reads.values())).run
    digests = {step: record.digest for step, record in reads.items()}
    with replacing(folder / name) as place:
        place.mkdir()
        yield place
        files = {f"{name}/{file.name}": Content.of(file) for file in sorted(place.iterdir())}
        Record(name, run, files, digests).write(folder)


def check_own(folder: Path, name: str) -> None:
    """An InputError where a file stands in the place of a command's folder that the command did not write."""
    place, record = folder / name, read_record(place_of(folder, name))
    there = [file for file in sorted(place.rglob("*")) if not file.is_dir()] if place.is_dir() else [place]
    known = set() if record is None else set(record.files)
    for file in there:
        if os.path.lexists(file) and str(file.relative_to(folder)) not in known:
            raise InputError(f"{file}: mtlbio did not write it, and mtlbio {name} would write there; move it elsewhere")


def lines_of_extras(folder: Path, records: dict[str, Record]) -> list[tuple[str, bool]]:
    """A line per command that wrote here, or per fault, and whether it is as written; ``records`` are the steps'."""
    lines = list[tuple[str, bool]]()
    for name in EXTRAS:
        try:
            record = read_record(place_of(folder, name))
        except InputError as error:
            lines.append((f"{name}: {error}", False))
            continue
        if record is None:
            continue
        found = [f"{name}: {folder / file}: {words}" for file, words in faults(record, folder).items()]
        found += [f"{name}: read other files of step {step} than are there" for step in record.read_others(records)]
        lines += [(line, False) for line in found] or [(f"{name}: {len(record.files)} files as written", True)]
    return lines
