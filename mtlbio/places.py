"""Places that are written: looked at before work starts, and replaced where only a library's cache is concerned."""

import os
import stat
import tempfile
from pathlib import Path

from mtlbio.errors import InputError


def check_writable(folder: str | Path, what: str = "results") -> None:
    """Raise InputError where nothing can be written into a folder that is there, or that is to be made.

    A file is made in the nearest folder that exists, and vanishes: permissions tell little of network disks, and
    nothing of read-only and full ones.
    """
    try:
        near = nearest(folder)
        if not near.is_dir():
            raise InputError(f"{folder}: {what}: {near} is a file; expected a folder, or a name for a new one")
        with tempfile.TemporaryFile(dir=near, prefix=".mtlbio."):
            pass
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        problem = getattr(error, "strerror", None) or error
        raise InputError(
            f"{folder}: {what}: cannot be written ({problem}); expected a folder in which files can be made"
        ) from None


def nearest(folder: str | Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    place = Path(os.path.abspath(folder))
    while place != place.parent:
        try:
            place.lstat()
            break
        except (FileNotFoundError, NotADirectoryError):
            place = place.parent
    return place


def use_writable_caches() -> None:
    """Let libraries keep their caches among temporary files where the usual place cannot be written.

    A home that is read-only or missing is common on clusters and in containers; matplotlib, numba and Snakemake would
    warn or stop.
    """
    home = Path(os.path.expanduser("~"))
    usual = {
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or home / ".cache",
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR")
        or Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "matplotlib"),
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR"),
    }
    wrong = [name for name, place in usual.items() if place is not None and not _can_write(place)]
    if wrong:
        instead = _own_temporary_folder()
        os.environ.update({name: str(instead / name.lower()) for name in wrong})


def _can_write(folder: str | Path) -> bool:
    try:
        near = nearest(folder)  # "~" is left where nobody knows the home
        return not str(folder).startswith("~") and near.is_dir() and os.access(near, os.W_OK | os.X_OK)
    except (OSError, ValueError):
        return False


def _own_temporary_folder() -> Path:
    """A folder of this user's among temporary files, the same each time, so that caches are found again.

    Where somebody else made one of that name a new one is taken. An InputError where there is no temporary folder.
    """
    try:
        place = Path(tempfile.gettempdir(), f"mtlbio-{os.getuid()}")
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return place
        return Path(tempfile.mkdtemp(prefix="mtlbio-"))
    except OSError as error:
        raise InputError(
            f"TMPDIR: no folder for temporary files can be written ({error.strerror or error}); set TMPDIR to one"
        ) from None
