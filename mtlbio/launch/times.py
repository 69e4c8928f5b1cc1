"""Time stamps that lie in the future: Snakemake would fail at the end of the step that reads such a file."""

import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from mtlbio.errors import InputError

# a file server's clock may be a little ahead, and every step takes longer
TOLERATED = 5.0


def check_times(files: Iterable[str | Path]) -> None:
    """An InputError that names the first file from the future and says what to do."""
    now = time.time()
    ahead = [path for path in map(Path, files) if path.exists() and path.stat().st_mtime > now + TOLERATED]
    if ahead:
        stamp, present = (f"{datetime.fromtimestamp(t):%Y-%m-%d %H:%M:%S}" for t in (ahead[0].stat().st_mtime, now))
        more = f" ({len(ahead) - 1} more like it)" if len(ahead) > 1 else ""
        raise InputError(
            f"{ahead[0]}: its time stamp, {stamp}, lies in the future (now {present}){more}; "
            f"set the clock right, or touch {_quoted(ahead)}"
        )


def _quoted(paths: list[Path]) -> str:
    from shlex import quote

    shown = " ".join(quote(str(path)) for path in paths[:4])
    return shown + (" ..." if len(paths) > 4 else "")
