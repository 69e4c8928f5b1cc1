"""Progress on every step that takes more than a moment: lines of the logger ``mtlbio``, level INFO.

A library is silent: the lines reach whoever asks ``logging`` for them. A program calls :func:`show_progress`, as the
command line does; then they are printed to standard error, with a progress bar on a terminal.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import track as _track

T = TypeVar("T")
console = Console(stderr=True)
log = logging.getLogger("mtlbio")
log.addHandler(logging.NullHandler())


class _Lines(logging.Handler):
    """Prints every line as it is."""

    def emit(self, record: logging.LogRecord) -> None:
        console.print(record.getMessage(), highlight=False, markup=False, soft_wrap=True)


def show_progress() -> None:
    """Print progress to standard error from now on: what a program calls, and no import.

    Examples
    --------
    >>> show_progress()
    >>> shown()
    True
    """
    if not any(isinstance(handler, _Lines) for handler in log.handlers):
        log.addHandler(_Lines())
    if not log.isEnabledFor(logging.INFO):  # also where somebody set the level back since
        log.setLevel(logging.INFO)


def shown() -> bool:
    """Whether progress is printed."""
    printed = any(isinstance(handler, _Lines) for handler in log.handlers)
    return printed and log.isEnabledFor(logging.INFO) and not console.quiet


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Iterate with a progress bar where lines are printed on a terminal, and with one line elsewhere."""
    if shown() and sys.stderr.isatty():
        yield from _track(items, description=description, total=total, console=console)
    else:
        say(description)
        yield from items


def say(message: str) -> None:
    """One line about what is going on."""
    log.info(message)


@contextmanager
def hushed() -> Iterator[None]:
    """No progress from what runs inside: a step that is repeated hundreds of times.

    Examples
    --------
    >>> with hushed():
    ...     say("nobody reads this")
    """
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
