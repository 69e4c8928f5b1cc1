"""Prediction tables as arrays: one truth per sample, one prediction per sample and arm, replicas averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.labels import Label


@dataclass(frozen=True)
class TaskPredictions:
    """All arms' out-of-fold predictions of one task.

    Attributes
    ----------
    task : the label
    samples, donors : (n,) text
    y : (n,) class codes or values, NaN = no label
    arms : name -> (n,) probability or value, (n, K) probabilities for multiclass and ordinal; NaN = not predicted
    """

    task: Label
    samples: np.ndarray
    donors: np.ndarray
    y: np.ndarray
    arms: dict[str, np.ndarray]

    def usable(self, arm: str) -> np.ndarray:
        """(n,) bool: labelled samples that the arm predicted."""
        pred = self.arms[arm]
        return ~np.isnan(self.y) & np.isfinite(pred if pred.ndim == 1 else pred.sum(axis=1))


def collect(table: pd.DataFrame, task: Label) -> TaskPredictions:
    """Arrays of one task out of a table with the columns of ``mtlbio.tables.PREDICTIONS``.

    The predictions of the seeds of an arm are averaged: the arm is its ensemble.

    Raises
    ------
    InputError
        The task has no prediction, rows of a class are missing, or two rows disagree about a sample's truth.
    """
    name = task.name
    rows = table[table["task"] == name]
    if rows.empty:
        raise InputError(f"predictions.tsv: no prediction of task {name}; run `mtlbio train` again")
    rows = rows.assign(label=rows["label"].astype(object).where(rows["label"].notna(), ""))
    truth = rows.groupby(["sample", "label"], sort=False)["y_true"]
    if (truth.max() - truth.min() > 1e-6 * (1 + truth.max().abs())).any():
        raise InputError(f"predictions.tsv: arms disagree about the truth of task {name}; run both steps again")
    samples = rows["sample"].unique()
    labels = ["" if label is None else label for label in task.row_labels]
    if set(labels) != set(rows["label"]):
        found = listing(sorted(set(rows["label"])))
        raise InputError(
            f"predictions.tsv: task {name}: found rows of {found}; expected {listing(labels)}; run both steps again"
        )
    true = truth.first().unstack("label").loc[samples, labels].to_numpy(dtype=float)
    donors = rows.drop_duplicates("sample").set_index("sample")["donor"].loc[samples].to_numpy().astype(str)
    mean = rows.groupby(["arm", "sample", "label"], sort=False)["y_pred"].mean().unstack("label")
    arms = {
        arm: mean.loc[arm].reindex(index=samples, columns=labels).to_numpy(dtype=float) for arm in rows["arm"].unique()
    }
    y = task.from_rows(true, ~np.isnan(true).any(axis=1))
    if not task.width:
        arms = {arm: pred[:, 0] for arm, pred in arms.items()}
    return TaskPredictions(task, samples.astype(str), donors, y, arms)
