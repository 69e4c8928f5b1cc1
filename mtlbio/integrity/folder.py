"""Whose folder it is: the mark of mtlbio, files of others in it, and where changed files are set aside."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from mtlbio.errors import InputError, listing
from mtlbio.files import replacing
from mtlbio.integrity.added import added_files
from mtlbio.integrity.record import MANIFEST, read_record
from mtlbio.integrity.steps import REPLACES, WRITES
from mtlbio.places import check_writable

MARK = f"{MANIFEST}/run.json"
ASIDE = "set_aside"


def claim(folder: Path, holds: str) -> Path:
    """Mark a new or an empty folder as one that mtlbio writes, and say what it ``holds``; gives the folder.

    An InputError where it is a file, cannot be written, holds files without a mark, or the mark says that it holds
    something else.
    """
    check_claim(folder, holds)
    return mark(folder, holds)


def mark(folder: Path, holds: str) -> Path:
    """Mark a folder without a look at what is in it; gives the folder."""
    if _held(folder) != holds:
        with replacing(folder / MARK) as temporary:
            temporary.write_text(
                json.dumps({"holds": holds, "mtlbio": version("mtlbio")}, indent=1) + "\n", encoding="utf-8"
            )
    return folder


def check_claim(folder: Path, holds: str) -> None:
    """The InputError of :func:`claim`, without writing anything."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: found a file; expected a folder, or a name for a new one")
    found = _held(folder)
    if found is None and not any(records_of(folder, step) for step in WRITES):
        inside = sorted(os.listdir(folder)) if folder.exists() else []
        strange = [name for name in inside if not name.startswith(".mtlbio-")]
        runs = [name for name in strange if (folder / name / MARK).is_file()]
        if runs:
            raise InputError(
                f"{folder}: the folder of all results; expected that of one run, such as {folder / runs[0]}"
            )
        if strange:
            raise InputError(
                f"{folder}: holds files that mtlbio did not write ({listing(strange, 3)}), and no {MARK}, the mark of "
                "its folders; give a new or an empty folder"
            )
    elif found not in (None, holds):
        raise InputError(f"{folder}: holds {found}, and this is {holds}; give another folder")
    check_writable(folder)


def check_marked(folder: Path) -> None:
    """An InputError where a folder is not one that mtlbio wrote."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected the results of a run, results/<run>")
    if _held(folder) is None and not any(records_of(folder, step) for step in WRITES):
        raise InputError(f"{folder}: no {MARK} in it, the mark of mtlbio's folders; expected the results of a run")


def _held(folder: Path) -> str | None:
    """What the mark says; None where there is none, or a damaged one (then the records of its steps speak)."""
    try:
        return str(json.loads((folder / MARK).read_text(encoding="utf-8"))["holds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def standing(folder: Path, step: str) -> list[str]:
    """What stands where a step writes: its files, and everything in folders that it makes anew."""
    there = [name for name in WRITES[step] if (folder / name).exists()]
    for place in REPLACES.get(step, ()):
        inside = [Path(below, name) for below, _, names in os.walk(folder / place) for name in names]
        there += [str(file.relative_to(folder)) for file in inside if file.name != ".snakemake_timestamp"]
    return there


def refuse_strangers(folder: Path, step: str) -> None:
    """An InputError where a step would write over a file that mtlbio did not write."""
    if strange := _strange(folder, step):
        raise InputError(f"{strange}, and step {step} would write there; move it elsewhere")


def strangers(folder: Path) -> dict[str, str]:
    """Step -> a line on files that stand where it writes and that mtlbio did not write."""
    found = {step: _strange(folder, step) for step in WRITES}
    stays = "it is left alone, and stops the run once that step has something to do"
    return {step: f"{words}, and step {step} writes there: {stays}" for step, words in found.items() if words}


def _strange(folder: Path, step: str) -> str:
    """The first file where a step writes that mtlbio did not write, and how many there are, in words."""
    known = _known(folder, step)
    strange = [] if known is None else sorted(name for name in standing(folder, step) if name not in known)
    many = f"{len(strange)} such {'file' if len(strange) == 1 else 'files'}"
    return f"{folder / strange[0]}: mtlbio did not write it ({many})" if strange else ""


def stranger(folder: Path, step: str) -> Callable[[Path], None]:
    """What a step asks before it replaces a file that it does not always write: an InputError where that is another
    one's."""
    known, whole = _known(folder, step), folder.absolute()

    def object_to(path: Path) -> None:
        if known is None or not path.is_file() or not path.absolute().is_relative_to(whole):
            return
        name = path.absolute().relative_to(whole)
        if str(name) not in known and not is_hidden(name):
            raise InputError(f"{path}: mtlbio did not write it, and step {step} would write there; move it elsewhere")

    return object_to


def is_hidden(name: Path) -> bool:
    """Whether a file is what a step keeps for itself between calls (finished refits), and is no result."""
    return any(part.startswith(".") for part in name.parts)


def _known(folder: Path, step: str) -> set[str] | None:
    """Files that a step wrote, and those of added tasks; None where nobody can tell: the step was interrupted, or its
    record is damaged."""
    records = records_of(folder, step)
    if not records and (folder / MANIFEST / f"{step}.started").exists():
        return None
    known = added_files(folder)
    for path in records:
        try:
            record = read_record(path)
        except InputError:
            return None
        known |= set(record.files) if record else set()
    return known


def records_of(folder: Path, step: str) -> list[Path]:
    """Records of a step that are there: the present one, and the one of files that were found changed."""
    return [path for path in (folder / MANIFEST / f"{step}{end}.json" for end in ("", ".changed")) if path.is_file()]


def set_aside(folder: Path, step: str, names: Iterable[str]) -> Path:
    """A second name for files, below ``set_aside/``, so that whatever happens to the first they are not lost.

    A hard link costs no space; where the file system has none, a copy. Gives the folder, a new one every time.
    """
    number = 1
    while (place := folder / ASIDE / f"{step}.{number}").exists():
        number += 1
    for name in dict.fromkeys(names):
        if (folder / name).is_file():
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(folder / name, target)
            except OSError:
                shutil.copy2(folder / name, target)
    return place
