"""What is looked up: whether results are whole, the keys of a YAML and its schema."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mtlbio.cli.base import app


@app.command()
def verify(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="results of runs, e.g. results/*")],
) -> None:
    """Whether finished results are still what was written: every file by its SHA-256. Status 1 where one is not."""
    from mtlbio.integrity.verify import verify

    whole, folders = True, [folder for folder in results if folder.is_dir() or len(results) == 1]
    for folder in folders:  # of results/*, not the page and the table of all runs
        lines, good = verify(folder)
        whole = whole and good
        typer.echo("\n".join([str(folder), *(f"  {line}" for line in lines)]))
    raise typer.Exit(0 if whole else 1)


@app.command()
def config() -> None:
    """Print every key of a run's YAML, with its meaning and default (Markdown)."""
    from mtlbio.kinds.reference import config_reference

    typer.echo(config_reference())


@app.command()
def schema() -> None:
    """Print the JSON schema of a run's YAML, for editors."""
    from mtlbio.kinds.reference import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
