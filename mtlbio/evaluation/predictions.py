"""Prediction tables as arrays: one truth per sample, one prediction per sample and arm, replicas averaged."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.errors import InputError, listing
from mtlbio.evaluation.bootstrap import bootstrap_weights, fewest
from mtlbio.evaluation.scores import ArmScores, TaskScores
from mtlbio.labels import Label
from mtlbio.tables import PREDICTIONS, SITE_BASELINES, SITE_PREDICTIONS, read_table

_MANY = 20_000_000  # counts of draws


@dataclass(frozen=True)
class TaskPredictions(TaskScores):
    """All arms' out-of-fold predictions of one task.

    Attributes
    ----------
    task : the label
    samples, donors : (n,) text
    y : (n,) class codes or values, NaN = no label
    arms : name -> (n,) probability or value, (n, K) probabilities for multiclass and ordinal; NaN = not predicted
    families : (n,) text, drawn as a whole; None where none are known, and donors are
    """

    task: Label
    samples: np.ndarray
    donors: np.ndarray
    y: np.ndarray
    arms: dict[str, np.ndarray]
    families: np.ndarray | None = None
    _drawn: dict = field(default_factory=dict, init=False, repr=False, compare=False)  # of these samples alone

    def usable(self, arm: str) -> np.ndarray:
        """(n,) bool: labelled samples that the arm predicted."""
        pred = self.arms[arm]
        return ~np.isnan(self.y) & np.isfinite(pred if pred.ndim == 1 else pred.sum(axis=1))

    @property
    def carriers(self) -> set[str]:
        """Donors with the label."""
        return set(self.donors[~np.isnan(self.y)])

    @property
    def labelled(self) -> tuple[int, int]:
        """Samples and donors with the label."""
        return int((~np.isnan(self.y)).sum()), len(self.carriers)

    def common(self, *arms: str) -> ArmScores | None:
        """The arms on the labelled samples that all of them predicted.

        Draws are stratified by the classes a donor carries, so that none loses a class.
        """
        if not self.arms.keys() >= set(arms):
            return None
        usable = np.logical_and.reduce([self.usable(arm) for arm in arms])
        if not usable.any():
            return None
        y, donors = self.y[usable], self.donors[usable]
        clusters = donors if self.families is None else self.families[usable]
        predictions = {arm: self.arms[arm][usable] for arm in arms}
        return ArmScores(
            lambda arm, metric, weights: self.task.score(y, predictions[arm], weights, metric),
            lambda draws, seed: self._draws(usable, clusters, draws, seed),
            len(y),
            len(np.unique(donors)),
            fewest(self.task, y, clusters),
        )

    def _draws(self, usable: np.ndarray, clusters: np.ndarray, draws: int, seed: int) -> np.ndarray:
        """Weights of the usable samples; the last ones are kept, for arms that predicted the same samples."""
        key = (usable.tobytes(), draws, seed)
        if key not in self._drawn:
            strata = self.task.strata(self.y[usable])
            self._drawn.clear()
            self._drawn[key] = bootstrap_weights(clusters, draws, seed, strata, _counted(draws, usable.sum()))
        return self._drawn[key]


def _counted(draws: int, samples: int) -> type:
    """What counts are held in: two bytes where there are many, of which the metrics make floats a part at a time."""
    return np.uint16 if draws * samples > _MANY else float


def read_predictions(results: Path) -> pd.DataFrame:
    """The predictions of the networks and of the baselines in a run's folder, one table."""
    return _together([results / "predictions.tsv", results / "baselines" / "predictions.tsv"])


def read_predictions_of_sites(results: Path) -> pd.DataFrame:
    """The same with whole sites held out."""
    return _together([results / SITE_PREDICTIONS, results / SITE_BASELINES])


def _together(files: list[Path]) -> pd.DataFrame:
    tables = [read_table(file, PREDICTIONS) for file in files]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def collect(table: pd.DataFrame, task: Label, families: pd.Series | None = None) -> TaskPredictions:
    """Arrays of one task out of a table with the columns of ``mtlbio.tables.PREDICTIONS``.

    The predictions of the seeds of an arm are averaged: the arm is its ensemble. ``families``: by sample, where they
    are known.

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
        present = f"found rows of {listing(sorted(set(rows['label'])))}; expected {listing(labels)}"
        raise InputError(f"predictions.tsv: task {name}: {present}; run both steps again")
    true = truth.first().unstack("label").loc[samples, labels].to_numpy(dtype=float)
    donors = rows.drop_duplicates("sample").set_index("sample")["donor"].loc[samples].to_numpy().astype(str)
    mean = rows.groupby(["arm", "sample", "label"], sort=False)["y_pred"].mean().unstack("label")
    tables = {arm: mean.loc[arm].reindex(index=samples, columns=labels) for arm in rows["arm"].unique()}
    arms = {arm: part.to_numpy(dtype=float).reshape(-1, *task.width) for arm, part in tables.items()}
    y = task.from_rows(true, ~np.isnan(true).all(axis=1))
    of_samples = None if families is None else families.loc[samples].to_numpy().astype(str)
    return TaskPredictions(task, samples.astype(str), donors, y, arms, of_samples)
