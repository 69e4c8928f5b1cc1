"""Functions of ``import mtlbio`` that take a run, as every step does, or what a notebook has in memory."""

from typing import Any

from mtlbio import door
from mtlbio.kinds.base import function_at
from mtlbio.kinds.schemas.run import Run


def train(what, *args: Any, **options: Any):
    """Train the run of a YAML, or do the whole job from an AnnData.

    ``train(run, results)`` is the step ``train`` of the workflow (:func:`mtlbio.door.train`) and gives
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

    ``trial(run, results)`` is the step ``probe`` of the workflow (:func:`mtlbio.door.trial`) and gives
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
