"""One task's predictions as rows of ``predictions.tsv``."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.cohort import TaskInfo


def long_form(task: TaskInfo, y: np.ndarray, predicted: np.ndarray) -> list[dict]:
    """Columns label, y_true and y_pred of one task: one block of rows, or one per class (multiclass, ordinal)."""
    if task.kind == "regression":
        return [{"label": None, "y_true": y, "y_pred": predicted}]
    if task.kind == "binary":
        return [{"label": task.classes[1], "y_true": y, "y_pred": predicted}]
    return [
        {"label": label, "y_true": np.where(np.isnan(y), np.nan, y == code), "y_pred": predicted[:, code]}
        for code, label in enumerate(task.classes)
    ]
