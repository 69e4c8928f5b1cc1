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
from mtlbio.integrity.basis import files_of_data
from mtlbio.integrity.folder import check_claim, claim, refuse_strangers, set_aside, standing, strangers
from mtlbio.integrity.found import (
    CHANGED,
    DAMAGED,
    INTERRUPTED,
    OUTDATED,
    Fault,
    all_else_as_before,
    away,
    find_faults,
    record_of,
)
from mtlbio.integrity.owner import check_owner, forget, let_go, take_over
from mtlbio.integrity.record import place_of, read_record
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
    again : run -> steps that would be taken again, where a workflow only says what it would do (:func:`look`)
    in_order : runs whose time stamps alone are not in order, which such a workflow does not mend either
    """

    def __init__(self) -> None:
        self.again: dict[str, set[str]] = {}
        self.in_order: set[str] = set()
        self.lines: list[str] = []
        self.steps: dict[str, dict[str, tuple[str, int]]] = {}


def begin(runs: Mapping[str, Run], results: Path, locks: Path, strict: bool = False) -> Healing:
    """Make this process the owner of the runs, and find what was changed in their folders.

    An InputError where a folder is somebody else's, another process is at work in it, or somebody's file stands where
    a step writes that is certainly taken; of other steps, :meth:`mtlbio.workflow.Plan.check_strangers` says so when it
    is known which are.

    Parameters
    ----------
    runs : by name
    results : folder of all results
    locks : where Snakemake keeps its locks
    strict : refuse files of somebody wherever any step writes
    """
    healing = Healing()
    for name, run in runs.items():
        check_claim(results / name, words_of(run))
        check_owner(results / name, locks)
        healing.lines += _warnings(results / name, run, strict)
    for name, run in runs.items():
        folder = claim(results / name, words_of(run))
        line = take_over(folder, locks)
        healing.lines += [line] if line else []
        sweep(folder)
        wait_for_orphans(folder)
        found = find_faults(folder, run)
        healing.lines += [one_line(line) for fault in found for line in _mended(folder, fault)]
        broken = _broken(found)
        if broken and all_else_as_before(folder, run, broken):
            healing.steps[name] = {step: _made(away(folder, step)) for step in broken}
        elif not broken and (late := _late(folder, run)) and all_else_as_before(folder, run, broken):
            _put_in_order(folder, late)
            healing.lines.append(f"{folder}: made from what is there now, by content; time stamps are put in order")
    return healing


def look(runs: Mapping[str, Run], results: Path) -> Healing:
    """What :func:`begin` would find, in words of what would be done; nothing is touched.

    :attr:`Healing.again` are the steps of which Snakemake does not know that they would be taken.
    """
    healing = Healing()
    for name, run in runs.items():
        folder = results / name
        if not folder.is_dir():
            continue
        found = find_faults(folder, run)
        broken = _broken(found)
        healing.again[name] = broken
        for fault in found:
            healing.lines += [one_line(line) for line in fault.lines]
            if fault.lines:
                kept = "; what is there would be kept in set_aside"
                healing.lines.append(f"{folder}: step {fault.step} would be taken again{kept}")
        if broken and all_else_as_before(folder, run, broken):
            healing.steps[name] = {step: _made(record_of(folder, step)) for step in broken}
        elif not broken and _late(folder, run) and all_else_as_before(folder, run, broken):
            healing.in_order.add(name)
            healing.lines.append(
                f"{folder}: made from what is there now, by content; time stamps would be put in order"
            )
        healing.lines += [f"Warning: {words}" for words in strangers(folder).values()]
    return healing


def _warnings(folder: Path, run: Run, strict: bool) -> list[str]:
    """Of somebody's files where steps write: a line each, or the InputError of :func:`begin`."""
    strange = strangers(folder)
    taken = {fault.step for fault in find_faults(folder, run)} if strange else set()
    for step in strange:
        if strict or step in taken:
            refuse_strangers(folder, step)
    return [f"Warning: {words}" for words in strange.values()]


def _broken(found: Iterable[Fault]) -> set[str]:
    return {fault.step for fault in found if fault.is_broken}


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


def _mended(folder: Path, fault: Fault) -> list[str]:
    """Put a record away, so that its step is taken again, and give second names to what stands there; lines on it."""
    step, place = fault.step, place_of(folder, fault.step)
    if fault.kind == INTERRUPTED:  # what it makes again goes from there
        set_aside(folder, step, standing(folder, step))
    if fault.kind == DAMAGED:
        set_aside(folder, step, [*standing(folder, step), str(place.relative_to(folder))])
        os.replace(place, place.with_suffix(".damaged"))
        return [f"{fault.lines[0]}; step {step} is taken again"]
    if fault.kind == OUTDATED:
        os.replace(place, away(folder, step))
    if fault.kind == CHANGED:
        aside = set_aside(folder, step, [*(fault.record.files if fault.record else ()), *WRITES[step]])
        os.replace(place, away(folder, step))
        kept = f"what was there is kept in {aside.relative_to(folder)}"
        return [*fault.lines, f"{folder}: step {step} is taken again; {kept}"]
    return []


def _made(path: Path) -> tuple[str, int]:
    record = read_record(path)
    assert record is not None  # it was read a moment ago
    return record.digest, path.stat().st_mtime_ns


def _restore_time(folder: Path, step: str, stamp: int) -> None:
    """Of all outputs of a step."""
    for path in _stamps(folder, step):
        os.utime(path, ns=(stamp, stamp))
