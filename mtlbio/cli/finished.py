"""What is done with a finished run: new samples are predicted, and tasks are added."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mtlbio.cli.base import Finished, app, function_of


@app.command()
def predict(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="a finished run, e.g. results/my_cohort")],
    expression: Annotated[
        Path,
        typer.Argument(
            metavar="NEW",
            help="new samples in the cohort's format; of a protein run FASTA, of one with blocks a MuData or a "
            "YAML that names a file for each block",
        ),
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="RESULTS/predict/<file name> where left out")] = None,
    standardise: Annotated[
        str, typer.Option(help="training: by the training cohort's means; cohort: by the new samples' own")
    ] = "training",
    profiles: Annotated[Path | None, typer.Option(help="protein run with profiles: those of the new chains")] = None,
    embeddings: Annotated[
        Path | None, typer.Option(help="protein run with embeddings: those of the new chains")
    ] = None,
    sites: Annotated[
        Path | None,
        typer.Option(help="table of the samples' sites, samples in its first column; of a run with training.sites"),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="predict also what is refused as another scale or for too few genes")
    ] = False,
    tasks: Annotated[
        str | None, typer.Option(metavar="A,B", help="these tasks only, added ones by name; the run's own if left out")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="write over earlier predictions that somebody has changed")
    ] = False,
) -> None:
    """Predict the tasks of new samples with the final ensemble: tables, and of chains a picture each."""
    options: dict[str, Any] = {"standardise": standardise, "profiles": profiles, "embeddings": embeddings}
    options |= {"sites": sites, "anyway": anyway or None, "tasks": tasks}
    typer.echo(str(function_of("mtlbio.door.finished:apply")(results, expression, out, options, force)))


@app.command("add-task")
def add_task(
    results: Finished,
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="a table: samples or donors of the run, the label")],
    task: Annotated[str, typer.Option(metavar="NAME", help="name of the new task")],
    kind: Annotated[str, typer.Option(help="kind of label: binary, multiclass, regression, ordinal, survival ...")],
    column: Annotated[str | None, typer.Option(help="column of the label; the task's name where left out")] = None,
    positive: Annotated[str | None, typer.Option(help="binary: the value that counts as 1")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="another key of the kind, as in a YAML; may be repeated"),
    ] = None,
) -> None:
    """A head for a task that a finished run never saw, on its frozen trunk, and whether the trunk helps.

    Needs about ten labelled donors. Every other file of the run stays as it is; `mtlbio predict --tasks NAME` applies
    the head.
    """
    from mtlbio.config.yaml import keys_of

    keys = keys_of(key or [], "--key") | ({} if positive is None else {"positive": positive})
    typer.echo(function_of("mtlbio.door.finished:add_task")(results, labels, task, kind, column, keys))


@app.command("remove-task")
def remove_task(results: Finished, task: Annotated[str, typer.Argument(metavar="NAME", help="an added task")]) -> None:
    """Remove a task that `mtlbio add-task` added; every other file of the run stays as it is."""
    function_of("mtlbio.commands.added_heads:remove_task")(results, task)


@app.command()
def heads(results: Finished) -> None:
    """List the tasks that were added to a run: labels, the metric that decides, and whether the trunk helps."""
    typer.echo(function_of("mtlbio.commands.added_heads:heads")(results))
