"""Whether finished results are still what was written: ``mtlbio verify``."""

from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.integrity.added import lines_of_added
from mtlbio.integrity.extras import lines_of_extras
from mtlbio.integrity.folder import check_marked
from mtlbio.integrity.record import Record, faults, place_of, read_record
from mtlbio.kinds import STEPS


def verify(folder: Path) -> tuple[list[str], bool]:
    """A line per step, added task and extra command, and whether every file of all of them is as it was written.

    An InputError where the folder is none of mtlbio's, or holds no step at all.
    """
    check_marked(folder)
    lines, whole, records = list[str](), True, dict[str, Record]()
    for step in STEPS:
        try:
            record = read_record(place_of(folder, step))
        except InputError as error:
            lines, whole = [*lines, f"{step}: {error}"], False
            continue
        if record is None:
            lines, whole = [*lines, f"{step}: not taken, or interrupted"], False
            continue
        records[step] = record
        found = [f"{step}: {folder / name}: {words}" for name, words in faults(record, folder).items()]
        found += [f"{step}: read other files of step {other} than are there" for other in record.read_others(records)]
        whole = whole and not found
        lines += found or [f"{step}: {len(record.files)} {'file' if len(record.files) == 1 else 'files'} as written"]
    for line, good in [*lines_of_added(folder, records), *lines_of_extras(folder, records)]:
        lines, whole = [*lines, line], whole and good
    return lines, whole
