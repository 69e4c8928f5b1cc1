"""What is asked of a run beside its steps: sharing, influence, panels, what tasks give up, blocks that are filled."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from mtlbio.cli.base import Described, RunFile, StepResults, app, results_and_command, run_and_command


def _answer(command: Callable, written: Path, *words) -> None:
    """Ask on one thread, and say what comes out and where it was written."""
    from mtlbio.threads import one_thread

    with one_thread():
        sentences = command(*words)
    typer.echo("\n".join([*sentences, str(written)]))


@app.command()
def transfer(
    run: RunFile,
    results: StepResults = None,
    curve: Annotated[
        list[str] | None, typer.Option(metavar="TASK", help="draw this task's learning curve too; may be repeated")
    ] = None,
    draws: Annotated[
        int, typer.Option(min=2, max=10_000, help="draws of the labelled donors, for every point of a curve")
    ] = 5,
) -> None:
    """Which tasks to train together: transfer/{subsets,affinity,groups}.tsv, with --curve curve.tsv and its figure.

    Trains every subset of the tasks on the prepared cohort, on the same folds and seeds as the run.
    """
    described, command = run_and_command(run, "transfer")
    folder = results or Path("results") / described.run
    _answer(command, folder / "transfer", described, folder, curve or [], draws, str(run))


@app.command()
def influence(
    run: RunFile,
    results: StepResults = None,
    most: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="donors without whom the trial is held again; 0 for none")
    ] = 20,
) -> None:
    """Who moves what: influence.tsv, every donor on every task, and influence/*.tsv, which verdict hangs on one donor.

    Reads what prepare wrote, and train and probe where they did; names donors whose measurements look like somebody
    else's. Takes minutes with verdicts, seconds without; run report again to have it on the page.
    """
    described, command = run_and_command(run, "influence")
    folder = results or Path("results") / described.run
    _answer(command, folder / "influence.tsv", described, folder, most)


@app.command()
def panel(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="a prepared run, e.g. results/my_cohort")],
    sizes: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="features of the panels, such as 6,12,24; with --prices what they may cost"),
    ] = None,
    prices: Annotated[Path | None, typer.Option(help="table with the columns feature and price")] = None,
    tasks: Annotated[
        str | None, typer.Option(metavar="A,B", help="tasks that the panels are for; all of the run where left out")
    ] = None,
    described: Described = None,
) -> None:
    """Which few features do for the tasks what all of them do, and whether a confounder or the batch sits among them.

    Chooses panels inside the folds of the run and writes panel/*.tsv: the front of performance against size with paired
    intervals, the smallest that is no worse at the run's margin, its stability, its exchangeable features and its
    verdicts. Takes minutes; run report again to have it on the page.
    """
    from mtlbio.evaluation.panel.limits import sizes_of

    run, command = results_and_command(results, described, "panel")
    _answer(
        command, results / "panel", run, results, sizes_of(sizes), prices, None if tasks is None else tasks.split(",")
    )


@app.command()
def tradeoff(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="a trained run, e.g. results/my_cohort")],
    preferences: Annotated[int, typer.Option(help="weights of the tasks that are trained, 3 or more")] = 25,
    alpha: Annotated[
        float, typer.Option(help="level of the worst case: the mean of the worst 1 - ALPHA of tasks, donors and sites")
    ] = 0.5,
    sites: Annotated[
        str | None, typer.Option(metavar="COVARIATE", help="whose levels are sites; as the run names them if left out")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="table: feature, price; the smaller trunks then are of panels by price")
    ] = None,
    described: Described = None,
) -> None:
    """What one task gains when another gives up, and how few dimensions and features do: tradeoff/*.tsv and a picture.

    Trains all preferences at once on the folds of the run and compares them with it on held-out donors, by intervals
    that hold for all of them at once: a flat front is said to be flat. Takes minutes; nothing else of the run changes.
    """
    run, command = results_and_command(results, described, "tradeoff")
    _answer(command, results / "tradeoff", run, results, preferences, alpha, sites, prices)


@app.command()
def impute(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="a prepared run with blocks, e.g. results/plasma")],
    described: Described = None,
) -> None:
    """Fill blocks that samples lack from those that they have, and say how far off that is.

    Writes impute/features.tsv, the error of every feature in donors held out, and impute/blocks.h5mu, a MuData with a
    modality per block. No prediction and no verdict reads them.
    """
    run, command = results_and_command(results, described, "impute")
    _answer(command, results / "impute", run, results)
