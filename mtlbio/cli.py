"""The command line: parse, check the run's YAML, call one function.

Heavy libraries are imported by the function that is called, so that ``mtlbio --help`` answers at once.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mtlbio import __version__, faults
from mtlbio.errors import InputError, listing
from mtlbio.places import check_writable, use_writable_caches
from mtlbio.reading import file_of

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


def _function(place: str):
    """The function of this name, for a command that shows what is going on."""
    from mtlbio.kinds.base import function_at
    from mtlbio.progress import show_progress

    show_progress()
    return function_at(place)


def _described(path: Path, command: str):
    """The run, and the function that ``command`` calls for its kind; refused where the kind has none."""
    from mtlbio.kinds import KINDS, kind_of
    from mtlbio.kinds.read import read_run

    run = read_run(path)
    place = kind_of(run).commands.get(command)
    if place is None:
        valid = [kind.name for kind in KINDS.values() if command in kind.commands]
        raise InputError(f"{path}: kind: found {run.kind!r}; mtlbio {command} is for runs of kind {listing(valid)}")
    return run, _function(place)


def _of_results(results: Path, described: Path | None, command: str):
    """The same of a folder of results, by the YAML that described it."""
    from mtlbio.integrity.described import described_by
    from mtlbio.integrity.folder import check_marked

    check_marked(results)
    yaml = described or described_by(results)
    if yaml is None:
        raise InputError(f"{results}: which YAML describes it is not known; name it with --run")
    return _described(yaml, command)


def _say_doubts(run) -> None:
    """What the YAML says that is hardly meant."""
    from mtlbio.kinds.doubts import doubts

    for line in doubts(run):
        typer.echo(f"Warning: {line}", err=True)


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
    from mtlbio.door import read_run

    _function("mtlbio.door:take")(step, read_run(path), results, *([] if part is None else [part]))


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
    raise typer.Exit(_function("mtlbio.launch.run:run")(runs, cores, results))


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
    from mtlbio.door import folder_of
    from mtlbio.integrity.folder import mark
    from mtlbio.integrity.step import words_of

    described, function = _described(run, "plan")
    _say_doubts(described)
    folder = folder_of(described, results)
    text = function(described, folder, dims)
    mark(folder, words_of(described))
    typer.echo(f"{text}\n\n{folder / 'plan.tsv'}")


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
    from mtlbio.threads import one_thread

    described, function = _described(run, "transfer")
    folder = results or Path("results") / described.run
    with one_thread():
        sentences = function(described, folder, curve or [], draws, str(run))
    typer.echo("\n".join([*sentences, str(folder / "transfer")]))


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
    from mtlbio.threads import one_thread

    described, function = _described(run, "influence")
    folder = results or Path("results") / described.run
    with one_thread():
        sentences = function(described, folder, most)
    typer.echo("\n".join([*sentences, str(folder / "influence.tsv")]))


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
    from mtlbio.threads import one_thread

    run, function = _of_results(results, described, "panel")
    with one_thread():
        sentences = function(run, results, sizes_of(sizes), prices, None if tasks is None else tasks.split(","))
    typer.echo("\n".join([*sentences, str(results / "panel")]))


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
    described: Described = None,
) -> None:
    """What one task gains when another gives up, and how few dimensions and features do: tradeoff/*.tsv and a picture.

    Trains all preferences at once on the folds of the run and compares them with it on held-out donors, by intervals
    that hold for all of them at once: a flat front is said to be flat. Takes minutes; nothing else of the run changes.
    """
    from mtlbio.threads import one_thread

    run, function = _of_results(results, described, "tradeoff")
    with one_thread():
        sentences = function(run, results, preferences, alpha, sites)
    typer.echo("\n".join([*sentences, str(results / "tradeoff")]))


@app.command()
def impute(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="a prepared run with blocks, e.g. results/plasma")],
    described: Described = None,
) -> None:
    """Fill blocks that samples lack from those that they have, and say how far off that is.

    Writes impute/features.tsv, the error of every feature in donors held out, and impute/blocks.h5mu, a MuData with a
    modality per block. No prediction and no verdict reads them.
    """
    from mtlbio.threads import one_thread

    run, function = _of_results(results, described, "impute")
    with one_thread():
        sentences = function(run, results)
    typer.echo("\n".join([*sentences, str(results / "impute")]))


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
    written = _function(simulation.function)(directory, name, seed, **options)
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
        text, notes = _function(kind.commands["draft"])(expression, metadata, out.absolute().parent)
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    said = [f"check this: {note.short}" if note.doubt else note.short for note in noticed]
    for note in [*(line for line in said if line not in notes), *notes]:
        typer.echo(note, err=True)
    typer.echo(f"{out}: a draft; read it, correct it, then: mtlbio plan {out}, and last: mtlbio run {out}")


@app.command()
def predict(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="a finished run, e.g. results/my_cohort")],
    expression: Annotated[
        Path, typer.Argument(metavar="NEW", help="new samples in the cohort's format; of a protein run: FASTA")
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
    typer.echo(str(_function("mtlbio.door:apply")(results, expression, out, options, force)))


Finished = Annotated[Path, typer.Argument(metavar="RESULTS", help="a finished run, e.g. results/my_cohort")]


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
    typer.echo(_function("mtlbio.door:add_task")(results, labels, task, kind, column, keys))


@app.command("remove-task")
def remove_task(results: Finished, task: Annotated[str, typer.Argument(metavar="NAME", help="an added task")]) -> None:
    """Remove a task that `mtlbio add-task` added; every other file of the run stays as it is."""
    _function("mtlbio.commands.added_heads:remove_task")(results, task)


@app.command()
def heads(results: Finished) -> None:
    """List the tasks that were added to a run: labels, the metric that decides, and whether the trunk helps."""
    typer.echo(_function("mtlbio.commands.added_heads:heads")(results))


@app.command("site-update")
def site_update(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="the run of this site, with federation.name")],
    out: Annotated[Path, typer.Option(metavar="UPDATE.npz", help="what leaves the site: sums, hidden by masks")],
    state: Annotated[
        Path | None, typer.Option(metavar="STATE.npz", help="what merge-updates wrote last; left out to join")
    ] = None,
) -> None:
    """What this hospital sends in this round of a study of several that may not pool (docs/federation.md)."""
    typer.echo("\n".join(_function("mtlbio.commands.federation:site_update")(site, state, out)))


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
    typer.echo(_function("mtlbio.commands.federation:merge_updates")(updates or [], out, without or []))


@app.command("site-predict")
def site_predict(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="the run of this site, with federation.name")],
    state: Annotated[Path, typer.Option(metavar="STATE.npz", help="the last state, of a study that is done")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="predictions.tsv, slopes.tsv and, with tests, more")],
) -> None:
    """Predict this hospital's donors by the shared head, and by a private one that never leaves it."""
    typer.echo("\n".join(_function("mtlbio.commands.federation:site_predict")(site, state, out)))


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
