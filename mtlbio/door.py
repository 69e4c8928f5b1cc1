"""The steps of a run as functions: what ``import mtlbio`` offers, and what the command line calls.

Every step asks the run's kind for its function, writes the same files as ``mtlbio STEP RUN.yaml``, and gives back the
table that one looks at next. What a step finds missing, or what does not fit, is an
:class:`mtlbio.errors.InputError` of one line. No line is printed unless the program asks for it
(:mod:`mtlbio.progress`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mtlbio.errors import InputError, listing
from mtlbio.faults import keep_tracebacks_in
from mtlbio.files import noting_written
from mtlbio.integrity.folder import check_claim, mark
from mtlbio.integrity.predictions import check_own, record_predictions
from mtlbio.integrity.step import checked, make_part, words_of
from mtlbio.integrity.step import take as take_step
from mtlbio.kinds import KINDS
from mtlbio.kinds.base import function_at, kind_named
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.stored import kind_of_model
from mtlbio.reading import file_of
from mtlbio.threads import one_thread

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["baselines", "evaluate", "influence", "panel", "predict", "prepare", "read_run", "report", "train", "trial"]


def prepare(run: Run, results: str | Path | None = None) -> DataFrame:
    """Read and check the data, assign folds: ``cohort.h5ad``, ``qc.tsv``, ``splits.tsv``.

    Gives ``splits.tsv``, a row per sample that is kept: sample, donor, fold. ``run`` is what :func:`read_run` gives and
    ``results`` the folder of its results, ``results/<run>`` where left out, as for every step. An InputError where the
    data do not fit the run, or the folder is somebody else's.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> folds = mtlbio.prepare(run)
    >>> folds.columns.tolist(), len(folds), sorted(folds["fold"].unique().tolist())
    (['sample', 'donor', 'fold'], 48, [0, 1])
    """
    return _table(take("prepare", run, results) / "splits.tsv")


def train(run: Run, results: str | Path | None = None) -> DataFrame:
    """Fit the replicas of every fold: ``model/``, ``history.tsv``, ``conflict.tsv``, ``latents.h5ad``.

    Gives ``predictions.tsv``, the networks' predictions of held-out samples (columns in docs/tables.md). An InputError
    where the run is not prepared.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> predictions = mtlbio.train(run)
    >>> sorted(predictions["arm"].unique()), sorted(predictions["task"].unique())
    (['multitask', 'singletask'], ['age', 'disease', 'response'])
    """
    return _table(take("train", run, results) / "predictions.tsv")


def baselines(run: Run, results: str | Path | None = None) -> DataFrame:
    """Fit what the network has to beat.

    Gives ``baselines/predictions.tsv``, in the columns of :func:`train`. An InputError where the run is not prepared.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> sorted(mtlbio.baselines(run)["arm"].unique())
    ['covariates', 'ridge']
    """
    return _table(take("baselines", run, results) / "baselines" / "predictions.tsv")


def evaluate(run: Run, results: str | Path | None = None) -> DataFrame:
    """Score both prediction tables: ``comparisons.tsv``, ``transfer.tsv``, ``label_noise.tsv``, ``reprobe.tsv``.

    Gives ``metrics.tsv``, a row per arm, task and metric, with its interval over donors. An InputError where
    :func:`train` or :func:`baselines` has not been called.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> metrics = mtlbio.evaluate(run)
    >>> auroc = metrics.query("task == 'disease' and metric == 'auroc'").set_index("arm")["value"]
    >>> sorted(auroc.index), bool(auroc["multitask"] > 0.5)
    (['covariates', 'multitask', 'ridge', 'singletask'], True)
    """
    return _table(take("evaluate", run, results) / "metrics.tsv")


def trial(run: Run, results: str | Path | None = None) -> DataFrame:
    """Put every dimension on trial, the step ``probe`` of the workflow: ``probing/*.tsv``.

    Gives ``verdicts.tsv``, a row per latent dimension. An InputError where the run is not trained.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> verdicts = mtlbio.trial(run)
    >>> verdicts.columns[:3].tolist(), "age" in set(verdicts["driver"])
    (['dim', 'verdict', 'driver'], True)
    """
    return _table(take("probe", run, results) / "verdicts.tsv")


def report(run: Run, results: str | Path | None = None) -> Path:
    """Draw the figures and the page: ``figures/``, ``report.html``.

    Gives the path of the page. An InputError where :func:`trial` has not been called.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> mtlbio.report(run).as_posix()
    'results/planted/report.html'
    """
    return take("report", run, results) / "report.html"


def influence(run: Run, results: str | Path | None = None, most: int = 20) -> DataFrame:
    """Who moves what: ``influence.tsv``, ``influence/*.tsv``; no step of the workflow (docs/influence.md).

    Gives ``influence.tsv``, a row per donor and task. ``most``: donors without whom the trial of a run with verdicts is
    held again, to see which verdict hangs on one of them. An InputError where the run is not prepared, or is of a kind
    of which this cannot be asked.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> moves = mtlbio.influence(run, most=2)
    >>> moves["donor"].nunique(), moves["task"].unique().tolist(), bool((moves["rms"] >= 0).all())
    (48, ['disease', 'age', 'response'], True)
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "influence")(run, folder, most)
    return _table(folder / "influence.tsv")


def panel(
    run: Run,
    results: str | Path | None = None,
    sizes: Sequence[float] | None = None,
    prices: str | Path | None = None,
    tasks: Sequence[str] | None = None,
) -> DataFrame:
    """Which few features do what all of them do: ``panel/*.tsv``; no step of the workflow (docs/panels.md).

    Gives ``panel/front.tsv``, a row per task and panel. An InputError where the run is not prepared, or is of a kind of
    which this cannot be asked.

    Parameters
    ----------
    run : a cohort or a table of features, prepared
    results : folder of its results
    sizes : numbers of features; with ``prices`` what a panel may cost
    prices : table with the columns ``feature`` and ``price``
    tasks : that the panels are for, all where left out

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> front = mtlbio.panel(run, sizes=[6, 12])
    >>> front.query("panel == 'shared'").groupby("task")["size"].apply(list).to_dict()
    {'age': [6, 12], 'disease': [6, 12], 'response': [6, 12]}
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "panel")(run, folder, sizes, None if prices is None else Path(prices), tasks)
    return _table(folder / "panel" / "front.tsv")


def tradeoff(
    run: Run,
    results: str | Path | None = None,
    preferences: int = 25,
    alpha: float = 0.5,
    sites: str | None = None,
) -> DataFrame:
    """What one task gains when another gives up: ``tradeoff/``; no step of the workflow (docs/tradeoff.md).

    Gives ``tradeoff/front.tsv``. An InputError where the run is not trained, or is of a kind of which this cannot be
    asked.

    Parameters
    ----------
    run : a cohort or a table of features, trained
    results : folder of its results
    preferences : how many weights of the tasks are trained, 3 or more
    alpha : level of the worst case: the mean of the worst 1 - alpha of tasks, donors and sites
    sites : covariate whose levels are sites; as the run names them if left out

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> front = mtlbio.tradeoff(run, preferences=4)
    >>> sorted(front["task"].unique())
    ['age', 'disease', 'response']
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "tradeoff")(run, folder, preferences, alpha, sites)
    return _table(folder / "tradeoff" / "front.tsv")


def impute(run: Run, results: str | Path | None = None) -> DataFrame:
    """Blocks that samples lack, filled from those that they have: ``impute/``; no step (docs/assays.md).

    Gives ``impute/features.tsv``, what the filling of every feature is off by in donors held out. An InputError where
    the run is not prepared, has no ``blocks``, or no sample lacks one.

    Examples
    --------
    >>> run = mtlbio.read_run("assays/run.yaml")
    >>> _ = mtlbio.prepare(run)
    >>> features = mtlbio.impute(run)
    >>> features.groupby("block")["from"].unique().str.join("").to_dict()
    {'proteins': 'rna', 'rna': 'proteins'}
    """
    folder = folder_of(run, results)
    with one_thread():
        command_of(run, "impute")(run, folder)
    return _table(folder / "impute" / "features.tsv")


def command_of(run: Run, command: str) -> Callable:
    """The function of a command for a run; an InputError where its kind has none."""
    place = kind_named(run.kind).commands.get(command)
    if place is None:
        valid = [kind.name for kind in KINDS.values() if command in kind.commands]
        raise InputError(f"{command}: found a run of kind {run.kind!r}; it is for runs of kind {listing(valid)}")
    return function_at(place)


def predict(
    run: Run,
    new: str | Path,
    results: str | Path | None = None,
    out: str | Path | None = None,
    *,
    standardise: str = "training",
    sites: str | Path | None = None,
    profiles: str | Path | None = None,
    embeddings: str | Path | None = None,
    anyway: bool = False,
    tasks: str | None = None,
    force: bool = False,
) -> DataFrame:
    """Predict the tasks of new samples with the final ensemble.

    Gives ``predictions.tsv``: a row per sample and task; of proteins per residue. An InputError where there is no
    model, where new samples do not fit it, where somebody has changed what would be written over, and for an option of
    another kind of run.

    Parameters
    ----------
    run : whose model predicts
    new : file of the new samples, in the format of the run's own; of proteins FASTA
    results : folder of the trained run
    out : folder that is written; ``<results>/predict/<file name>`` where left out
    standardise : of cohorts: ``training`` by the training cohort's means, ``cohort`` by the new samples' own
    sites : of cohorts and tables whose heads know sites (``training.sites``): table of the new samples' sites
    profiles, embeddings : of the new chains, where a model of proteins reads them
    anyway : of cohorts and tables: predict also what is refused as another scale or for too few genes
    tasks : of cohorts and tables: names of tasks, with commas between, also of added ones (docs/add_task.md); all
        of the run's own where left out
    force : write over earlier predictions that somebody has changed

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> new = mtlbio.predict(run, "planted/expression.parquet")
    >>> new["sample"].nunique(), sorted(new["task"].unique())
    (48, ['age', 'disease', 'response'])
    """
    given = {"profiles": profiles, "embeddings": embeddings, "sites": sites}
    files = {name: Path(file) if file else None for name, file in given.items()}
    options = {"standardise": standardise, "anyway": anyway or None, "tasks": tasks, **files}
    folder = apply(Path(results or Path("results") / run.run), Path(new), Path(out) if out else None, options, force)
    return _table(folder / "predictions.tsv")


def take(step: str, run: Run, results: str | Path | None = None, part: str | None = None) -> Path:
    """Take a step of the workflow, or make one part of it (docs/scatter.md); gives the folder that it wrote into."""
    folder = Path(results or Path("results") / run.run)
    keep_tracebacks_in(folder)
    if part is None:
        take_step(step, run, folder)
    else:
        make_part(step, run, folder, part)
    return folder


def apply(
    results: Path, new: Path, out: Path | None, options: Mapping[str, str | Path | bool | None], force: bool = False
) -> Path:
    """Predict new samples with the model in ``results``; gives the folder written."""
    if options["standardise"] not in ("training", "cohort"):
        raise InputError(f"--standardise: found {options['standardise']!r}; valid: training, cohort")
    if not file_of(new)[0].exists():
        raise InputError(f"{new}: no such file; expected the measurements (or sequences) of the new samples")
    if not (results / "model").is_dir():
        raise InputError(f"{results}: no trained model in it; expected the folder of a finished run, results/<run>")
    checked(results, ("train",))  # before a word of model.json is believed
    target, holds = out or results / "predict" / file_of(new)[0].name.split(".")[0], "predictions of new samples"
    check_claim(target, holds)
    replaced = "" if force else check_own(target, new)
    kind = kind_of_model(results / "model")
    foreign = [k for k, value in options.items() if value not in (None, "training") and k not in kind.predict_options]
    if "predict" not in kind.commands:
        raise InputError(f"{results}: a model of kind {kind.name}, of which mtlbio predict knows nothing")
    if foreign:
        valid = [k.name for k in KINDS.values() if foreign[0] in k.predict_options]
        raise InputError(f"--{foreign[0]}: only for runs of kind {listing(valid)}; this one is a {kind.name}")
    function = function_at(kind.commands["predict"])
    with one_thread(), noting_written() as written:
        function(results, new, target, *(options[key] for key in kind.predict_options))
    if replaced:
        from mtlbio.progress import say

        say(replaced)
    return record_predictions(mark(target, holds), written, new)


def add_task(results: Path, labels: Path, name: str, kind: str, column: str | None, keys: Mapping[str, object]) -> str:
    """A head for a new task on the trunk of the model in ``results``; gives the answer in a sentence."""
    if not file_of(labels)[0].exists():
        raise InputError(f"{labels}: no such file; expected a table with samples or donors of the run and a label")
    if not (results / "model").is_dir():
        raise InputError(f"{results}: no trained model in it; expected the folder of a finished run, results/<run>")
    checked(results, ("train",))  # before a word of model.json is believed
    of_run = kind_of_model(results / "model")
    if "add_task" not in of_run.commands:
        valid = [k.name for k in KINDS.values() if "add_task" in k.commands]
        raise InputError(
            f"{results}: a run of kind {of_run.name}; mtlbio add-task is for runs of kind {listing(valid)}"
        )
    with one_thread():
        return function_at(of_run.commands["add_task"])(results, labels, name, kind, column, dict(keys))


def folder_of(run: Run, results: str | Path | None = None) -> Path:
    """The folder of a run's results; an InputError where it is somebody else's."""
    folder = Path(results or Path("results") / run.run)
    check_claim(folder, words_of(run))
    return folder


def _table(path: Path) -> DataFrame:
    from mtlbio.tables import read_table

    return read_table(path)
