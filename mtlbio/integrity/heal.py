"""Before the first job of a workflow: whose the runs are, and what has to be made again because somebody changed it.

Snakemake looks at time stamps, options and modules; it does not see a file that was cut, edited or taken from another
run. So records are compared with the files when the workflow is read. The record of a step with a changed file is put
away, which makes Snakemake take the step again; everything that the step wrote gets a second name first
(:func:`mtlbio.integrity.folder.set_aside`), for Snakemake deletes what a job is about to write.

Where nothing else of the run has changed, the step will write the same bytes as before, and later steps need not be
taken again: they then see its files as *ancient* (:attr:`Healing.steps`). Otherwise the usual reasons decide.
"""

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from mtlbio.errors import InputError, one_line
from mtlbio.files import sweep
from mtlbio.integrity.basis import basis_of, files_of_data, options_of
from mtlbio.integrity.folder import check_folder, claim, set_aside, standing
from mtlbio.integrity.owner import forget, let_go, take_over
from mtlbio.integrity.record import MANIFEST, Content, Record, faults, place_of, read_record
from mtlbio.integrity.step import wait_for_orphans, words_of
from mtlbio.integrity.steps import READS, REPLACES, WRITES
from mtlbio.kinds import STEPS
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.sources import modules_of_run


class Healing:
    """What the start of a workflow found.

    Attributes
    ----------
    lines : what to say
    steps : run -> step that is taken again though nothing but its files has changed -> digest of what it wrote, and
        when (nanoseconds)
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: dict[str, dict[str, tuple[str, int]]] = {}


def begin(runs: Mapping[str, Run], results: Path, locks: Path) -> Healing:
    """Make this process the owner of the runs, and find what was changed in their folders.

    An InputError where a folder is somebody else's, or another process is at work in it.

    Parameters
    ----------
    runs : by name
    results : folder of all results
    locks : where Snakemake keeps its locks
    """
    healing = Healing()
    for name, run in runs.items():
        check_folder(results / name, words_of(run))
    for name, run in runs.items():
        folder = claim(results / name, words_of(run))
        line = take_over(folder, locks)
        healing.lines += [line] if line else []
        sweep(folder)
        wait_for_orphans(folder)
        broken, lines = _broken(folder, run)
        healing.lines += [one_line(line) for line in lines]
        if broken and _all_else_as_before(folder, run, broken):
            healing.steps[name] = {step: _made(_away(folder, step)) for step in broken}
        elif not broken and (late := _late(folder, run)) and _all_else_as_before(folder, run, broken):
            _put_in_order(folder, late)
            healing.lines.append(f"{folder}: made from what is there now, by content; time stamps are put in order")
    return healing


def _late(folder: Path, run: Run) -> list[str]:
    """Steps whose files are older than what they were made from, as of a copy, or of data or modules that were only
    touched, and the steps after them. Time stamps alone, so that nothing is hashed where all is in order."""
    now, late = time.time_ns(), list[str]()
    for step in STEPS:
        own = _stamps(folder, step).values()
        sources = [*files_of_data(run, step), *map(Path, modules_of_run(run, step))]
        stamps = [path.stat().st_mtime_ns for path in sources if path.exists()]
        stamps += [stamp for other in READS[step] for stamp in _stamps(folder, other).values()]
        older = min(own, default=now) < max(stamps, default=0) <= now
        if older or not set(late).isdisjoint(READS[step]):
            late.append(step)
    return late


def _put_in_order(folder: Path, late: list[str]) -> None:
    """Give these steps' files one time stamp, of now: content says that they were made from what is there."""
    now = time.time_ns()
    for step in late:
        for path in _stamps(folder, step):
            os.utime(path, ns=(now, now))


def _stamps(folder: Path, step: str) -> dict[Path, int]:
    """Time stamps of a step's outputs; of a folder Snakemake looks at a file in it, and benchmarks count as outputs."""
    folders = [folder / name / ".snakemake_timestamp" for name in REPLACES.get(step, ())]
    paths = (*(folder / name for name in WRITES[step]), *folders, place_of(folder, step))
    paths = (*paths, folder / "benchmarks" / f"{step}.tsv")
    return {path: path.stat().st_mtime_ns for path in paths if path.exists()}


def unlock(runs: Iterable[str], results: Path, locks: Path) -> None:
    """Take whoever owns the runs for gone."""
    for name in runs:
        forget(results / name, locks)


def end(healing: Healing, runs: Iterable[str], results: Path, locks: Path) -> None:
    """Let the runs go; files that were made again as they were get their old time stamps, so that nothing follows."""
    for name in runs:
        for step, (digest, stamp) in healing.steps.get(name, {}).items():
            with suppress(InputError, OSError):
                record = read_record(place_of(results / name, step))
                if record is not None and record.digest == digest:
                    _restore_time(results / name, step, stamp)
    let_go((results / name for name in runs), locks)


def _broken(folder: Path, run: Run) -> tuple[set[str], list[str]]:
    """Steps whose files are not what they were, or not of this run's other files; their records are put away."""
    broken, lines, records = set[str](), list[str](), dict[str, Record]()
    for step in STEPS:
        place, away = place_of(folder, step), _away(folder, step)
        try:
            record = read_record(place)
        except InputError as error:
            set_aside(folder, step, [*standing(folder, step), str(place.relative_to(folder))])
            os.replace(place, place.with_suffix(".damaged"))
            broken.add(step)
            lines.append(f"{error}; step {step} is taken again")
            continue
        if record is None:
            if away.exists():
                broken.add(step)
            else:  # of an interrupted step; what it makes again goes from there
                set_aside(folder, step, standing(folder, step))
            continue
        records[step] = record
        found = faults(record, folder)
        strange = _of_another_run(record, records, run, folder)
        if not found and not strange:
            if _is_outdated(record, records, run):
                os.replace(place, away)
                broken.add(step)
            continue
        aside = set_aside(folder, step, [*record.files, *WRITES[step]])
        os.replace(place, away)
        broken.add(step)
        said = [f"{folder / name}: {words}" for name, words in found.items()] or [f"{folder}: {strange}"]
        lines += [f"{line} (by step {step})" for line in said]
        lines.append(f"{folder}: step {step} is taken again; what was there is kept in {aside.relative_to(folder)}")
    return broken, lines


def _of_another_run(record: Record, records: Mapping[str, Record], run: Run, folder: Path) -> str:
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
    for other in record.read_others(records):
        made = place_of(folder, other)
        if made.exists() and place_of(folder, record.step).stat().st_mtime_ns >= made.stat().st_mtime_ns:
            return f"step {record.step} read other files of step {other} than are there"
    return ""


def _is_outdated(record: Record, records: Mapping[str, Record], run: Run) -> bool:
    """Whether a step ran with other options than the YAML says, or read other files than are there.

    Snakemake knows it too, as long as its own records are there, and time stamps are what they were; a restored copy of
    older results has neither.
    """
    options = bool(record.options) and record.options != options_of(run, record.step)
    return options or bool(record.read_others(records))


def _all_else_as_before(folder: Path, run: Run, broken: set[str]) -> bool:
    """Whether every step was made from what is there now, so that the broken ones will be what they were."""
    digests: dict[str, str] = {}
    for step in STEPS:
        path = _away(folder, step) if step in broken else place_of(folder, step)
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


def _away(folder: Path, step: str) -> Path:
    return folder / MANIFEST / f"{step}.changed.json"


def _made(path: Path) -> tuple[str, int]:
    record = read_record(path)
    assert record is not None  # it was read a moment ago
    return record.digest, path.stat().st_mtime_ns


def _restore_time(folder: Path, step: str, stamp: int) -> None:
    """Of all outputs of a step."""
    for path in _stamps(folder, step):
        os.utime(path, ns=(stamp, stamp))
