"""A run to begin with: planted data, or a draft of the YAML for own files."""

from pathlib import Path
from typing import Annotated

import typer

from mtlbio.cli.base import app, function_of
from mtlbio.errors import InputError
from mtlbio.places import check_writable
from mtlbio.reading import file_of


@app.command()
def simulate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="folder of the planted cohort")],
    kind: Annotated[
        str, typer.Option(help="cohort (expression), doses (three drugs, a table of features) or protein (chains)")
    ] = "cohort",
    design: Annotated[str, typer.Option(help="clear, correlated, confounded, nested, buried or null")] = "clear",
    seed: Annotated[int, typer.Option(min=0, max=2_000_000_000, help="fixes every number")] = 0,
    donors: Annotated[int | None, typer.Option(max=1_000_000, help="number of donors")] = None,
    genes: Annotated[int | None, typer.Option(max=1_000_000, help="number of genes")] = None,
    batches: Annotated[int | None, typer.Option(max=10_000, help="number of batches")] = None,
    visits: Annotated[int | None, typer.Option(max=1_000, help="samples per donor")] = None,
    few: Annotated[
        int | None, typer.Option(max=1_000_000, help="doses: patients on drug C; A and B have 1,000")
    ] = None,
    chains: Annotated[int | None, typer.Option(max=1_000_000, help="protein: number of chains")] = None,
    name: Annotated[str | None, typer.Option(help="name of the run in run.yaml")] = None,
) -> None:
    """Write data whose truth is planted (a cohort, assays, doses, proteins), and the run.yaml that analyses it."""
    from mtlbio.integrity.folder import check_claim, mark
    from mtlbio.integrity.record import check_unchanged, recorded
    from mtlbio.kinds.commands import simulation_named

    simulation = simulation_named(kind)
    options: dict[str, int | str | None] = {"donors": donors, "genes": genes, "batches": batches, "visits": visits}
    options |= {"few": few, "chains": chains, "design": None if design == "clear" else design}
    options = {key: value for key, value in options.items() if value is not None}
    foreign = [f"--{key}" for key in options if key not in simulation.options]
    if foreign:
        raise InputError(f"{foreign[0]}: not for --kind {kind}; `mtlbio simulate --help` lists what is")
    holds = f"planted data of kind {simulation.name}"
    check_claim(directory, holds)
    check_unchanged(directory, "simulate")
    written = function_of(simulation.function)(directory, name, seed, **options)
    recorded(mark(directory, holds), "simulate", *(file.name for file in directory.iterdir() if file.is_file()))
    typer.echo(f"mtlbio run {written}")


@app.command()
def init(
    expression: Annotated[
        Path, typer.Argument(help="the measurements, samples in rows; or one table of genotypes, numbers and doses")
    ],
    metadata: Annotated[
        Path | None, typer.Argument(help="the samples' description; none for h5ad or a table that holds it")
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="the one file is a table of features, not measurements")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="RUN.yaml", help="the draft that is written")] = Path("run.yaml"),
) -> None:
    """Draft a run's YAML from two files, or from one table of patients; read it and correct it before you run it."""
    from mtlbio.files import replacing
    from mtlbio.intake.notes import noticing
    from mtlbio.kinds import kind_named
    from mtlbio.kinds.commands import kind_of_files

    if out.exists():
        raise InputError(f"{out}: exists already; remove it or name another file with --out")
    if not file_of(expression)[0].exists():
        raise InputError(f"{expression}: no such file; expected the measurements, or a table of patients")
    check_writable(out.absolute().parent, "--out")
    with noticing() as noticed:
        kind = kind_named("table") if table else kind_of_files(expression, metadata)
        text, notes = function_of(kind.commands["draft"])(expression, metadata, out.absolute().parent)
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    said = [f"check this: {note.short}" if note.doubt else note.short for note in noticed]
    for note in [*(line for line in said if line not in notes), *notes]:
        typer.echo(note, err=True)
    typer.echo(f"{out}: a draft; read it, correct it, then: mtlbio plan {out}, and last: mtlbio run {out}")
