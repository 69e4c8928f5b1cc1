"""mtlbio: what has a multi-task model really learned - biology, a confounder, or the batch?

From Python the steps are functions of a run (docs/python.md)::

    run = mtlbio.read_run("run.yaml")
    mtlbio.prepare(run)
    mtlbio.train(run)
    verdicts = mtlbio.trial(run)

The package has one room per step of the workflow, and data goes forward only::

    cohort -> model, training -> evaluation -> probing -> report

``mtlbio.config`` is the only package that knows a run's YAML, ``mtlbio.kinds`` the only one that knows which kinds of
runs there are, and ``mtlbio.tables`` the only module that knows the columns of the result tables.
"""

import os
from typing import TYPE_CHECKING

# MKL, with which torch multiplies matrices, then sums in one order however many it multiplies at once: a fold that is
# fitted alone is, to the last byte, the fold among others. It reads this when it is first used.
os.environ.setdefault("MKL_CBWR", "AUTO")

if TYPE_CHECKING:
    from mtlbio.door import baselines, evaluate, impute, influence, panel, prepare, read_run, report, tradeoff
    from mtlbio.notebook.doors import plan, predict, train, trial

__version__ = "0.2.0"
# functions that take a run or what a notebook has in memory -> the module where they are told apart
_IN_MEMORY = dict.fromkeys(["plan", "predict", "train", "trial"], "mtlbio.notebook.doors")
_IN_MEMORY |= {"MultiTask": "mtlbio.notebook.estimator"}
# rooms and modules that are offered as they are
_WHOLE = {"report": ".report", "pl": ".notebook.pl"}
__all__ = [
    "MultiTask",
    "baselines",
    "evaluate",
    "impute",
    "influence",
    "panel",
    "pl",
    "plan",
    "predict",
    "prepare",
    "read_run",
    "report",
    "tradeoff",
    "train",
    "trial",
]


def __getattr__(name: str):
    """What is offered, imported when it is first asked for: ``import mtlbio`` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'mtlbio' has no attribute {name!r}")
    from importlib import import_module

    # the room mtlbio.report can be called: it is the step of that name, whichever of the two is asked for first
    found = (
        import_module(_WHOLE[name], __name__)
        if name in _WHOLE
        else getattr(import_module(_IN_MEMORY.get(name, "mtlbio.door")), name)
    )
    return globals().setdefault(name, found)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
