"""Step ``evaluate``: how good is every arm, does sharing help, are the labels sound, and can the batch be read?"""

from pathlib import Path

import pandas as pd

from mtlbio.cohort.cohort import parse_schema, read_latents
from mtlbio.cohort.family import FAMILY
from mtlbio.evaluation.comparisons import on_trial, score_tables
from mtlbio.evaluation.label_noise import label_noise
from mtlbio.evaluation.predictions import collect, read_predictions, read_predictions_of_sites
from mtlbio.evaluation.reprobe import reprobe
from mtlbio.evaluation.sites import sites_left_out
from mtlbio.evaluation.transfer import transfer
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.labels import Label
from mtlbio.progress import track
from mtlbio.tables import COMPARISONS, LABEL_NOISE, METRICS, REPROBE, SITES_LEFT_OUT, TRANSFER, write_table


def evaluate(run: DonorRun, results: Path) -> None:
    """Both predictions.tsv, latents.h5ad -> metrics, comparisons, transfer, label_noise and reprobe.tsv.

    With ``splits.also`` also the predictions of whole sites -> sites_left_out.tsv.

    Out-of-fold predictions of all folds are scored together, after the seeds of an arm are averaged, on labelled
    samples only. Metrics are per sample, their intervals by bootstrap of donors, or families where they are known.

    Raises
    ------
    InputError
        A table or ``latents.h5ad`` is missing.
    """
    results = Path(results)
    table = read_predictions(results)
    latents = read_latents(results / "latents.h5ad")
    tasks = parse_schema(latents.uns["mtlbio"])[0]  # without auxiliary ones, which nobody predicts
    unpredicted = kind_of(run).part("evaluate", "unpredicted", missing=())(run)
    tasks = {name: t for name, t in tasks.items() if name not in unpredicted or (table["task"] == name).any()}
    options, words = run.evaluate, kind_of(run).vocabulary
    metrics, comparisons, transferred = evaluate_tables(
        table, tasks, options.bootstrap, options.seed, options.margin, words, latents.obs.get(FAMILY)
    )
    write_table(metrics, results / "metrics.tsv", METRICS)
    write_table(comparisons, results / "comparisons.tsv", COMPARISONS)
    write_table(transferred, results / "transfer.tsv", TRANSFER)
    write_table(labels_tested(table, tasks, options.seed, words), results / "label_noise.tsv", LABEL_NOISE)
    if run.splits.also is not None:
        both = table, read_predictions_of_sites(results)
        site = latents.obs[run.splits.also.by].astype(str)
        lost = sites_left_out(*both, tasks, site, options.bootstrap, options.seed, latents.obs.get(FAMILY))
        write_table(lost, results / "sites_left_out.tsv", SITES_LEFT_OUT)
    adversary = run.training.adversary.covariate if run.training.adversary else None
    readings = reprobe(latents, options.bootstrap, options.seed, adversary, words)
    write_table(readings, results / "reprobe.tsv", REPROBE)


def labels_tested(table: pd.DataFrame, tasks: dict[str, Label], seed: int, words: Vocabulary = DONORS) -> pd.DataFrame:
    """Columns of ``mtlbio.tables.LABEL_NOISE``, from a table with the columns of ``mtlbio.tables.PREDICTIONS``."""
    table = table[table["arm"] == on_trial(set(table["arm"]))]
    folds = table.drop_duplicates("sample").set_index("sample")["fold"]
    predicted = [collect(table, task) for task in tasks.values() if (table["task"] == task.name).any()]
    return label_noise(predicted, folds, seed, words)


def evaluate_tables(
    table: pd.DataFrame,
    tasks: dict[str, Label],
    draws: int,
    seed: int,
    margin: float,
    words: Vocabulary = DONORS,
    families: pd.Series | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Metrics, comparisons and verdicts on sharing of a table of predictions.

    Parameters
    ----------
    table : columns of ``mtlbio.tables.PREDICTIONS``, all arms
    tasks : labels by name
    draws, seed : of the donor bootstrap
    margin : see :func:`mtlbio.evaluation.comparisons.call_difference`
    words : of the run, for what is said of sharing
    families : by sample, drawn as a whole; donors where left out

    Returns
    -------
    metrics : columns of ``mtlbio.tables.METRICS``
    comparisons : columns of ``mtlbio.tables.COMPARISONS`` and ``best_baseline`` (yes, no)
    transfer : columns of ``mtlbio.tables.TRANSFER``
    """
    predictions = [collect(table, task, families) for task in tasks.values()]
    scored = track(predictions, f"Scoring {table['arm'].nunique()} arms on {len(tasks)} tasks")
    carriers = {p.task.name: p.carriers for p in predictions}
    return *score_tables(scored, draws, seed, margin), transfer(predictions, carriers, draws, seed, margin, words)
