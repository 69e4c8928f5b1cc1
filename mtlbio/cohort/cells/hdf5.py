"""HDF5 files of users: walked through in a process of its own before they are opened in this one.

The HDF5 library trusts what it reads: a damaged file can send it into a loop without end or crash it, with everything
that the process holds. A child that only walks through the file may.
"""

import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from mtlbio.errors import InputError
from mtlbio.reading import regular_file, understood

# seconds of processor time, and bytes that are walked through in one of them
SECONDS, _BYTES_A_SECOND = 30.0, 20_000_000
# values beyond this are not read twice: large matrices are read in blocks that are looked at one by one
_SMALL = 100_000_000

_survived = set[tuple[str, int, int, int]]()


@contextmanager
def opened_hdf5(path: str | Path, expected: str) -> Iterator[h5py.File]:
    """An open HDF5 file; ``expected`` says what is due. An InputError wherever the library gives up on it."""
    check_walk(path, expected)
    with understood(path, expected), h5py.File(path, "r") as file:
        yield file


def check_walk(path: str | Path, expected: str) -> None:
    """Raise InputError where the library does not survive a walk through the file; what it says itself is not judged.

    Where a process cannot be split in two (only Linux is trusted with that) the file is not looked at.
    """
    found = regular_file(path, expected)
    key = (os.path.abspath(path), found.st_ino, found.st_size, found.st_mtime_ns)
    if key in _survived or not sys.platform.startswith("linux"):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads: the child uses none of what they hold
        child = os.fork()
    if not child:
        _walk_and_exit(path, SECONDS + found.st_size / _BYTES_A_SECOND)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        what = "does not come back from it" if number == signal.SIGPROF else f"crashes on it (signal {number})"
        raise InputError(f"{path}: not {expected}: the HDF5 library {what}; a damaged file")
    _survived.add(key)


def _walk_and_exit(path: str | Path, seconds: float) -> None:
    """Walk through the file and end this process, which is the child."""
    try:
        faulthandler.disable()
        for number in (signal.SIGPROF, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        with h5py.File(path, "r") as file:
            _attributes(file)
            file.visititems(lambda name, item: _look_at(item))
    except BaseException:  # what the library says is heard again where the file is read
        pass
    finally:
        os._exit(0)


def _look_at(item: h5py.Group | h5py.Dataset) -> None:
    try:
        _attributes(item)
        if isinstance(item, h5py.Dataset) and item.size is not None:
            size = item.size * item.dtype.itemsize
            if size < _SMALL and size < 1_000_000 + 10_000 * item.id.get_storage_size():
                item[()]
    except Exception:
        pass


def _attributes(item: h5py.Group | h5py.Dataset) -> None:
    for name in item.attrs:
        try:
            item.attrs[name]
        except Exception:
            pass
