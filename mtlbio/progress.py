"""Progress on every step that takes more than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import track as _track

T = TypeVar("T")
console = Console(stderr=True)


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate with a progress bar on a terminal, and with one line in a log file."""
    if sys.stderr.isatty():
        yield from _track(items, description=description, total=total, console=console)
    else:
        say(description)
        yield from items


def say(message: str) -> None:
    """One line about what is going on, to standard error."""
    console.print(message, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def hushed() -> Iterator[None]:
    """No progress from what runs inside: a step that is repeated hundreds of times."""
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before
