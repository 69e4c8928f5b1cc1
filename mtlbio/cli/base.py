"""What commands share: the app they belong to, arguments that several take, and the function of a run's kind."""

from pathlib import Path
from typing import Annotated

import typer

from mtlbio.errors import InputError, listing

app = typer.Typer(
    name="mtlbio",
    help="Multi-task models of omics cohorts, with a verdict on every latent dimension: biology, confounder or batch.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RunFile = Annotated[Path, typer.Argument(metavar="RUN.yaml", help="the run's description (see config/README.md)")]
Described = Annotated[
    Path | None, typer.Option("--run", metavar="RUN.yaml", help="where `mtlbio run` did not make the results")
]
StepResults = Annotated[
    Path | None,
    typer.Option("--results", metavar="DIR", help="folder of this run's results; results/<run> where left out"),
]
Finished = Annotated[Path, typer.Argument(metavar="RESULTS", help="a finished run, e.g. results/my_cohort")]


def function_of(place: str):
    """The function of this name, for a command that shows what is going on."""
    from mtlbio.kinds.base import function_at
    from mtlbio.progress import show_progress

    show_progress()
    return function_at(place)


def run_and_command(path: Path, command: str):
    """The run, and the function that ``command`` calls for its kind; refused where the kind has none."""
    from mtlbio.door.base import kinds_with
    from mtlbio.kinds import kind_of
    from mtlbio.kinds.read import read_run

    run = read_run(path)
    place = kind_of(run).commands.get(command)
    if place is None:
        valid = listing(kinds_with(command))
        raise InputError(f"{path}: kind: found {run.kind!r}; mtlbio {command} is for runs of kind {valid}")
    return run, function_of(place)


def results_and_command(results: Path, described: Path | None, command: str):
    """The same of a folder of results, by the YAML that described it."""
    from mtlbio.integrity.described import described_by
    from mtlbio.integrity.folder import check_marked

    check_marked(results)
    yaml = described or described_by(results)
    if yaml is None:
        raise InputError(f"{results}: which YAML describes it is not known; name it with --run")
    return run_and_command(yaml, command)


def say_doubts(run) -> None:
    """What the YAML says that is hardly meant."""
    from mtlbio.kinds.doubts import doubts

    for line in doubts(run):
        typer.echo(f"Warning: {line}", err=True)
