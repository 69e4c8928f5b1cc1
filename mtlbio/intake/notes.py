"""What readers noticed in a file and acted on: a separator, lines that were skipped, names that look like dates.

A reader says it with :func:`notice` where it happens; who reads for a person (``init``, ``plan``, ``prepare``,
``predict``) gathers the notes and says them in its own way. Notes that nobody gathers are lost, as a library's are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Note:
    """One line about a file.

    Attributes
    ----------
    path : the file (or table) that it is about
    text : what was found and what was done about it, without the path and without line breaks
    doubt : whether a person should look at it (a warning), rather than only know
    """

    path: str
    text: str
    doubt: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"

    @property
    def short(self) -> str:
        """The line with the name of the file in place of its path."""
        return f"{Path(self.path).name}: {self.text}"


_gathering: ContextVar[list[Note] | None] = ContextVar("notes", default=None)


def notice(path: str | Path, text: str, doubt: bool = False) -> None:
    """Say what was found in a file and what was done about it; the same is noted once."""
    notes, note = _gathering.get(), Note(str(path), " ".join(text.split()), doubt)
    if notes is not None and note not in notes:
        notes.append(note)


@contextmanager
def noticing(pass_on: bool = True) -> Iterator[list[Note]]:
    """The list that takes every note of what is read inside; notes inside of an inner one also reach the outer, unless
    the inner one only tries (``pass_on`` False)."""
    outer, notes = _gathering.get(), list[Note]()
    token = _gathering.set(notes)
    try:
        yield notes
    finally:
        _gathering.reset(token)
        if outer is not None and pass_on:
            outer += [note for note in notes if note not in outer]
