"""Which files of the package a step of a run uses: a reason to run it again."""

from collections.abc import Iterable
from pathlib import Path

from mtlbio.errors import listing
from mtlbio.kinds import STEPS, kind_named
from mtlbio.kinds.schemas.run import Run
from mtlbio.modules import PACKAGE, files_of


def modules_of_run(run: Run, step: str) -> list[str]:
    """Files of the package that ``step`` of this run uses, its kinds of label from elsewhere included."""
    # labels of another package's kind: their keys stand in the module of the kind
    labels = {type(task).__module__ for task in getattr(run, "tasks", {}).values()}
    return modules_of(step, kind=run.kind, labels=labels)


def modules_of(step: str, package: Path = PACKAGE, kind: str = "cohort", labels: Iterable[str] = ()) -> list[str]:
    """Files of the package that ``step`` uses, as :func:`mtlbio.modules.files_of` finds them.

    ``labels`` are the modules of the run's kinds of label; those of the package are used by every run.
    """
    if step not in STEPS:
        raise KeyError(f"{step}: no such step; valid: {listing(STEPS)}")
    run_kind = kind_named(kind)
    foreign = sorted(module for module in labels if module.partition(".")[0] != package.name)
    return files_of(run_kind.steps[step].partition(":")[0], package, run_kind, step, foreign)
