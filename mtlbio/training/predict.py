"""Applying the final ensemble to samples it has never seen."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.measurements import check_names, check_values
from mtlbio.cohort.qc import to_log_scale
from mtlbio.config import Expression
from mtlbio.errors import InputError, listing
from mtlbio.files import replacing
from mtlbio.model.ensemble import FINAL, Ensemble, load_ensemble, model_description
from mtlbio.progress import say
from mtlbio.tables import PREDICTIONS, write_table

# With fewer of the model's genes than this the encoder mostly sees training means.
MIN_SHARED = 0.5
# A mean and a spread per gene need some samples.
MIN_COHORT = 10


def predict(results: Path, expression: Path, out: Path, standardise: str = "training") -> None:
    """Write ``predictions.tsv`` and ``latents.h5ad`` for new samples.

    Parameters
    ----------
    results : folder of a finished run
    expression : measurements of the new samples, on the scale of the training cohort
    out : folder for the results
    standardise : ``training`` uses the training cohort's mean and spread of every gene; ``cohort`` the new samples'
        own, for another laboratory or platform

    Raises
    ------
    InputError
        No model, unreadable or impossible measurements, too few genes in common, or too few samples to rescale on.
    """
    results, out = Path(results), Path(out)
    ensemble = load_ensemble(results / "model")
    preprocessing = model_description(results / "model")["preprocessing"]
    scale = preprocessing["scale"]
    data = read_expression(Expression(path=str(expression), scale=scale), "sample_id")
    check_names(data)
    check_values(data, scale, must_vary=False)
    values, shared = _on_training_genes(data.dense(), data.genes, ensemble, str(expression))
    values[:, shared] = to_log_scale(values[:, shared], scale, preprocessing["size"])
    values = _fill(values, shared, ensemble, standardise, str(expression))
    write_predictions(results, ensemble, values, data.samples, out)


def write_predictions(results: Path, ensemble: Ensemble, values: np.ndarray, samples: np.ndarray, out: Path) -> None:
    """Predict samples on the scale of the training cohort, and write both files."""
    latents = ensemble.latents(values)
    write_table(_table(ensemble, latents, samples), out / "predictions.tsv", PREDICTIONS)
    _write_latents(results / "latents.h5ad", latents.mean(axis=0), samples, out / "latents.h5ad")
    say(f"{len(samples)} samples predicted")


def _on_training_genes(values, genes, ensemble: Ensemble, source: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns in the order of the cohort's genes, NaN where missing, and which are there; says what is missing."""
    index = pd.Index(genes).get_indexer(ensemble.genes)
    shared = index >= 0
    used = ensemble.models[FINAL].features.genes_idx
    n_shared = int(shared[used].sum())
    if n_shared < MIN_SHARED * len(used):
        raise InputError(
            f"{source}: {n_shared} of the model's {len(used)} genes found; at least {MIN_SHARED:.0%} are needed "
            f"(the model has {listing(ensemble.genes, 3)}; the file has {listing(genes, 3)})"
        )
    absent = [ensemble.genes[i] for i in used if not shared[i]]
    if absent:
        lacking = f"{len(absent)} of the model's {len(used)} genes are not in {Path(source).name}"
        say(f"{lacking} and count as average: {listing(absent, 5)}")
    aligned = np.full((len(values), len(ensemble.genes)), np.nan)
    aligned[:, shared] = values[:, index[shared]]
    return aligned, shared


def _fill(values: np.ndarray, shared: np.ndarray, ensemble: Ensemble, standardise: str, source: str) -> np.ndarray:
    """Bring the model's genes onto the training scale; missing ones get the training mean."""
    features = ensemble.models[FINAL].features
    used = values[:, features.genes_idx]
    there = shared[features.genes_idx]
    if standardise == "cohort":
        if len(used) < MIN_COHORT:
            raise InputError(
                f"{source}: --standardise cohort needs {MIN_COHORT} samples or more for a mean and a spread; "
                f"found {len(used)}; valid for fewer: training"
            )
        spread = used[:, there].std(axis=0)
        unit = (used[:, there] - used[:, there].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        used[:, there] = unit * features.scale[there] + features.mean[there]
    used[:, ~there] = features.mean[~there]
    # genes that the model does not use are never read
    filled = np.zeros_like(values)
    filled[:, features.genes_idx] = used
    return filled


def _table(ensemble: Ensemble, latents: np.ndarray, samples: np.ndarray) -> pd.DataFrame:
    """One row per sample and task (and class): the mean over the replicas, and their spread in ``y_sd``."""
    parts = []
    for task in ensemble.tasks.values():
        predicted = ensemble.predict_from_latents(task.name, latents)
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
