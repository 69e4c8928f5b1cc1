"""``mtlbio add-task``: a task that a trained run never saw, on its frozen trunk."""

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio import __version__
from mtlbio.cohort.cohort import read_cohort
from mtlbio.commands.new_labels import check_name, read_labels
from mtlbio.config import Evaluate, Probe
from mtlbio.evaluation.added.answer import answer_of
from mtlbio.evaluation.added.arms import Added, predict_held_out
from mtlbio.evaluation.added.common import outputs_of_kind
from mtlbio.evaluation.added.head import fit_head
from mtlbio.evaluation.added.old_tasks import leaning, predictions_of, sentence
from mtlbio.evaluation.comparisons import score_tables
from mtlbio.evaluation.predictions import collect
from mtlbio.integrity.added import added_tasks, adding, is_there, remove_added
from mtlbio.integrity.step import checked
from mtlbio.model.added import AddedHead, write_head
from mtlbio.model.ensemble import trained_with
from mtlbio.probing.association import association
from mtlbio.probing.audit import LEAST_UNITS, audited
from mtlbio.probing.probe import aligned, checked_latents
from mtlbio.probing.trial import Trial
from mtlbio.tables import COMPARISONS, METRICS, OLD_TASKS, PREDICTIONS, read_table, write_table

SEED = 0


def add_task(
    results: Path, labels: Path, name: str, kind: str, column: str | None = None, keys: dict[str, Any] | None = None
) -> str:
    """A head for a new task on the trunk of a finished run; gives the answer in a sentence.

    Writes ``model/heads/<name>.{safetensors,json}`` and the tables of ``added/<name>/`` (predictions, metrics,
    comparisons, old_tasks, audit, association), and touches no other file of the run.

    Parameters
    ----------
    results : folder of the run; labels : table with samples or donors of the run and the label
    name, kind, column, keys : as in :func:`mtlbio.commands.new_labels.read_labels`

    Raises
    ------
    InputError
        As of :func:`mtlbio.commands.new_labels.read_labels`; or a name that is taken, or a run that is not trained.
    """
    records = checked(results, ("prepare", "train"))
    if name in added_tasks(results) and not is_there(results, name):
        remove_added(results, name)  # what an interrupted call, or a model that is no more, has left
    latents = checked_latents(results / "latents.h5ad")
    cohort = aligned(read_cohort(results / "cohort.h5ad"), latents)
    check_name(name, cohort, results)
    task, values = read_labels(labels, cohort, name, kind, column, keys or {})
    n_genes = trained_with(results / "model")["genes"]
    predicted = predictions_of(read_table(results / "predictions.tsv", PREDICTIONS), cohort.samples)
    old = outputs_of_kind(task, cohort.tasks, cohort.obs, predicted)
    added = Added(task, values, np.asarray(latents.X, dtype=float), cohort, n_genes, old)
    predictions, options = predict_held_out(added, SEED), Evaluate()
    families = None if cohort.families is None else pd.Series(cohort.families, index=cohort.samples)
    scores = collect(predictions, task, families)
    answer = answer_of(scores, options.bootstrap, options.seed, options.margin)
    metrics, comparisons = score_tables([scores], options.bootstrap, options.seed, options.margin)
    leans = on_old_tasks(predicted, added)
    with adding(results, name, records["train"].run, records["train"]) as staged:
        write_table(predictions, staged.tables / "predictions.tsv", PREDICTIONS)
        write_table(metrics, staged.tables / "metrics.tsv", METRICS)
        write_table(comparisons, staged.tables / "comparisons.tsv", COMPARISONS)
        write_table(leans, staged.tables / "old_tasks.tsv", OLD_TASKS)
        for table, content in tried(added, latents).items():
            write_table(content, staged.tables / f"{table}.tsv")
        about = {"mtlbio": __version__, "labels": labels.name, "answer": answer.saved()}
        write_head(final_head(added), staged.arrays, staged.description, about)
    return "\n".join(line for line in (answer.sentence(name), sentence(name, leans)) if line)


def final_head(added: Added) -> AddedHead:
    """The head that is stored, of all labels."""
    rows, cohort = added.labelled, added.cohort
    labels = added.latents[rows], added.y[rows], cohort.donors[rows], cohort.clusters[rows]
    return fit_head(added.task, added.prior(np.ones(len(added.y), dtype=bool)), *labels)


def on_old_tasks(predicted: pd.DataFrame, added: Added) -> pd.DataFrame:
    """Which of the run's own tasks the new one leans on: ``old_tasks.tsv``."""
    rows, cohort = added.labelled, added.cohort
    return leaning(added.task, predicted, rows, added.y[rows], cohort.donors[rows], cohort.clusters[rows], SEED)


def tried(added: Added, latents: ad.AnnData) -> dict[str, pd.DataFrame]:
    """The new task on the dimensions of the run, beside the run's covariates: its rows of ``audit.tsv`` and
    ``association.tsv``, or nothing where fewer than four samples have all covariates."""
    cohort, name = added.cohort, added.task.name
    obs = cohort.obs.assign(**{name: added.column})
    trial = Trial.of_latents(latents, obs, {name: added.task}, cohort.covariates, Probe())
    if trial.mask.sum() < LEAST_UNITS:
        return {}
    trial, design = audited(trial)
    table = association(trial)
    return {"audit": design, "association": table[table["variable"] == name].reset_index(drop=True)}
