"""Files of users before they are read: what is no file, what cannot fit into memory, what a library says."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.unpacking import unpacked

# compression shrinks zeros to a thousandth; tables and even sparse counts stay far from this.
_MOST_EXPANDED, _FROM = 500, 1_000_000_000
_NUL = "holds NUL bytes; expected text in UTF-8 (of a spreadsheet: CSV UTF-8)"
LONGEST_LINE = 100_000_000  # characters: a million columns of long names are less

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe, which can be read only once"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def regular_file(path: str | Path, expected: str, may_be_empty: bool = False) -> os.stat_result:
    """What the system knows of a file, after a look at whether it can be read at all; ``expected`` says what is due.

    Raises
    ------
    InputError
        No such file, a folder, pipe, socket or device, links in a circle, no permission, nothing in it.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        problem = "no such file" if isinstance(error, FileNotFoundError) else getattr(error, "strerror", None) or error
        raise InputError(f"{path}: {problem}; expected {expected}") from None
    for is_kind, words in _KINDS:
        if is_kind(found.st_mode):
            raise InputError(f"{path}: found {words}; expected {expected}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read (permission denied); expected {expected}")
    if not found.st_size and not may_be_empty:
        raise InputError(f"{path}: empty; expected {expected}")
    return found


def file_of(path: str | Path) -> tuple[Path, str | None]:
    """The file that a path means, and the sheet of a workbook that it may name: ``clinic.xlsx#visit 1``."""
    text = str(path)
    try:
        if "#" not in text or os.path.exists(text):
            return Path(path), None
        file, _, sheet = text.rpartition("#")
        return (Path(file), sheet) if sheet and os.path.isfile(file) else (Path(path), None)
    except (OSError, ValueError):  # too long, NUL
        return Path(path), None


@contextmanager
def understood(path: str | Path, expected: str) -> Iterator[None]:
    """What a library raises on a file that is not what it should be becomes one line; ``expected`` says what is due.

    Only the library's call belongs inside: a mistake of mtlbio would look like one of the file.
    """
    try:
        yield
    except (InputError, KeyboardInterrupt):
        raise
    except MemoryError as error:
        raise InputError(f"{path}: does not fit into memory ({_short(error)})") from None
    except Exception as error:
        if isinstance(error, OSError) and error.strerror and error.filename:
            raise InputError(f"{error.filename}: {error.strerror}; expected {expected}") from None
        raise InputError(f"{path}: not {expected} ({_short(error)})") from None


def check_fits(path: str | Path, size: int | float, what: str = "it") -> None:
    """Raise InputError where ``size`` bytes, as the file claims or has, are more than the memory of this machine."""
    memory = memory_bytes()
    if size > memory:
        raise InputError(
            f"{path}: {what} needs {in_words(size)} of memory; there are {in_words(memory)} here: a damaged file, or a "
            f"larger machine is needed"
        )


def memory_bytes() -> float:
    """Memory that this process may ever have: of the machine, or the least that a job's limits leave of it."""
    limits = [float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))]
    try:
        limits += limits_of_groups(Path("/proc/self/cgroup").read_text())
    except OSError:  # not Linux
        pass
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        limits += [float(limit)] if limit != resource.RLIM_INFINITY else []
    except ImportError:
        pass
    return min(limits)


def limits_of_groups(groups: str, root: Path = Path("/sys/fs/cgroup")) -> list[float]:
    """Limits of the control groups that a process is in, as ``/proc/self/cgroup`` names them, and of those above.

    Slurm and containers set them, in version 1 (a tree for memory alone) or 2.
    """
    limits = []
    for line in groups.splitlines():
        _, controllers, place = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top, name = (root / "memory", "memory.limit_in_bytes") if controllers else (root, "memory.max")
        group = top / place.lstrip("/")
        for folder in (group, *group.parents):
            try:
                limits.append(float((folder / name).read_text()))
            except (OSError, ValueError):  # no limit is called max
                pass
            if folder == top:
                break
    return limits


def in_words(size: float) -> str:
    """A number of bytes as people say it.

    Examples
    --------
    >>> in_words(2_500_000_000), in_words(8e18)
    ('2.5 GB', '8,000,000,000 GB')
    """
    return f"{size / 1e9:,.1f} GB" if size < 1e12 else f"{size / 1e9:,.0f} GB"


def opened(path: str | Path, expected: str, nul: bool = False) -> io.BufferedReader:
    """A text file for reading bytes, decompressed where it is compressed, whatever its name ends in.

    Reading raises InputError where it expands to what no table does, or to more than the memory, and, unless ``nul``,
    at a NUL byte, at which libraries end a cell in silence.
    """
    found = regular_file(path, expected)
    check_fits(path, found.st_size)
    return io.BufferedReader(_Checked(path, found.st_size, nul), 1 << 20)


def text_of(path: str | Path, expected: str, newline: str | None = "", encoding: str = "utf-8-sig") -> io.TextIOWrapper:
    """As :func:`opened`, as text; its line ends are left as they are unless ``newline`` is None."""
    wide = encoding.startswith(("utf-16", "utf-32"))  # half of the bytes of a plain text are NUL there
    return _Text(path, opened(path, expected, nul=wide), encoding=encoding, newline=newline)


def lines_of(text: io.TextIOWrapper, path: str | Path, longest: int = LONGEST_LINE) -> Iterator[str]:
    """Lines of an open text, each with its end; an InputError at one of more than ``longest`` characters."""
    number = 0
    while line := text.readline(longest):
        number += 1
        if len(line) == longest:
            raise InputError(f"{path}: line {number} has more than {longest:,} characters; expected shorter lines")
        yield line


class _Text(io.TextIOWrapper):
    """A text that raises InputError at a NUL character."""

    def __init__(self, path: str | Path, raw: io.BufferedReader, encoding: str, newline: str | None) -> None:
        super().__init__(raw, encoding=encoding, newline=newline)
        self._path = path

    def read(self, size: int | None = -1, /) -> str:
        return self._whole(super().read(size))

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        return self._whole(super().readline(size))

    def _whole(self, text: str) -> str:
        if "\0" in text:
            raise InputError(f"{self._path}: {_NUL}")
        return text


class _Checked(io.RawIOBase):
    """Bytes of a text file, of a compressed file up to what a table may expand to."""

    def __init__(self, path: str | Path, size: int, nul: bool = False) -> None:
        self._path, self._size, self._read, self._memory, self._nul = path, size, 0, memory_bytes(), nul
        self._file = unpacked(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._read += len(data)
        if not self._nul and b"\0" in data:
            raise InputError(f"{self._path}: {_NUL}")
        bomb = self._read > _FROM and self._read > _MOST_EXPANDED * self._size
        if bomb or self._read > self._memory:
            raise InputError(
                f"{self._path}: {in_words(self._size)} that expand to more than {in_words(self._read)}; expected text "
                f"that fits into memory ({in_words(self._memory)}) and shrinks less than {_MOST_EXPANDED} times"
            )
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:160] if text else type(error).__name__
