"""The folder of a run's results, kept in memory as its files."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.integrity.folder import check_claim
from mtlbio.kinds.schemas.run import Run


def files_in(folder: Path) -> dict[str, bytes]:
    """Path below the folder -> content of its files, in order of their paths."""
    inside = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in inside}


def write_files(files: Mapping[str, bytes], folder: Path, holds: str) -> Path:
    """Write them into a folder that is new, empty or of the same run; gives it.

    ``holds``: what the mark of the folder says. An InputError where it is somebody else's.
    """
    check_claim(folder, holds)
    for name, content in files.items():
        with replacing(folder / name) as temporary:
            temporary.write_bytes(content)
    return folder


@contextmanager
def unpacked(files: Mapping[str, bytes], holds: str) -> Iterator[Path]:
    """A folder with these files, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="mtlbio_") as temporary:
        yield write_files(files, Path(temporary), holds)


def check_results(results: str | Path) -> Path:
    """The path of a folder of results; an InputError where it holds no trained model."""
    folder = Path(results).expanduser()
    if not (folder / "model").is_dir():
        raise InputError(f"{folder}: no trained model in it; expected a folder that mtlbio.train(..., results=) wrote")
    return folder


@dataclass(frozen=True)
class Stored:
    """A trained model in memory: its run, and the files of its folder."""

    run: Run
    files: Mapping[str, bytes] = field(repr=False)
