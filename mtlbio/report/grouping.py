"""By which label the points of a picture are coloured, and in which colours."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd

from mtlbio.probing.columns import column_of
from mtlbio.report.inputs import Inputs
from mtlbio.report.palette import CLASS_COLOURS, FAINT, NEUTRAL
from mtlbio.text import known

# label, the rows that have it, colour
Part: TypeAlias = "tuple[str, np.ndarray, str]"


def grouping(inputs: Inputs, row: pd.Series, driver: str | None, frame: pd.DataFrame) -> str | None:
    """The class label to colour by: mostly known, never the driver itself, and the one with the largest effect."""
    tasks = [
        t
        for t, info in inputs.cohort.tasks.items()
        if info.classes and t != driver and frame[t].notna().mean() > 0.7 and 2 <= frame[t].nunique() <= 6
    ]
    effects = {task: abs(row[c]) for task in tasks if known(row.get(c := column_of("effect", task)))}
    return max(tasks, key=lambda task: effects.get(task, -1.0), default=None)


def parts_of(inputs: Inputs, frame: pd.DataFrame, group: str | None, accent: str) -> list[Part]:
    """(label, rows, colour) per class of the grouping label; the first class stays neutral, unlabelled is faint."""
    if group is None:
        return [("", np.ones(len(frame), bool), accent)]
    labels = frame[group]
    classes = [c for c in inputs.cohort.tasks[group].classes if (labels == c).any()]
    palette = (NEUTRAL, accent) if len(classes) == 2 else (NEUTRAL, *CLASS_COLOURS)
    palette = inputs.kind.part("report", "colours", missing=None)(inputs, group, classes) or palette
    # more classes than colours: the last ones share the last
    colours = [palette[min(i, len(palette) - 1)] for i in range(len(classes))]
    names = [f"{group}: {c}" if i == 0 else c for i, c in enumerate(classes)]
    parts = [(name, (labels == c).to_numpy(), colour) for name, c, colour in zip(names, classes, colours, strict=True)]
    if labels.isna().any():
        parts.append(("not known", labels.isna().to_numpy(), FAINT))
    return parts
