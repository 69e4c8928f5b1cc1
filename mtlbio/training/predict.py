"""Applying the final ensemble to samples it has never seen."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import read_latents
from mtlbio.cohort.measurements import Measurements
from mtlbio.files import replacing
from mtlbio.intake.notes import notice, noticing
from mtlbio.labels import Label
from mtlbio.model.added import Predictor, predictors
from mtlbio.model.ensemble import FINAL, Ensemble, load_ensemble, model_description
from mtlbio.progress import say
from mtlbio.tables import CHECKS, PREDICTIONS, write_table
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.genes import in_model_order
from mtlbio.training.new_samples.onto_model import EARLIER, compared, filled, rescaled
from mtlbio.training.new_samples.onto_scale import with_whole_counts
from mtlbio.training.new_samples.read import read_new
from mtlbio.training.new_samples.reference import Reference
from mtlbio.training.new_samples.sites import places_of_sites, read_sites
from mtlbio.training.new_samples.trained_on import prepared


def predict(
    results: Path,
    expression: Path,
    out: Path,
    standardise: str = "training",
    anyway: bool | None = None,
    sites: Path | None = None,
    tasks: str | None = None,
) -> None:
    """Write ``predictions.tsv``, ``checks.tsv`` and ``latents.h5ad`` for new samples.

    Parameters
    ----------
    results : folder of a finished run
    expression : measurements of the new samples, on the scale of the training cohort
    out : folder for the results
    standardise : ``training`` uses the training cohort's mean and spread of every gene; ``cohort`` the new samples'
        own, for another laboratory or platform
    anyway : predict also what is refused because it lies too far from the training samples, or lacks too many genes
    sites : table that says which site each new sample comes from, for a model whose heads know sites
    tasks : names of tasks, with commas between, added ones (docs/add_task.md) among them; the model's own where None

    Raises
    ------
    InputError
        No model, no such task, unreadable or impossible measurements, another scale, too few genes in common, or too
        few samples to rescale on.
    """
    read = partial(read_new, Path(expression))
    predict_read(Path(results), read, str(expression), Path(out), standardise, bool(anyway), sites, tasks)


def predict_read(
    results: Path,
    read: Callable[[Mapping[str, Any], Sequence[str]], Measurements],
    source: str,
    out: Path,
    standardise: str,
    anyway: bool,
    sites: Path | pd.Series | None = None,
    tasks: str | None = None,
) -> None:
    """The same of samples that ``read`` gives, called with the model's preprocessing and its genes.

    ``source`` names them in messages; an InputError as of :func:`predict`.
    """
    checks = Checks(source)
    ensemble, reference = load_ensemble(results / "model"), Reference.read(results / "model")
    preprocessing, chosen = model_description(results / "model")["preprocessing"], predictors(ensemble, results, tasks)
    of_sample = read_sites(sites, ensemble)
    with noticing() as notes:
        data = in_model_order(read(preprocessing, ensemble.genes), ensemble)
        data = with_whole_counts(data, preprocessing["scale"])
        if reference is None:
            notice(data.source, EARLIER, doubt=True)
        known = partial(prepared, results)
        values = compared(data, ensemble, reference, preprocessing, standardise == "training", known, checks)
        if standardise == "cohort":
            values = rescaled(values, ensemble, source)
        checks.settle(anyway)
        say_known(data.source, data.samples, results)
        at = places_of_sites(ensemble, of_sample, data.samples, source)
    for note in notes:
        say(f"Warning: {note}" if note.doubt else str(note))
    values = filled(values, ensemble, reference)
    write_predictions(results, ensemble, values, data.samples, out, checks.table(), chosen, at)


def say_known(source: str, samples: np.ndarray, results: Path) -> None:
    """Say how many samples are called as training samples are."""
    known = set(read_latents(results / "latents.h5ad").obs_names)
    same = [sample for sample in samples if sample in known]
    if same:
        notice(
            source,
            f"{len(same)} of {len(samples)} samples are called as training samples: of those the model knows the "
            "labels, so their predictions are better than those of new ones (predictions.tsv of the run has fair ones)",
        )


def write_predictions(
    results: Path,
    ensemble: Ensemble,
    values: np.ndarray,
    samples: np.ndarray,
    out: Path,
    checks: pd.DataFrame,
    chosen: list[tuple[Label, Predictor]],
    at: np.ndarray | None = None,
) -> None:
    """Predict samples on the scale of the training cohort, and write all three files; ``chosen`` is of
    :func:`mtlbio.model.added.predictors`, ``at``: places of the samples' sites."""
    latents = ensemble.latents(values)
    latents[:, np.isnan(values).all(axis=1)] = np.nan  # nothing is known of the sample
    predicted = [(task, predictor(latents, at)) for task, predictor in chosen]
    write_table(predictions_table(predicted, samples), out / "predictions.tsv", PREDICTIONS)
    write_table(checks, out / "checks.tsv", CHECKS)
    write_new_latents(results / "latents.h5ad", latents.mean(axis=0), samples, out / "latents.h5ad")
    say(f"{len(samples)} samples predicted")


def predictions_table(predictions: list[tuple[Label, np.ndarray]], samples: np.ndarray) -> pd.DataFrame:
    """One row per sample and task (and class): the mean over the replicas, and their spread in ``y_sd``; of every task
    (s, n) or (s, n, classes)."""
    parts = []
    for task, predicted in predictions:
        mean, spread = predicted.mean(axis=0), predicted.std(axis=0)
        unknown = np.full(len(samples), np.nan)
        for row, apart in zip(task.rows(unknown, mean), task.rows(unknown, spread), strict=True):
            about = {"sample": samples, "donor": None, "fold": FINAL, "seed": "ensemble", "arm": "multitask"}
            parts.append(pd.DataFrame(about | {"task": task.name} | row | {"y_sd": apart["y_pred"]}))
    return pd.concat(parts, ignore_index=True)


def write_new_latents(trained: Path, latents: np.ndarray, samples: np.ndarray, path: Path) -> None:
    """The new samples on the axes of the training run, with its dimensions and loadings."""
    reference = ad.read_h5ad(trained)
    adata = ad.AnnData(
        X=latents.astype(np.float32),
        obs=pd.DataFrame(index=pd.Index(samples.astype(str), name="sample")),
        var=reference.var,
        varm={"loadings": reference.varm["loadings"]},
        uns={"genes": reference.uns["genes"], "mtlbio": reference.uns["mtlbio"]},
    )
    with replacing(path) as temporary:
        adata.write_h5ad(temporary)
