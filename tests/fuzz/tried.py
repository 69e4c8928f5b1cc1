"""Mutated files read one after the other in this process, and what came of it.

As a program it is called with ``FIRST LAST NAME...`` and prints a line for every case that is neither read nor refused
in one line; it says before each case which one it is, so that whoever started it knows where it died.
"""

from __future__ import annotations

import faulthandler
import random
import re
import signal
import sys
import tempfile
import traceback
import warnings
from functools import partial
from pathlib import Path

from readers import READERS, fresh

from mtlbio import reading
from mtlbio.cohort.cells import hdf5
from mtlbio.errors import InputError

SECONDS = 20  # a small file is read in a few milliseconds


class Hang(BaseException):
    """A case took too long."""


def _ring(signum, frame):
    raise Hang


def tried(name: str, first: int, last: int, folder: Path, said=lambda text: None) -> tuple[list[str], int]:
    """Wrong outcomes of the mutations ``first`` to ``last``, and how many files were read in spite of theirs."""
    reader, wrong, read = READERS[name], list[str](), 0
    # what a damaged file claims is not allowed to fill this machine, however large it is
    before, reading.memory_bytes = (reading.memory_bytes, hdf5.SECONDS), lambda: 500_000_000
    hdf5.SECONDS = 1.0
    alarm = signal.signal(signal.SIGALRM, _ring)
    faulthandler.dump_traceback_later(4 * SECONDS + (last - first), exit=True)
    try:
        path = reader.make(fresh(folder))
        sound = path.read_bytes()
        reader.read(path)  # the sound file is accepted
        for number in range(first, last):
            draw = random.Random(f"{name} {number}")
            mutated = reader.mutate(sound, draw)
            path.write_bytes(mutated)
            said(f"{number}")
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    reader.read(path)
                read += 1
            except InputError as error:
                line = str(error)
                if "\n" in line or "\r" in line or not line.strip() or not _names(line, path):
                    wrong.append(f"{name} {number}: a line that is none, or names no file: {line[:300]!r}")
            except Hang:
                wrong.append(f"{name} {number}: more than {SECONDS} s")
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)
                own = [f"{Path(f.filename).name}:{f.lineno}" for f in place if "mtlbio/" in f.filename]
                wrong.append(f"{name} {number}: {type(error).__name__}: {str(error)[:150]!r} at {own[-1:]}")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        reading.memory_bytes, hdf5.SECONDS = before
        signal.signal(signal.SIGALRM, alarm)
        faulthandler.cancel_dump_traceback_later()
    return wrong, read


def _names(line: str, path: Path) -> bool:
    """Whether a line names the file, one beside it, its folder, or the key of the YAML that nothing was found for."""
    return str(path.parent) in line or re.match(r"(tasks|chains|splits|qc)[.:]", line) is not None


if __name__ == "__main__":
    first, last, *names = sys.argv[1:]
    for name in names:
        print(name, file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            said = partial(print, file=sys.stderr, flush=True)
            for line in tried(name, int(first), int(last), Path(folder, "f"), said)[0]:
                print(line)
