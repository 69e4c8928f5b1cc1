"""``mtlbio.predict(result, new)``: new samples that are in memory, by a model in memory or in a folder."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.measurements import Measurements
from mtlbio.cohort.metadata import unique_ids
from mtlbio.errors import InputError
from mtlbio.integrity.step import checked, words_of
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.stored import kind_of_model
from mtlbio.model.ensemble import model_description
from mtlbio.notebook.memory import measurements_of, names_of
from mtlbio.notebook.stored import Stored, check_results, unpacked
from mtlbio.notebook.trained import TrainResult
from mtlbio.tables import read_table
from mtlbio.text import as_text
from mtlbio.threads import one_thread
from mtlbio.training.new_samples.read import every_gene_once, read_new
from mtlbio.training.predict import predict_read


def predict(
    model,
    new,
    *,
    results: str | Path | None = None,
    standardise: str = "training",
    anyway: bool = False,
    sites: Mapping[str, str] | pd.Series | None = None,
) -> pd.DataFrame:
    """Predict the tasks of new samples that are in memory.

    Parameters
    ----------
    model : what ``train(adata, ...)`` gave, a folder of results that it or ``mtlbio run`` wrote, or a run
    new : AnnData or DataFrame (samples, genes) on the scale of the training, or the path of a file
    results : of a run: the folder of its results, ``results/<run>`` where left out
    standardise : ``training`` by the training cohort's means, ``cohort`` by the new samples' own (10 or more)
    anyway : predict also what is refused as another scale or for too few genes
    sites : of a model whose heads know sites: sample -> site; of an AnnData, its column of that name where left out

    Returns
    -------
    DataFrame
        As ``mtlbio predict`` writes it to ``predictions.tsv``: a row per sample and task (per class of a task of
        several classes). ``y_pred`` is the probability of the positive class, or the value in the task's units;
        ``y_sd`` its spread over the replicas.

    Raises
    ------
    InputError
        No trained model, one of another kind, samples on another scale, too few of the model's genes.

    Examples
    --------
    >>> import pandas as pd, mtlbio as mb
    >>> new = pd.read_parquet("planted/expression.parquet").head(3)
    >>> table = mb.predict("results/planted", new)
    >>> len(table), sorted(table["task"].unique())
    (9, ['age', 'disease', 'response'])
    """
    if standardise not in ("training", "cohort"):
        raise InputError(f"standardise: found {standardise!r}; valid: training, cohort")
    read, source = _reader(new)
    with _folder(model, results) as folder, tempfile.TemporaryDirectory(prefix="mtlbio_") as out, one_thread():
        checked(folder, ("train",))
        kind = kind_of_model(folder / "model")
        if "standardise" not in kind.predict_options:  # what only measurements can be
            raise InputError(f"{folder}: a model of kind {kind.name}; expected one of measurements (kind cohort)")
        try:
            predict_read(folder, read, source, Path(out), standardise, anyway, _sites(sites, new, folder / "model"))
        except InputError as error:
            raise InputError(_as_arguments(str(error))) from None
        return read_table(Path(out) / "predictions.tsv")


def _sites(sites: Mapping[str, str] | pd.Series | None, new, model: Path) -> pd.Series | None:
    """By sample, as text."""
    column = model_description(model).get("sites", {}).get("by")
    if sites is None and isinstance(new, ad.AnnData) and column in new.obs:
        sites = new.obs[column]
    if sites is None:
        return None
    if column is None:
        raise InputError("sites: the heads of this model know no site (training.sites); valid: to leave it out")
    series = pd.Series(sites)
    return pd.Series(as_text(series).to_numpy(), index=series.index.astype(str))


def _as_arguments(line: str) -> str:
    """A line on options of the command, as arguments."""
    return (
        line.replace("--standardise cohort", 'standardise="cohort"')
        .replace("--anyway", "anyway=True")
        .replace("--sites", "sites")
    )


@contextmanager
def _folder(model, results: str | Path | None) -> Iterator[Path]:
    """The folder of results of a model."""
    if isinstance(model, TrainResult | Stored):
        with unpacked(model.files, words_of(model.run)) as folder:
            yield folder
    elif isinstance(model, Run):
        yield check_results(results or Path("results") / model.run)
    elif isinstance(model, str | Path):
        yield check_results(model)
    else:
        raise InputError(
            f"model: found {type(model).__name__}; expected what mtlbio.train gave, a folder of results, or a run"
        )


def _reader(new):
    """What reads the samples, and what they are called."""
    if isinstance(new, str | Path):
        if not Path(new).exists():
            raise InputError(f"{new}: no such file; expected the measurements of the new samples")
        return partial(read_new, Path(new)), str(new)
    if isinstance(new, pd.DataFrame):
        return partial(_of_frame, new), "new"
    if not (hasattr(new, "var_names") and hasattr(new, "obs_names")):
        raise InputError(f"new: found {type(new).__name__}; expected an AnnData, a DataFrame or the path of a file")
    return partial(_of_anndata, new), "new"


def _of_anndata(adata, preprocessing: Mapping[str, Any], genes: Sequence[str]) -> Measurements:
    """From the layer and under the names that the model was trained on, where the AnnData has them."""
    layer, column = preprocessing.get("layer"), preprocessing.get("genes")
    layer = layer if layer in adata.layers or (layer == "raw" and adata.raw is not None) else None
    return _once(measurements_of(adata, layer, column if column in adata.var else None), preprocessing)


def _of_frame(table: pd.DataFrame, preprocessing: Mapping[str, Any], genes: Sequence[str]) -> Measurements:
    names = np.array([str(name).strip() for name in table.columns], dtype=str)
    try:
        values = table.to_numpy(dtype=float)
    except (TypeError, ValueError):
        wrong = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
        raise InputError(f"new: column {wrong[0]!r} holds text; expected samples in rows, and numbers") from None
    return _once(Measurements(names_of(table), names, values, "new"), preprocessing)


def _once(data: Measurements, preprocessing: Mapping[str, Any]) -> Measurements:
    unique_ids(data.samples, "new")
    if not len(data.samples) or not len(data.genes):
        raise InputError(f"new: found {len(data.samples)} samples x {len(data.genes)} genes; expected some of both")
    return every_gene_once(data, preprocessing["scale"])
