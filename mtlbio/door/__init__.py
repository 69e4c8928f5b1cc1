"""The steps of a run as functions: what ``import mtlbio`` offers, and what the command line calls.

Every step asks the run's kind for its function, writes the same files as ``mtlbio STEP RUN.yaml``, and gives back the
table that one looks at next. What a step finds missing, or what does not fit, is an
:class:`mtlbio.errors.InputError` of one line. No line is printed unless the program asks for it
(:mod:`mtlbio.progress`).
"""

from mtlbio.door.asked import impute, influence, panel, tradeoff
from mtlbio.door.finished import predict
from mtlbio.door.steps import baselines, evaluate, prepare, report, train, trial
from mtlbio.kinds.read import read_run

__all__ = [
    "baselines",
    "evaluate",
    "impute",
    "influence",
    "panel",
    "predict",
    "prepare",
    "read_run",
    "report",
    "tradeoff",
    "train",
    "trial",
]
