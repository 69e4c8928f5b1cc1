"""Applying the final ensemble to samples it has never seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import read_latents
from mtlbio.cohort.measurements import Measurements
from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.intake.notes import notice, noticing
from mtlbio.labels import Label
from mtlbio.model.added import Predictor, predictors
from mtlbio.model.ensemble import FINAL, Ensemble, load_ensemble, model_description
from mtlbio.progress import say
from mtlbio.tables import CHECKS, PREDICTIONS, write_table
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.genes import check_measured, in_model_order
from mtlbio.training.new_samples.onto_scale import check_given, check_libraries, on_model_scale, with_whole_counts
from mtlbio.training.new_samples.presence import without_constants
from mtlbio.training.new_samples.read import read_new
from mtlbio.training.new_samples.reference import Reference, held_out_departures
from mtlbio.training.new_samples.scale import Model, check_scale, looks_like
from mtlbio.training.new_samples.sites import places_of_sites, read_sites
from mtlbio.training.new_samples.trained_on import prepared

# A mean and a spread per gene need some samples.
MIN_COHORT = 10
_EARLIER = (
    "the model keeps nothing of its training samples (an earlier mtlbio trained it): the scale of these is not "
    "compared with theirs, and missing genes count as average; train again for both"
)


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
            notice(data.source, _EARLIER, doubt=True)
        used = _compared(data, ensemble, reference, preprocessing, standardise == "training", results, checks)
        if standardise == "cohort":
            used = _rescaled(used, ensemble, source)
        checks.settle(anyway)
        _say_known(data, results)
        at = places_of_sites(ensemble, of_sample, data.samples, source)
    for note in notes:
        say(f"Warning: {note}" if note.doubt else str(note))
    values = _filled(used, ensemble, reference)
    write_predictions(results, ensemble, values, data.samples, out, checks.table(), chosen, at)


def _compared(
    data: Measurements,
    ensemble: Ensemble,
    reference: Reference | None,
    preprocessing: dict,
    of_training: bool,
    results: Path,
    checks: Checks,
) -> np.ndarray:
    """The model's genes (n, p) on its scale, NaN where not measured, after a look at all that may be wrong with them;
    ``of_training``: they are to be standardised as the training samples were."""
    scale, size, raw = preprocessing["scale"], preprocessing["size"], data.dense()
    model = _model(ensemble, reference, preprocessing)
    try:
        check_given(data, scale)
    except InputError as error:
        likely = looks_like(raw, None, model) if model else ""
        raise InputError(f"{error}; the samples {likely}" if likely else str(error)) from None
    share = None if reference is None else reference.library_share
    if scale == "counts":
        check_libraries(raw, size, share, checks)
    values, features = on_model_scale(raw, scale, size, share), ensemble.models[FINAL].features
    used, names = values[:, features.genes_idx], np.array(ensemble.genes)[features.genes_idx]
    if reference is not None:
        used = without_constants(used, names, data.samples, reference, checks)
    rank = None if reference is None else reference.factors.loadings.shape[1]
    known = prepared(results) if np.isnan(used).any() else ""
    check_measured(used, data.samples, ensemble, rank, known, checks)
    if np.isnan(used).all():
        return used
    if model is not None and not isinstance(known, str):  # the training samples with the same genes alone
        measured = np.zeros(len(ensemble.genes), dtype=bool)
        measured[features.genes_idx] = ~np.isnan(used).all(axis=0)
        model = replace(model, held_out=held_out_departures(known[0], ensemble, known[1], measured))
    if of_training and model is not None:
        values[:, features.genes_idx] = used
        check_scale(raw, values, data.samples, model, checks)
    return used


def _say_known(data: Measurements, results: Path) -> None:
    """Say how many samples are called as training samples are."""
    known = set(read_latents(results / "latents.h5ad").obs_names)
    same = [sample for sample in data.samples if sample in known]
    if same:
        notice(
            data.source,
            f"{len(same)} of {len(data.samples)} samples are called as training samples: of those the model knows the "
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
    write_table(_table(chosen, latents, samples, at), out / "predictions.tsv", PREDICTIONS)
    write_table(checks, out / "checks.tsv", CHECKS)
    _write_latents(results / "latents.h5ad", latents.mean(axis=0), samples, out / "latents.h5ad")
    say(f"{len(samples)} samples predicted")


def _model(ensemble: Ensemble, reference: Reference | None, preprocessing: dict) -> Model | None:
    if reference is None:
        return None
    own = ensemble.models[FINAL].features
    scale, size = preprocessing["scale"], preprocessing["size"]
    return Model(scale, size, own.genes_idx, own.mean, own.scale, reference.held_out)


def _rescaled(used: np.ndarray, ensemble: Ensemble, source: str) -> np.ndarray:
    """The model's genes (n, p) with the training samples' mean and spread in place of their own."""
    features = ensemble.models[FINAL].features
    if len(used) < MIN_COHORT:
        raise InputError(
            f"{source}: --standardise cohort needs {MIN_COHORT} samples or more for a mean and a spread; "
            f"found {len(used)}; valid for fewer: training"
        )
    used = used.copy()
    there = ~np.isnan(used).all(axis=0)
    spread = np.nanstd(used[:, there], axis=0)
    unit = (used[:, there] - np.nanmean(used[:, there], axis=0)) / np.where(spread > 0, spread, 1.0)
    used[:, there] = unit * features.scale[there] + features.mean[there]
    return used


def _filled(used: np.ndarray, ensemble: Ensemble, reference: Reference | None) -> np.ndarray:
    """(n, genes of the cohort) without gaps: what is missing is what the rest of the sample says of it."""
    features, missing = ensemble.models[FINAL].features, np.isnan(used)
    if missing.any():
        standardised = (used - features.mean) / features.scale
        guess = np.zeros_like(used) if reference is None else reference.factors.filled(standardised)
        used = np.where(missing, guess * features.scale + features.mean, used)
    # genes that the model does not use are never read
    whole = np.zeros((len(used), len(ensemble.genes)))
    whole[:, features.genes_idx] = used
    whole[missing.all(axis=1)] = np.nan
    return whole


def _table(
    chosen: list[tuple[Label, Predictor]], latents: np.ndarray, samples: np.ndarray, at: np.ndarray | None
) -> pd.DataFrame:
    """One row per sample and task (and class): the mean over the replicas, and their spread in ``y_sd``."""
    parts = []
    for task, predictor in chosen:
        predicted = predictor(latents, at)
        mean, spread = predicted.mean(axis=0), predicted.std(axis=0)
        unknown = np.full(len(samples), np.nan)
        for row, apart in zip(task.rows(unknown, mean), task.rows(unknown, spread), strict=True):
            about = {"sample": samples, "donor": None, "fold": FINAL, "seed": "ensemble", "arm": "multitask"}
            parts.append(pd.DataFrame(about | {"task": task.name} | row | {"y_sd": apart["y_pred"]}))
    return pd.concat(parts, ignore_index=True)


def _write_latents(trained: Path, latents: np.ndarray, samples: np.ndarray, path: Path) -> None:
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
