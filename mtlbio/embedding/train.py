"""The train step of latents that another model made: nothing is trained but a ridge head per task."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio import __version__
from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.cohort.given.source import numbered
from mtlbio.cohort.split import read_splits
from mtlbio.embedding.encode import encode_folds
from mtlbio.embedding.encodings import Encodings
from mtlbio.embedding.table import latents_table, write_latents
from mtlbio.evaluation.baselines import predict_baselines
from mtlbio.evaluation.comparisons import GIVEN
from mtlbio.evaluation.unpredicted import unpredicted
from mtlbio.files import replacing
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.model.ensemble import FINAL
from mtlbio.tables import CONFLICT, HISTORY, PREDICTIONS, write_table


def train(run: LatentsRun, results: Path) -> None:
    """Write ``latents.h5ad``, ``model/``, ``predictions.tsv`` (arm ``latents``), and ``history.tsv`` and
    ``conflict.tsv`` without a row.

    Where ``latents.encode`` is given its command makes the latents of every fold.

    Raises
    ------
    InputError
        The cohort is not prepared, or as of :func:`mtlbio.embedding.encode.encode_folds`.
    """
    results = Path(results)
    cohort = read_cohort(results / "cohort.h5ad")
    splits = read_splits(results, cohort)
    fold = splits["fold"].to_numpy().astype(int)
    encodings = None
    if run.latents.encode is not None:
        folder = Path(run.measured.path).parent
        encodings = Encodings.matched(encode_folds(run.latents, cohort, splits, folder), fold)
        encodings.save(results / "model")
    latents = table_of(cohort, splits, encodings)
    write_latents(latents, results / "latents.h5ad")
    description = {"mtlbio": __version__, "kind": run.kind, "latents": run.latents.model_dump(mode="json")}
    (results / "model").mkdir(parents=True, exist_ok=True)
    with replacing(results / "model" / "model.json") as temporary:
        temporary.write_text(json.dumps(description, indent=2), encoding="utf-8")
    tasks = [name for name in cohort.tasks if name not in unpredicted(run)]
    write_table(head_predictions(cohort, splits, latents.X, encodings, tasks), results / "predictions.tsv", PREDICTIONS)
    write_table(pd.DataFrame(columns=HISTORY), results / "history.tsv", HISTORY)
    write_table(pd.DataFrame(columns=CONFLICT), results / "conflict.tsv", CONFLICT)


def table_of(cohort: Cohort, splits: pd.DataFrame, encodings: Encodings | None = None):
    """The table of latents of a cohort whose samples lie as in ``splits``."""
    if encodings is not None:
        values = encodings.out_of_fold(splits["fold"].to_numpy().astype(int))
        return latents_table(cohort, splits, values, tuple(numbered(values.shape[1])), encodings.stability)
    assert cohort.given is not None
    unknown = np.full(len(cohort.given.dims), np.nan)
    return latents_table(cohort, splits, cohort.given.values, cohort.given.dims, unknown)


def head_predictions(
    cohort: Cohort, splits: pd.DataFrame, values: np.ndarray, encodings: Encodings | None, tasks: list[str]
) -> pd.DataFrame:
    """Held-out predictions of ridge heads on the latents: columns of ``predictions.tsv``, arm ``latents``.

    Heads never see the labels of the donors that they predict. Tasks whose labels the latents saw are left out: any
    head would find them there.
    """
    cohort = replace(cohort, tasks={name: cohort.tasks[name] for name in tasks}, auxiliary={})
    if not tasks:
        return pd.DataFrame(columns=PREDICTIONS)
    if encodings is None:
        parts = [predict_baselines(_with(cohort, values), splits, ["ridge"], values.shape[1])]
    else:  # heads of a fold are fitted where that fold's model put the training donors
        parts = []
        for number, encoded in encodings.by_fold.items():
            if number != FINAL:
                whole = predict_baselines(_with(cohort, encoded), splits, ["ridge"], encoded.shape[1])
                parts.append(whole[whole["fold"].astype(int) == number])
    return pd.concat(parts, ignore_index=True).assign(arm=GIVEN)[PREDICTIONS]


def _with(cohort: Cohort, values: np.ndarray) -> Cohort:
    """The cohort with latents in place of its measurements."""
    preprocessing = cohort.preprocessing | {"kind": "cohort"}
    genes = tuple(numbered(values.shape[1]))
    return replace(cohort, expression=np.asarray(values), genes=genes, preprocessing=preprocessing, given=None)
