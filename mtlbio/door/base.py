"""What every function of a run asks: its folder, what its kind calls, and the table that is given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mtlbio.errors import InputError, listing
from mtlbio.integrity.folder import check_claim
from mtlbio.integrity.step import words_of
from mtlbio.kinds import KINDS
from mtlbio.kinds.base import function_at, kind_named
from mtlbio.kinds.schemas.run import Run

if TYPE_CHECKING:
    from pandas import DataFrame


def folder_of(run: Run, results: str | Path | None = None) -> Path:
    """The folder of a run's results; an InputError where it is somebody else's."""
    folder = Path(results or Path("results") / run.run)
    check_claim(folder, words_of(run))
    return folder


def kinds_with(command: str) -> list[str]:
    """Names of the kinds of runs that have a command."""
    return [kind.name for kind in KINDS.values() if command in kind.commands]


def command_of(run: Run, command: str) -> Callable:
    """The function of a command for a run; an InputError where its kind has none."""
    place = kind_named(run.kind).commands.get(command)
    if place is None:
        valid = listing(kinds_with(command))
        raise InputError(f"{command}: found a run of kind {run.kind!r}; it is for runs of kind {valid}")
    return function_at(place)


def table_at(path: Path) -> DataFrame:
    """The table of results in a file."""
    from mtlbio.tables import read_table

    return read_table(path)
