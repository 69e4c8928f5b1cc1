"""Writing without leaving anything half-written: a temporary name first, then a rename."""

import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from mtlbio.errors import InputError


def _machine() -> str:
    """Letters and digits for this machine, and for the container, in which numbers of processes are others."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return "".join(filter(str.isalnum, f"{socket.gethostname()[:20]}{space.removeprefix('pid:')}")) or "host"


_HOST = _machine()
# .mtlbio-<host>-<pid>-<random>: what a killed process leaves can be told from what another one is writing
_TEMPORARY = re.compile(r"\.mtlbio-([^\W_]+)-(\d+)-\w+")
_ABANDONED = 48 * 3600  # seconds after which a temporary folder of another machine counts as left behind

_written: list[tuple[list[Path], Callable[[Path], None]]] = []


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it becomes ``path``, on failure it vanishes.

    The temporary file has the name of ``path``, because writers choose their format by its suffixes.
    Works for a file and, when the caller makes a directory at the temporary path, for a directory. Whatever mode a
    writer gives its files, they end with the one that the umask of the process allows.
    """
    path = Path(path)
    with scratch(path.parent) as holder:
        temporary = holder / path.name
        yield temporary
        _with_modes_of_the_umask(temporary)
        for _, object_to in _written:
            object_to(path)
        if path.is_dir() and not temporary.is_dir():
            raise InputError(f"{path}: found a folder, where mtlbio writes a file; move it elsewhere")
        if path.is_dir() and temporary.is_dir():
            # out of the way by a rename: the folder is never half there for longer than that
            os.replace(path, holder / f"{path.name}.before")
        os.replace(temporary, path)
        for paths, _ in _written:
            paths.append(path)


@contextmanager
def scratch(folder: str | Path) -> Iterator[Path]:
    """Give a temporary folder in ``folder``, which vanishes in the end; :func:`sweep` removes one that was left."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    holder = mkdtemp(prefix=f".mtlbio-{_HOST}-{os.getpid()}-", dir=folder)
    try:
        yield Path(holder)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


@contextmanager
def noting_written(object_to: Callable[[Path], None] = lambda path: None) -> Iterator[list[Path]]:
    """Give a list of the paths that are written with :func:`replacing` meanwhile, in order.

    ``object_to`` is called with each before anything is replaced; its error leaves everything as it was.
    """
    paths: list[Path] = []
    _written.append((paths, object_to))
    try:
        yield paths
    finally:
        _written[:] = [other for other in _written if other[0] is not paths]


def sweep(folder: Path) -> list[Path]:
    """Remove temporary folders below ``folder`` that processes left which are no more; gives those removed.

    Those of another machine only after two days: whether their process is alive cannot be asked from here.
    """
    removed = []
    for below, folders, _ in os.walk(folder):
        found = {name: _TEMPORARY.fullmatch(name) for name in folders}
        for name, match in found.items():
            place = Path(below, name)
            if match and _is_left_behind(place, match[1], int(match[2])):
                shutil.rmtree(place, ignore_errors=True)
                removed.append(place)
        folders[:] = sorted(name for name, match in found.items() if not match)
    return removed


def _is_left_behind(place: Path, host: str, pid: int) -> bool:
    if host != _HOST:
        return time.time() - place.stat().st_mtime > _ABANDONED
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return pid == os.getpid()  # this process has none open where it sweeps, so it is of a former one of its number


def _with_modes_of_the_umask(place: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    inside = [Path(below, name) for below, folders, files in os.walk(place) for name in folders + files]
    for path in (place, *inside):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod((mode & 0o7000) | ((0o777 if path.is_dir() else 0o666 | (mode & 0o111)) & ~umask))
