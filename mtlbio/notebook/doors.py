"""Functions of ``import mtlbio`` that take a run, as every step does, or what a notebook has in memory."""

from pathlib import Path
from typing import Any

from mtlbio import door
from mtlbio.door.base import folder_of
from mtlbio.errors import InputError
from mtlbio.integrity.folder import mark
from mtlbio.integrity.step import words_of
from mtlbio.kinds.base import function_at, kind_of
from mtlbio.kinds.schemas.run import Run


def train(what, *args: Any, **options: Any):
    """Train the run of a YAML, or do the whole job from an AnnData.

    ``train(run, results)`` is the step ``train`` of the workflow (``mtlbio.door.train``) and gives
    ``predictions.tsv``. ``train(adata, donor=..., tasks=..., scale=...)`` prepares, trains, evaluates and tries what is
    in memory, and gives a :class:`mtlbio.notebook.trained.TrainResult` (:func:`mtlbio.notebook.train.train`).

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> sorted(mtlbio.train(run)["arm"].unique())
    ['multitask', 'singletask']
    >>> mtlbio.train("planted/run.yaml", donor="donor", tasks={}, scale="log2")
    Traceback (most recent call last):
    mtlbio.errors.InputError: adata: found str; expected an AnnData with samples in rows, or a run
    """
    if isinstance(what, Run):
        return door.train(what, *args, **options)
    return function_at("mtlbio.notebook.train:train")(what, *args, **options)


def trial(what, *args: Any, **options: Any):
    """Put latents on trial: of a run whose model was trained, or of any model, from an AnnData or a DataFrame.

    ``trial(run, results)`` is the step ``probe`` of the workflow (``mtlbio.door.trial``) and gives
    ``verdicts.tsv``. ``trial(adata, "X_pca", donor=..., tasks=...)`` and ``trial(Z, obs=obs, donor=..., tasks=...)``
    write nothing and give a :class:`mtlbio.notebook.result.TrialResult` (:func:`mtlbio.notebook.trial.trial`).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> obs = pd.DataFrame({"donor": [f"D{i}" for i in range(60)], "disease": ["case", "control"] * 30})
    >>> Z = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["z1", "z2"])
    >>> len(mtlbio.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, saw="donors").verdicts)
    2
    """
    if isinstance(what, Run):
        return door.trial(what, *args, **options)
    return function_at("mtlbio.notebook.trial:trial")(what, *args, **options)


def plan(what, *args: Any, **options: Any):
    """What a design can show, before anything is trained: of a run, or of a table that describes the samples.

    ``plan(run, results, dims=20)`` is ``mtlbio plan RUN.yaml``: it writes ``plan.tsv``. ``plan(obs, donor=...,
    tasks=...)``, of a DataFrame or an AnnData, writes nothing (:func:`mtlbio.notebook.plan.plan`). Both give a
    :class:`mtlbio.notebook.plan.Plan`, which is text.

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> mtlbio.plan(run).splitlines()[0]
    'planted: 48 samples of 48 donors.'
    """
    function = _plan_run if isinstance(what, Run) else function_at("mtlbio.notebook.plan:plan")
    return function(what, *args, **options)


def _plan_run(run: Run, results: str | Path | None = None, dims: int = 20):
    place = kind_of(run).commands.get("plan")
    if place is None:
        raise InputError(f"run: a run of kind {run.kind}, of which there is no plan")
    folder = folder_of(run, results)
    text = function_at(place)(run, folder, dims)
    mark(folder, words_of(run))
    return function_at("mtlbio.notebook.plan:written")(text, folder)


def predict(model, new, *args: Any, **options: Any):
    """Predict new samples: with the model of a run, of a result or of a folder, from a file or from memory.

    ``predict(run, "new.parquet", results, out)`` is ``mtlbio predict`` (``mtlbio.door.predict``).
    ``predict(result, new_adata)``, where ``result`` is what ``train(adata, ...)`` gave, the folder that it wrote or a
    run, takes an AnnData or a DataFrame and writes nothing (:func:`mtlbio.notebook.predict.predict`). Both give
    ``predictions.tsv``: a row per sample and task.

    Examples
    --------
    >>> import pandas as pd
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> len(mtlbio.predict(run, pd.read_parquet("planted/expression.parquet").head(5)))
    15
    """
    if isinstance(model, Run) and isinstance(new, str | Path):
        return door.predict(model, new, *args, **options)
    return function_at("mtlbio.notebook.predict:predict")(model, new, *args, **options)
