"""Functions of ``import mtlbio`` that take a run, as every step does, or what a notebook has in memory."""

from typing import Any

from mtlbio import door
from mtlbio.kinds.base import function_at
from mtlbio.kinds.schemas.run import Run


def trial(what, *args: Any, **options: Any):
    """Put latents on trial: of a run whose model was trained, or of any model, from an AnnData or a DataFrame.

    ``trial(run, results)`` is the step ``probe`` of the workflow (:func:`mtlbio.door.trial`) and gives
    ``verdicts.tsv``. ``trial(adata, "X_pca", donor=..., tasks=...)`` and ``trial(Z, obs=obs, donor=..., tasks=...)``
    write nothing and give a :class:`mtlbio.notebook.result.TrialResult` (:func:`mtlbio.notebook.trial.trial`).

    Examples
    --------
    >>> verdicts = mtlbio.trial(mtlbio.read_run("planted/run.yaml"))
    >>> verdicts.columns[:3].tolist()
    ['dim', 'verdict', 'driver']
    """
    if isinstance(what, Run):
        return door.trial(what, *args, **options)
    return function_at("mtlbio.notebook.trial:trial")(what, *args, **options)
