"""Which workflow is at work on a run: nobody has to free what a killed one held."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from mtlbio.errors import InputError
from mtlbio.integrity.process import Process
from mtlbio.integrity.record import MANIFEST

OWNER = f"{MANIFEST}/owner.json"


def owner_of(folder: Path, locks: Path | None = None) -> Process | None:
    """The workflow that last began to work on a run and has not said that it ended.

    ``locks`` is where Snakemake keeps its locks: beside it stands the owner too, should the folder be removed.
    """
    owners = map(Process.kept_in, _places(folder, locks))
    return next((owner for owner in owners if owner is not None), None)


def _places(folder: Path, locks: Path | None) -> list[Path]:
    beside = [] if locks is None else [locks.parent / "mtlbio_owners" / f"{folder.name}.json"]
    return [folder / OWNER, *beside]


def check_owner(folder: Path, locks: Path | None = None) -> Process | None:
    """The former owner of a run, where it is gone; an InputError where another process is at work on it, or may be: one
    of another machine or container, of which nobody here can tell."""
    former = owner_of(folder, locks)
    if former is not None and former != Process.of() and former.is_alive:
        where = "" if former.is_here else f" on {former.host}"
        way = "wait for it" if former.is_here else "if it is no more, add --unlock once"
        raise InputError(f"{folder}: process {former.pid}{where} is at work on this run; {way}")
    return former


def take_over(folder: Path, locks: Path) -> str | None:
    """Make this process the owner of a run; gives a line where the former one ended without saying so.

    An InputError as of :func:`check_owner`.

    Parameters
    ----------
    folder : results of the run
    locks : where Snakemake keeps its locks; those of a process that is no more are removed
    """
    with _one_at_a_time(folder / OWNER):
        former = check_owner(folder, locks)
        if former == Process.of():
            return None
        for place in _places(folder, locks):
            if not _seize(place):
                raise InputError(f"{folder}: another process began to work on this run at the same moment; wait for it")
    if former is None:
        return None
    _free(folder, locks)
    return f"{folder}: taken over from process {former.pid}, which ended before its work did"


@contextmanager
def _one_at_a_time(place: Path) -> Iterator[None]:
    """Look and seize while no other process of this run does; the kernel frees the lock of one that dies.

    The lock is on the folder, so that no file of it stays behind. Where the file system has no locks (Lustre may be
    mounted without, NFS has none on folders), :func:`_seize` alone decides: of several that start within the same
    milliseconds none or one goes on, and where it is one, the file may name another of them.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _seize(place: Path) -> bool:
    """Put this process down as owner, unless another one just did; of several that try at once at most one succeeds.

    What a former owner left is moved away first, which only one can do; a link is made only where there is no file.
    """
    own, gone = (place.with_name(f".mtlbio-{word}-{uuid4().hex}") for word in ("own", "gone"))
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        os.rename(place, gone)
        late = Process.kept_in(gone)
        if late not in (None, Process.of()) and late.is_alive:  # it came between the look and the move
            os.replace(gone, place)
            return False
    try:
        Process.of().keep(own)
        try:
            os.link(own, place)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            os.replace(own, place)
        return True
    finally:
        for path in (own, gone):
            path.unlink(missing_ok=True)


def let_go(folders: Iterable[Path], locks: Path) -> None:
    """Say that the work of this process ended."""
    for folder in folders:
        if owner_of(folder, locks) == Process.of():
            forget(folder, locks)


def forget(folder: Path, locks: Path) -> None:
    """Take whoever owns a run for gone (``--unlock``)."""
    for place in _places(folder, locks):
        with suppress(OSError):
            place.unlink()


def _free(folder: Path, locks: Path) -> None:
    """Remove Snakemake's locks that name a file of the run.

    A lock lists files, one a line, relative to the folder that Snakemake works in, or absolute.
    """
    root = locks.parent.parent
    for lock in sorted(locks.glob("*.lock")) if locks.is_dir() else []:
        names = [root / line for line in lock.read_text(encoding="utf-8", errors="replace").splitlines() if line]
        if any(name.is_relative_to(folder.absolute()) for name in names):
            lock.unlink(missing_ok=True)
