"""Around a step: what it reads is checked first, what it wrote is recorded last."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep

from mtlbio.errors import InputError
from mtlbio.files import noting_written, sweep
from mtlbio.integrity.basis import basis_of, options_of
from mtlbio.integrity.folder import ASIDE, claim, is_hidden, records_of, refuse_strangers, set_aside, standing, stranger
from mtlbio.integrity.process import Process
from mtlbio.integrity.record import MANIFEST, Content, Record, contents, faults, place_of, read_record
from mtlbio.integrity.steps import READS, WRITES
from mtlbio.kinds import kind_of
from mtlbio.kinds.base import function_at
from mtlbio.kinds.schemas.run import Run
from mtlbio.threads import one_thread


def take(step: str, run: Run, folder: Path, function: Callable[[Run, Path], None] | None = None) -> None:
    """Take a step of a run: check what it reads, call its function, record what it wrote.

    ``function`` does the step in place of the kind's, of data in memory: the record then names no files of data.

    An InputError where the folder is somebody else's, holds a stranger's file where the step writes, or a file that the
    step reads is not as it was written.
    """
    claim(folder, words_of(run))
    refuse_strangers(folder, step)
    read = checked(folder, READS[step], run)
    sweep(folder)
    _keep_changed(folder, step)
    basis = basis_of(run, step, files=function is None)
    function, object_to = function or function_at(kind_of(run).steps[step]), stranger(folder, step)
    with _at_work(folder / MANIFEST / f"{step}.started"), noting_written(object_to) as written, one_thread():
        function(run, folder)
    files = {name: content for name, content in contents(folder, written).items() if not is_hidden(Path(name))}
    reads = {other: record.digest for other, record in read.items()}
    record = Record(step, run.run, files, reads, basis.options, basis.modules, basis.data)
    _remove_former(folder, record)
    record.write(folder)


def make_part(step: str, run: Run, folder: Path, part: str) -> None:
    """Make one part of a step (docs/scatter.md), which the step gathers; a part is a record of its own.

    An InputError as of :func:`take`.
    """
    function = function_at(kind_of(run).part_maker(step))
    claim(folder, words_of(run))
    checked(folder, READS[step], run)
    with one_thread():
        function(run, folder, part)


def checked(folder: Path, steps: Iterable[str], run: Run | None = None) -> dict[str, Record]:
    """Records of the steps whose files are about to be read, all of which are as they were written.

    An InputError names the first file that is not, the step that wrote it, and what to do. With ``run``, also where a
    step ran with other options than the YAML says now, or read files that were made again since.
    """
    records: dict[str, Record] = {}
    for step in steps:
        record = read_record(place_of(folder, step))
        if record is None:
            missing = [name for name in WRITES[step] if not (folder / name).exists()]
            if missing:
                raise InputError(f"{folder / missing[0]}: no such file; run `mtlbio {step}` first, or `mtlbio run`")
            raise InputError(
                f"{place_of(folder, step)}: no such file, the record of what step {step} wrote: the step was "
                "interrupted, or an earlier mtlbio wrote it; run it again"
            )
        changed = faults(record, folder)
        for name, words in changed.items():
            more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
            way = f"`mtlbio run` makes it again, and only it (or take step {step} again)"
            raise InputError(f"{folder / name}: {words}, by step {step}{more}; {way}")
        if run is not None and record.options and record.options != options_of(run, step):
            raise InputError(f"{folder}: step {step} ran with other options than the YAML has now; take it again first")
        if stale := record.read_others(records):
            raise InputError(
                f"{folder}: step {step} read other files of step {stale[0]} than are there now; take it again"
            )
        records[step] = record
    return records


def words_of(run: Run) -> str:
    """What the mark of a folder says that it holds."""
    return f"run {run.run}"


def _keep_changed(folder: Path, step: str) -> None:
    """Give a second name to files of the step that somebody changed since, before it writes them anew.

    Of a step that was interrupted nobody knows which they are; copies of what it makes again go when it ends.
    """
    with suppress(InputError):
        record = read_record(place_of(folder, step))
        if record is None:
            if not records_of(folder, step):
                set_aside(folder, step, standing(folder, step))
            return
        changed = faults(record, folder)
        if kept := [name for name in changed if (folder / name).is_file()]:
            from mtlbio.progress import say

            place = set_aside(folder, step, kept)
            say(f"{folder / kept[0]}: {changed[kept[0]]}; what was there is kept in {place.relative_to(folder)}")


@contextmanager
def _at_work(place: Path) -> Iterator[None]:
    """Keep this process in a file while it takes a step; wait for another one of this machine that takes it.

    A workflow that was killed may leave a job behind, which goes on and writes the same files. The file stays: it says
    that what stands where the step writes may be from an interrupted one.
    """
    _wait_for(place)
    Process.of().keep(place)
    try:
        yield
    finally:
        with suppress(OSError):
            place.write_text("", encoding="utf-8")


def wait_for_orphans(folder: Path) -> None:
    """Wait for jobs of this machine that a killed workflow left behind: what they write is about to be looked at."""
    for place in sorted((folder / MANIFEST).glob("*.started")):
        _wait_for(place)


def _wait_for(place: Path) -> None:
    other = Process.kept_in(place)
    if other is not None and other != Process.of() and other.is_here and other.is_alive:
        from mtlbio.progress import say  # which brings rich

        say(f"Process {other.pid}, left from a workflow that ended, is taking step {place.stem}: waiting for it")
        while other.is_alive:
            sleep(0.2)


def _remove_former(folder: Path, record: Record) -> None:
    """Remove what an earlier record of the step names and this one does not, and copies set aside that are here again.

    Only files that are still as they were written: anything else may be somebody's work.
    """
    for path in records_of(folder, record.step):
        with suppress(InputError):
            former = read_record(path)
            gone = set(former.files) - set(record.files) if former else set()
            for name in gone:
                if former and (folder / name).is_file() and Content.of(folder / name) == former.files[name]:
                    (folder / name).unlink()
        path.unlink()
    for place in sorted((folder / ASIDE).glob(f"{record.step}.[0-9]*")):
        for file in [file for file in sorted(place.rglob("*")) if file.is_file()]:
            if record.files.get(str(file.relative_to(place))) == Content.of(file):
                file.unlink()
        _remove_empty(place)


def _remove_empty(place: Path) -> None:
    for below in sorted([place, *(p for p in place.rglob("*") if p.is_dir())], reverse=True):
        with suppress(OSError):
            below.rmdir()
    with suppress(OSError):
        place.parent.rmdir()
