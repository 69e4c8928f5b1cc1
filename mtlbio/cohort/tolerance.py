"""The relative error up to which the prediction of a number counts as right."""

from __future__ import annotations

from mtlbio.config import Task

DEFAULT_WITHIN = 0.2  # of a dose


def tolerance_of(task: Task) -> float | None:
    """What the task says, else :data:`DEFAULT_WITHIN` where it is transformed; None where nobody asked."""
    return DEFAULT_WITHIN if task.within is None and task.transform != "none" else task.within
