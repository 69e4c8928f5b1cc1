"""Hospitals that may not pool: what each sends, what is made of it, and what each predicts."""

from pathlib import Path
from typing import Annotated

import typer

from mtlbio.cli.base import app, function_of


@app.command("site-update")
def site_update(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="the run of this site, with federation.name")],
    out: Annotated[Path, typer.Option(metavar="UPDATE.npz", help="what leaves the site: sums, hidden by masks")],
    state: Annotated[
        Path | None, typer.Option(metavar="STATE.npz", help="what merge-updates wrote last; left out to join")
    ] = None,
) -> None:
    """What this hospital sends in this round of a study of several that may not pool (docs/federation.md)."""
    typer.echo("\n".join(function_of("mtlbio.commands.federation:site_update")(site, state, out)))


@app.command("merge-updates")
def merge_updates(
    out: Annotated[Path, typer.Option(metavar="STATE.npz", help="the state: read where it is there, and replaced")],
    updates: Annotated[
        list[Path] | None, typer.Argument(metavar="UPDATE.npz...", help="the updates of all sites, in any order")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="SITE", help="a site that is gone: the others begin again")
    ] = None,
) -> None:
    """Add up what the hospitals of a study sent, and say what is to be done next, until it is done."""
    typer.echo(function_of("mtlbio.commands.federation:merge_updates")(updates or [], out, without or []))


@app.command("site-predict")
def site_predict(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="the run of this site, with federation.name")],
    state: Annotated[Path, typer.Option(metavar="STATE.npz", help="the last state, of a study that is done")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="predictions.tsv, slopes.tsv and, with tests, more")],
) -> None:
    """Predict this hospital's donors by the shared head, and by a private one that never leaves it."""
    typer.echo("\n".join(function_of("mtlbio.commands.federation:site_predict")(site, state, out)))
