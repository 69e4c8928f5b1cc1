"""Predictions of new samples in a folder of their own: what somebody changed there is not written over."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.integrity.record import Content, Record, contents, faults, place_of, read_record

STEP = "predict"
_TABLE, _PICTURES = "predictions.tsv", "pictures"
# Of chains the table has a column per task after these.
_OF_CHAINS = ["sample", "residue", "letter"]


def check_own(folder: Path, new: Path) -> str:
    """An InputError where a file that is about to be written again has been changed, or is somebody else's; gives a
    line to say afterwards where it holds predictions of another file than ``new``, else nothing."""
    record, way = read_record(place_of(folder, STEP)), "--force writes over it, --out names another folder"
    if record is None:  # an earlier mtlbio, or nobody, wrote here
        table = folder / _TABLE
        if table.exists() and not _begins_as_ours(table):
            raise InputError(f"{table}: exists and does not begin as mtlbio predict writes it; {way}")
        return ""
    for name, words in faults(record, folder).items():
        if words != "missing":
            raise InputError(f"{folder / name}: {words}; {way}")
    inside = [str(file.relative_to(folder)) for file in sorted((folder / _PICTURES).glob("*"))]
    strange = [name for name in inside if name not in record.files]
    if strange:
        raise InputError(f"{folder / strange[0]}: mtlbio did not write it, and predict makes its folder anew; {way}")
    if record.data and new.is_file() and record.data[0] != Content.of(new):
        return f"{folder}: held predictions of another file, or of an earlier {new.name}; they were replaced"
    return ""


def record_predictions(folder: Path, written: Iterable[Path], new: Path) -> Path:
    """Record what was written, and of which file of new samples; gives the folder."""
    data = (Content.of(new),) if new.is_file() else ()
    Record(STEP, "", contents(folder, written), data=data).write(folder)
    return folder


def _begins_as_ours(table: Path) -> bool:
    from mtlbio.tables import PREDICTIONS  # here, so that an import of mtlbio loads nothing heavy

    try:
        with table.open(encoding="utf-8") as text:
            head = text.readline().rstrip("\r\n").split("\t")
    except (OSError, ValueError):
        return False
    return any(head[: len(columns)] == columns for columns in (PREDICTIONS, _OF_CHAINS))
