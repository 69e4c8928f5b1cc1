"""What is wrong with the records of a run: looked at by every workflow, also by one that only says what it would do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.integrity.basis import basis_of, files_of_data, options_of
from mtlbio.integrity.folder import refuse_strangers, standing, strangers
from mtlbio.integrity.record import MANIFEST, Content, Record, faults, place_of, read_record
from mtlbio.integrity.steps import READS
from mtlbio.kinds import STEPS
from mtlbio.kinds.schemas.run import Run

DAMAGED, CHANGED, OUTDATED, PUT_AWAY, INTERRUPTED = "damaged", "changed", "outdated", "put away", "interrupted"


@dataclass(frozen=True)
class Fault:
    """Why a step's files cannot stay as they are.

    Attributes
    ----------
    step : which
    kind : ``DAMAGED``, its record cannot be read; ``CHANGED``, its files are not those of the record, or are of another
        run; ``OUTDATED``, it ran with other options or read other files; ``PUT_AWAY``, an earlier workflow found one of
        these and was stopped; ``INTERRUPTED``, files stand where it writes and there is no record
    lines : what is wrong, where that has to be said
    record : what it wrote, where that can be read
    """

    step: str
    kind: str
    lines: tuple[str, ...] = ()
    record: Record | None = None

    @property
    def is_broken(self) -> bool:
        """Whether its record is put away, so that the step is taken again; of an interrupted one there is none."""
        return self.kind != INTERRUPTED


def find_faults(folder: Path, run: Run) -> list[Fault]:
    """Steps whose files are not what they were, or not of this run's other files; in order, nothing is touched."""
    found, records, broken = list[Fault](), dict[str, Record](), set[str]()
    for step in STEPS:
        fault = _fault_of(step, folder, run, records, broken)
        if fault is not None:
            found.append(fault)
            broken |= {step} if fault.is_broken else set()
    return found


def _fault_of(step: str, folder: Path, run: Run, records: dict[str, Record], broken: set[str]) -> Fault | None:
    """``records`` of earlier steps, to which that of this one is added; ``broken`` are those of them with a fault."""
    try:
        record = read_record(place_of(folder, step))
    except InputError as error:
        return Fault(step, DAMAGED, (str(error),))
    if record is None:
        if away(folder, step).exists():
            return Fault(step, PUT_AWAY)
        return Fault(step, INTERRUPTED) if standing(folder, step) else None
    records[step] = record
    changed = faults(record, folder)
    strange = _of_another_run(record, records, run, folder, broken)
    if not changed and not strange:
        return Fault(step, OUTDATED, record=record) if _is_outdated(record, records, run) else None
    said = [f"{folder / name}: {words}" for name, words in changed.items()] or [f"{folder}: {strange}"]
    return Fault(step, CHANGED, tuple(f"{line} (by step {step})" for line in said), record)


def _of_another_run(record: Record, records: Mapping[str, Record], run: Run, folder: Path, broken: set[str]) -> str:
    """What is wrong with a record whose files are as it says, in words: it is of another run's files.

    Files of an earlier state of this run are no such thing: their record is older than those of what they were made
    from, and Snakemake sees that.
    """
    if record.run != run.run:
        return f"the files of step {record.step} are of run {record.run}"
    made_at = place_of(folder, record.step).stat().st_mtime
    files = files_of_data(run, record.step)
    unseen = record.data and all(file.stat().st_mtime <= made_at for file in files)
    if unseen and record.data != tuple(map(Content.of, files)):
        return f"step {record.step} read other data than are there, though their time stamps are older"
    own = place_of(folder, record.step).stat().st_mtime_ns
    for other in record.read_others(records):
        made = place_of(folder, other)
        if other not in broken and made.exists() and own >= made.stat().st_mtime_ns:
            return f"step {record.step} read other files of step {other} than are there"
    return ""


def _is_outdated(record: Record, records: Mapping[str, Record], run: Run) -> bool:
    """Whether a step ran with other options than the YAML says, or read other files than are there.

    Snakemake knows it too, as long as its own records are there, and time stamps are what they were; a restored copy of
    older results has neither.
    """
    options = bool(record.options) and record.options != options_of(run, record.step)
    return options or bool(record.read_others(records))


def steps_to_take(folder: Path, run: Run) -> set[str]:
    """Steps that a workflow will take, as far as the records say: what is not in them, only Snakemake knows.

    Those with a fault, and where anything else is not what it was too, what is made from them.
    """
    found = find_faults(folder, run)
    broken = {fault.step for fault in found if fault.is_broken}
    if broken and all_else_as_before(folder, run, broken):
        return broken
    late = set[str]()
    for step in STEPS:
        record = None if step in broken else read_record(place_of(folder, step))
        if record is None or not basis_of(run, step).may_have_made(record) or not late.isdisjoint(READS[step]):
            late.add(step)
    return late


def check_strangers(folder: Path, run: Run, forced: Iterable[str] = ()) -> None:
    """An InputError where somebody's file stands where a step writes that will be taken.

    ``forced`` are steps that are taken whether anything has changed or not, and with them what is made from them.
    """
    strange, forced = strangers(folder), set(forced)
    for step in STEPS:
        forced |= set() if forced.isdisjoint(READS[step]) else {step}
    taken = steps_to_take(folder, run) | forced if strange else forced
    for step in strange:
        if step in taken:
            refuse_strangers(folder, step)


def all_else_as_before(folder: Path, run: Run, broken: set[str]) -> bool:
    """Whether every step was made from what is there now, so that the broken ones will be what they were."""
    digests: dict[str, str] = {}
    for step in STEPS:
        path = record_of(folder, step) if step in broken else place_of(folder, step)
        try:
            record = read_record(path)
            if record is None or record.run != run.run or not basis_of(run, step).made(record):
                return False
        except (InputError, OSError):
            return False
        digests[step] = record.digest
        if any(record.reads.get(other) != digests[other] for other in READS[step]):
            return False
    return True


def away(folder: Path, step: str) -> Path:
    """Where the record of a step is put that is taken again."""
    return folder / MANIFEST / f"{step}.changed.json"


def record_of(folder: Path, step: str) -> Path:
    """The record of a step, put away or not."""
    return away(folder, step) if away(folder, step).exists() else place_of(folder, step)
