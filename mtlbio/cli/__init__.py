"""The command line: parse, check the run's YAML, call one function. A module per family of commands.

Heavy libraries are imported by the function that is called, so that ``mtlbio --help`` answers at once.
"""

import sys
from typing import Annotated

import typer

from mtlbio import __version__, faults
from mtlbio.cli import asked, begin, finished, looked_up, sites, steps
from mtlbio.cli.base import app
from mtlbio.places import use_writable_caches

# in the order of `mtlbio --help`
_FAMILIES = [family.__name__ for family in (steps, asked, begin, finished, sites, looked_up)]
app.registered_commands.sort(key=lambda command: _FAMILIES.index(command.callback.__module__))


def _version(show: bool) -> None:
    if show:
        typer.echo(f"mtlbio {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print and exit")
    ] = False,
) -> None:
    pass


def _called() -> None:
    """What the words of the command line ask for; errors come out as they are."""
    use_writable_caches()
    command = typer.main.get_command(app)
    with command.make_context("mtlbio", sys.argv[1:]) as context:
        command.invoke(context)


def main() -> None:
    """Entry point: whatever goes wrong is one line and an exit status (:mod:`mtlbio.faults`)."""
    sys.exit(faults.run(_called))
