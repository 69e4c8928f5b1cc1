"""The outer net of the command line: whatever stops a command is one line and an exit status.

Status 2: what a user gave, or a place that cannot be written, also where a library says so; 1: a mistake of mtlbio
itself, whose traceback is saved; 130: Ctrl-C; 141: nobody reads what is printed. Readers of users' files say what is
wrong themselves, by an :class:`mtlbio.errors.InputError`; this is for what slips through.
"""

import errno
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from mtlbio.errors import InputError, one_line

BUG, INPUT, STOPPED, NO_READER = 1, 2, 130, 141

# What the outside does to a program, by class, and by the module that defines the error: no library is imported here.
_CLASSES = (InputError, OSError, EOFError, MemoryError, RecursionError, UnicodeError)
_MODULES = re.compile(
    r"(_?csv|zlib|_?lzma|zipfile|gzip|tarfile|_?struct|json|yaml|pandas\.errors|pyarrow|anndata|h5py|safetensors_rust"
    r"|safetensors|biotite)(\.|$)"
)
_HINTS = {
    errno.ENOSPC: "free some space, or give a folder on another disk",
    errno.EDQUOT: "free some space, or give a folder on another disk",
    errno.EROFS: "give a folder that can be written",
    errno.EACCES: "ask for access, or give another place",
    errno.EPERM: "ask for access, or give another place",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}
_LONGEST = 600  # characters of a line

_folder: list[Path] = []


def keep_tracebacks_in(results: Path) -> None:
    """From now on a traceback is saved below ``logs`` of this folder of results, where it is there by then."""
    _folder[:] = [results]


def run(command: Callable[[], object]) -> int:
    """Call ``command``; gives the exit status. What goes wrong is printed in one line."""
    try:
        command()
        sys.stdout.flush()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except BaseException as error:
        if isinstance(error, BrokenPipeError):
            # the interpreter would complain again when it flushes at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return NO_READER
        if hasattr(error, "exit_code") and not hasattr(error, "format_message"):
            return int(error.exit_code)  # a command that is done early, such as --version
        line, status = told(error)
        print(line, file=sys.stderr)
        return status
    return 0


def told(error: BaseException) -> tuple[str, int]:
    """The line on an error, ``mtlbio: error: ...``, and the exit status; a mistake of mtlbio leaves its traceback."""
    if isinstance(error, KeyboardInterrupt):
        return "mtlbio: stopped by Ctrl-C; call it again to go on", STOPPED
    if hasattr(error, "format_message"):  # the command line itself was wrong
        return _usage(error), INPUT
    if isinstance(error, _CLASSES) or _MODULES.match(type(error).__module__) or _out_of_memory(error):
        if os.environ.get("MTLBIO_TRACEBACK"):
            traceback.print_exception(error)
        line = one_line(str(error)) if isinstance(error, InputError) else _one_line(_words(error))
        return f"mtlbio: error: {line}", INPUT
    text = "".join(traceback.format_exception(error))
    about = f"mtlbio: error: a mistake of mtlbio, {_one_line(_named(error), 300)}"
    place = _saved(f"{' '.join(sys.argv)}\npython {platform.python_version()}, {platform.platform()}\n\n{text}")
    if place is None:
        return f"{about}; its traceback could not be saved and follows\n{text.rstrip()}", BUG
    return f"{about}; please report it with {_one_line(str(place), None)}", BUG


def _usage(error) -> str:
    """The line on a wrong option or command; help where no command was given."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return error.format_message()
    context = getattr(error, "ctx", None)
    where = f"; `{context.command_path} --help` lists what is valid" if context is not None else ""
    return f"mtlbio: error: {_one_line(error.format_message()).rstrip('.')}{where}"


def _words(error: BaseException) -> str:
    """What happened to which file, in words."""
    if _out_of_memory(error):
        return f"{_file_of(error)}: not enough memory ({error or 'no more is free'})"
    if not isinstance(error, OSError):
        return f"{_file_of(error)}: {_named(error)}"
    # the HDF5 library puts what the system said into a long text of its own
    named = re.search(r"filename = '([^']+)'", str(error))
    said = re.search(r"errno = (\d+), error message", str(error))
    code = int(said[1]) if said else error.errno
    problem = os.strerror(code) if code else error.strerror
    path = error.filename if error.filename is not None else named[1] if named else _file_of(error)
    hint = f"; {_HINTS[code]}" if code in _HINTS else ""
    return f"{os.fsdecode(path) if isinstance(path, bytes) else path}: {problem or _named(error)}{hint}"


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _out_of_memory(error: BaseException) -> bool:
    """Whether an error says so; torch has words of its own."""
    of_torch = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and of_torch)


def _file_of(error: BaseException) -> str:
    """The file that the package was busy with when a library gave up: of the innermost frame that holds one."""
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_globals.get("__name__", "").partition(".")[0] == "mtlbio":
            for name, value in frame.f_locals.items():
                is_path = isinstance(value, Path) or (isinstance(value, str) and name in ("path", "source", "file"))
                if is_path and os.path.isfile(value):
                    return str(value)
    return " ".join(["mtlbio", *sys.argv[1:3]])


def _one_line(text: str, longest: int | None = _LONGEST) -> str:
    """Words of a library in one line, in which its own line breaks are blanks."""
    return one_line(" ".join(text.split()), longest)


def _saved(text: str) -> Path | None:
    """File with the traceback: in the results' logs, else among temporary files, else at home; None where none can."""
    for results in _folder:
        try:
            place = results / "logs" / f"{Path(sys.argv[1]).name if sys.argv[1:] else 'mtlbio'}.traceback.txt"
            if results.is_dir():
                place.parent.mkdir(exist_ok=True)
                place.write_text(text, encoding="utf-8", errors="backslashreplace")
                return place.absolute()
        except OSError:
            pass
    for folder in (None, os.path.expanduser("~")):
        try:
            handle, name = tempfile.mkstemp(".traceback.txt", "mtlbio-", folder)
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(name)
        except OSError:
            pass
    return None
