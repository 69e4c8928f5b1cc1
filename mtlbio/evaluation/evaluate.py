"""Step ``evaluate``: how good is every arm, does sharing help, are the labels sound, and can the batch be read?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anndata as ad
import pandas as pd

from mtlbio.cohort.tolerance import tolerance_of
from mtlbio.errors import InputError
from mtlbio.evaluation.comparisons import MODEL, task_comparisons, task_metrics
from mtlbio.evaluation.label_noise import label_noise
from mtlbio.evaluation.predictions import collect
from mtlbio.evaluation.reprobe import reprobe
from mtlbio.evaluation.transfer import transfer
from mtlbio.kinds.schemas import DonorRun
from mtlbio.progress import track
from mtlbio.tables import COMPARISONS, LABEL_NOISE, METRICS, PREDICTIONS, REPROBE, TRANSFER, read_table, write_table


def evaluate(run: DonorRun, results: Path) -> None:
    """Both predictions.tsv, latents.h5ad -> metrics, comparisons, transfer, label_noise and reprobe.tsv.

    Out-of-fold predictions of all folds are scored together, after the seeds of an arm are averaged, on labelled
    samples only. Metrics are per sample, their intervals by bootstrap of donors.

    Raises
    ------
    InputError
        A table or ``latents.h5ad`` is missing.
    """
    results = Path(results)
    tables = [read_table(results / "predictions.tsv", PREDICTIONS)]
    tables.append(read_table(results / "baselines" / "predictions.tsv", PREDICTIONS))
    table = pd.concat([t for t in tables if len(t)], ignore_index=True)
    tasks = {name: task for name, task in run.tasks.items() if not task.auxiliary}  # nobody predicts the others
    kinds = {name: task.kind for name, task in tasks.items()}
    metrics, comparisons, transferred = evaluate_tables(
        table,
        kinds,
        run.evaluate.bootstrap,
        run.evaluate.seed,
        run.evaluate.margin,
        {n: tolerance_of(t) for n, t in tasks.items()},
    )
    write_table(metrics, results / "metrics.tsv", METRICS)
    write_table(comparisons, results / "comparisons.tsv", COMPARISONS)
    write_table(transferred, results / "transfer.tsv", TRANSFER)
    write_table(labels_tested(table, kinds, run.evaluate.seed), results / "label_noise.tsv", LABEL_NOISE)
    path = results / "latents.h5ad"
    if not path.exists():
        raise InputError(f"{path}: no such file; run `mtlbio train` first")
    adversary = run.training.adversary
    read = reprobe(ad.read_h5ad(path), run.evaluate.bootstrap, run.evaluate.seed, adversary and adversary.covariate)
    write_table(read, results / "reprobe.tsv", REPROBE)


def labels_tested(table: pd.DataFrame, kinds: dict[str, str], seed: int) -> pd.DataFrame:
    """Columns of ``mtlbio.tables.LABEL_NOISE``, from a table with the columns of ``mtlbio.tables.PREDICTIONS``."""
    own = table[table["arm"] == MODEL]
    folds = own.drop_duplicates("sample").set_index("sample")["fold"]
    return label_noise([collect(own, name, kind) for name, kind in kinds.items()], folds, seed)


def evaluate_tables(
    table: pd.DataFrame,
    kinds: dict[str, str],
    draws: int,
    seed: int,
    margin: float,
    within: dict[str, float | None] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Metrics, comparisons and verdicts on sharing of a table of predictions.

    Parameters
    ----------
    table : columns of ``mtlbio.tables.PREDICTIONS``, all arms
    kinds : kind of every task, by name
    draws, seed : of the donor bootstrap
    margin : see :func:`mtlbio.evaluation.comparisons.call_difference`
    within : task -> relative error up to which a prediction counts as right, where that is asked

    Returns
    -------
    metrics : columns of ``mtlbio.tables.METRICS``
    comparisons : columns of ``mtlbio.tables.COMPARISONS`` and ``best_baseline`` (yes, no)
    transfer : columns of ``mtlbio.tables.TRANSFER``
    """
    tasks, metrics, comparisons = [], [], []
    for name in track(list(kinds), f"Scoring {table['arm'].nunique()} arms on {len(kinds)} tasks"):
        predictions = collect(table, name, kinds[name])
        predictions = replace(predictions, task=replace(predictions.task, within=(within or {}).get(name)))
        tasks.append(predictions)
        metrics.append(task_metrics(predictions, draws, seed))
        comparisons.append(task_comparisons(predictions, draws, seed, margin))
    joined = [pd.concat(parts, ignore_index=True) for parts in (metrics, comparisons)]
    return *joined, transfer(tasks, draws, seed, margin)
