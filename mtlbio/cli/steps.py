"""The steps of the workflow, all of them at once, and what a design can show before any of them."""

from pathlib import Path
from typing import Annotated

import typer

from mtlbio.cli.base import RunFile, StepResults, app, function_of, run_and_command, say_doubts

_STEPS = {
    "prepare": "Read and check the cohort, assign folds: cohort.h5ad, qc.tsv, splits.tsv.",
    "train": "Fit the replicas of every fold: model/, history.tsv, conflict.tsv, latents.h5ad, predictions.tsv.",
    "baselines": "Fit what the network has to beat: baselines/predictions.tsv.",
    "evaluate": "Score both prediction tables: metrics.tsv, comparisons.tsv, transfer.tsv, label_noise.tsv, "
    "reprobe.tsv.",
    "probe": "Put every dimension on trial: probing/*.tsv, verdicts.tsv.",
    "report": "Draw the figures and the page: report.html, figures/.",
}


_WITH_PARTS = ("train", "probe")
Part = Annotated[
    str | None, typer.Option(metavar="NAME", help="make this part only, for the step to gather (docs/scatter.md)")
]


def _step(step: str, path: Path, results: Path | None, part: str | None = None) -> None:
    from mtlbio.kinds.read import read_run

    function_of("mtlbio.door.steps:take")(step, read_run(path), results, *([] if part is None else [part]))


def _add_step(step: str, line: str) -> None:
    if step in _WITH_PARTS:

        @app.command(step, help=line)
        def of_parts(run: RunFile, results: StepResults = None, part: Part = None) -> None:
            _step(step, run, results, part)

    else:

        @app.command(step, help=line)
        def command(run: RunFile, results: StepResults = None) -> None:
            _step(step, run, results)


for _name, _line in _STEPS.items():
    _add_step(_name, _line)


@app.command("run", context_settings={"ignore_unknown_options": True})
def run_workflow(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN.yaml|FOLDER...", help="runs' descriptions, or folders of them; then Snakemake's options"
        ),
    ],
    cores: Annotated[int | None, typer.Option(min=1, max=100_000, help="cores to use; all where left out")] = None,
    results: Annotated[Path, typer.Option(metavar="DIR", help="folder of all results")] = Path("results"),
) -> None:
    """Run the whole workflow on one run's YAML, or on many at once; then sum up: DIR/summary.tsv, DIR/index.html.

    The first word that begins with a hyphen ends the runs. From there on, what is not listed here goes to Snakemake: -n
    shows what would run, --workflow-profile slurm submits to Slurm, --unlock frees a folder after a killed run.
    """
    raise typer.Exit(function_of("mtlbio.launch.run:run")(runs, cores, results))


@app.command()
def plan(
    run: RunFile,
    dims: Annotated[
        int, typer.Option(min=1, max=1000, help="latent dimensions that the model is expected to find")
    ] = 20,
    results: StepResults = None,
) -> None:
    """What the cohort can show, before anything is trained: plan.tsv.

    The same is printed in words. Reads the metadata and the names of the samples only, and takes seconds.
    """
    from mtlbio.door.base import folder_of
    from mtlbio.integrity.folder import mark
    from mtlbio.integrity.step import words_of

    described, command = run_and_command(run, "plan")
    say_doubts(described)
    folder = folder_of(described, results)
    text = command(described, folder, dims)
    mark(folder, words_of(described))
    typer.echo(f"{text}\n\n{folder / 'plan.tsv'}")
