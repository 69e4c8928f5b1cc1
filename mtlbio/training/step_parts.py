"""The parts of a run's step, and what they belong to."""

from collections.abc import Iterable
from pathlib import Path

from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas.run import Run
from mtlbio.modules import PACKAGE, files_of
from mtlbio.parts import Parts, folder_of_parts, key_of


def parts_of_step(run: Run, results: Path, step: str, read: Iterable[str | Path]) -> Parts:
    """The parts of ``step``, which belong to its options, its modules and the files that it has ``read``."""
    kind = kind_of(run)
    labels = {type(task).__module__ for task in getattr(run, "tasks", {}).values()}
    foreign = sorted(module for module in labels if module.partition(".")[0] != PACKAGE.name)
    modules = files_of(kind.steps[step].partition(":")[0], kind=kind, step=step, further=foreign)
    return Parts(folder_of_parts(results, step), key_of([kind.step_options(run, step)], [*read, *modules]))
