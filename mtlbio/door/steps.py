"""The steps of the workflow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mtlbio.door.base import table_at
from mtlbio.faults import keep_tracebacks_in
from mtlbio.integrity.step import make_part
from mtlbio.integrity.step import take as take_step
from mtlbio.kinds.schemas.run import Run

if TYPE_CHECKING:
    from pandas import DataFrame


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
    return table_at(take("prepare", run, results) / "splits.tsv")


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
    return table_at(take("train", run, results) / "predictions.tsv")


def baselines(run: Run, results: str | Path | None = None) -> DataFrame:
    """Fit what the network has to beat.

    Gives ``baselines/predictions.tsv``, in the columns of :func:`train`. An InputError where the run is not prepared.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> sorted(mtlbio.baselines(run)["arm"].unique())
    ['covariates', 'ridge']
    """
    return table_at(take("baselines", run, results) / "baselines" / "predictions.tsv")


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
    return table_at(take("evaluate", run, results) / "metrics.tsv")


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
    return table_at(take("probe", run, results) / "verdicts.tsv")


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


def take(step: str, run: Run, results: str | Path | None = None, part: str | None = None) -> Path:
    """Take a step of the workflow, or make one part of it (docs/scatter.md); gives the folder that it wrote into."""
    folder = Path(results or Path("results") / run.run)
    keep_tracebacks_in(folder)
    if part is None:
        take_step(step, run, folder)
    else:
        make_part(step, run, folder, part)
    return folder
