"""What is wrong with a cohort, found before any job starts: inside a job the one clear line would drown.

Every cohort is read in a process of its own: several at once, its memory is free again before training, and a damaged
file that brings the process down does so to no other run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.integrity.described import check_described
from mtlbio.integrity.folder import check_claim
from mtlbio.integrity.found import check_strangers
from mtlbio.integrity.owner import check_owner
from mtlbio.integrity.step import words_of
from mtlbio.kinds import STEPS, kind_of
from mtlbio.kinds.base import function_at
from mtlbio.kinds.doubts import doubts
from mtlbio.kinds.read import read_run
from mtlbio.kinds.sources import modules_of_run
from mtlbio.launch.find import Found
from mtlbio.launch.times import check_times
from mtlbio.progress import say, track
from mtlbio.summary.rows import NotStarted
from mtlbio.workflow import is_older

# each holds a cohort in memory
AT_ONCE = 4


def checked(
    runs: list[Found], results: Path, cores: int | None, forced: Collection[str] = ()
) -> tuple[list[Found], list[NotStarted]]:
    """The runs that nothing speaks against, and the others; what is worth a warning is said.

    ``results`` is the folder of all results, ``cores`` how many cohorts are read at once at most, ``forced`` are steps
    that are taken in any case.
    """
    fit, wrong = list[Found](), list[NotStarted]()
    to_read = list[Found]()
    for one in runs:
        try:
            if _glance(one, results / one.run.run, forced):
                to_read.append(one)
            fit.append(one)
            for line in doubts(one.run):
                say(f"Warning: {one.yaml}: {line}")
        except InputError as error:
            wrong.append(_not_started(one, error))
    for one, objection in _read_all(to_read, cores):
        if objection is not None:
            wrong.append(_not_started(one, objection))
            fit.remove(one)
    return fit, wrong


def _not_started(one: Found, error: object) -> NotStarted:
    return NotStarted(one.run.run, str(one.yaml), str(error))


def _glance(one: Found, folder: Path, forced: Collection[str]) -> bool:
    """Look at the folder of the results and at time stamps; whether the cohort itself has to be read."""
    check_claim(folder, words_of(one.run))
    check_owner(folder)
    check_strangers(folder, one.run, forced)
    check_described(folder, one.yaml)
    kind = kind_of(one.run)
    data = [*kind.data_files(one.run), *kind.files_of_trial(one.run)]
    modules = sorted({module for step in STEPS for module in modules_of_run(one.run, step)})
    check_times([one.yaml, *data, *(sorted(folder.rglob("*")) if folder.is_dir() else []), *modules])
    return "check" in kind.commands and is_older(folder / "cohort.h5ad", [one.yaml, *map(Path, data)])


def _read_all(runs: list[Found], cores: int | None) -> Iterator[tuple[Found, str | None]]:
    """What the check of each cohort objects to, None where nothing, as they come."""
    if not runs:
        return
    at_once = min(cores or len(os.sched_getaffinity(0)), AT_ONCE, len(runs))
    pool = ThreadPoolExecutor(at_once)
    try:
        waiting = {pool.submit(_apart, one): one for one in runs}
        message = "Checking the cohort" if len(runs) == 1 else f"Checking {len(runs)} cohorts, {at_once} at once"
        for done, future in enumerate(track(as_completed(waiting), message, len(runs)), 1):
            one, (objection, warnings) = waiting[future], future.result()
            if len(runs) > 1:
                say(f"{one.run.run} ({done} of {len(runs)}): {'not fit to run' if objection else 'checked'}")
            for line in warnings:
                say(f"Warning: {line} (mtlbio plan {one.yaml} says more)")
            yield one, objection
    finally:
        pool.shutdown(cancel_futures=True)


def _apart(one: Found) -> tuple[str | None, list[str]]:
    """What is wrong with a cohort, and warnings; nothing where the check itself fails, as ``prepare`` will then."""
    command = [sys.executable, "-P", "-m", __name__, str(one.yaml)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return None, []
    return answer["objection"], answer["warnings"]


def answer(path: str) -> dict[str, str | list[str] | None]:
    """What the checks of a run's kind say, and what its readers doubt."""
    run = read_run(path)
    commands, warnings = kind_of(run).commands, list[str]()
    try:
        with noticing() as notes:
            function_at(commands["check"])(run)
            if "warned" in commands:
                warnings = list(function_at(commands["warned"])(run))
    except InputError as error:
        return {"objection": str(error), "warnings": []}
    return {"objection": None, "warnings": [*warnings, *(note.short for note in notes if note.doubt)]}


if __name__ == "__main__":
    print(json.dumps(answer(sys.argv[1])))
