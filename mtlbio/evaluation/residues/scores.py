"""Metrics of predictions per residue, as sums over chains: a bootstrap of chains only has to add the sums again.

Most metrics are a ratio (or a correlation) of sums that each chain contributes to, so a thousand draws of chains cost
one product of matrices. AUROC is no such sum; it takes the residues' weights (:mod:`mtlbio.metrics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import numpy as np

from mtlbio.evaluation.bootstrap import cluster_draws
from mtlbio.evaluation.comparisons import MODEL
from mtlbio.evaluation.scores import ArmScores, TaskScores
from mtlbio.labels.residues import ResidueLabel
from mtlbio.metrics import Metric
from mtlbio.metrics.sums import OfSums
from mtlbio.sequence.chains import Chains

_DRAWS_AT_ONCE = 100


@dataclass(frozen=True)
class Scored:
    """What the chains contribute to the metrics of one task and arm.

    Attributes
    ----------
    clusters : (chains,) text, what is drawn again; ``residues`` : (chains,) labelled ones
    sums : (chains, k)
    values : metric -> function of summed sums (draws, k) -> (draws,), None where it needs all residues
    pairs : (y, prediction, chain) per residue where a metric is no function of sums
    """

    clusters: np.ndarray
    residues: np.ndarray
    sums: np.ndarray
    values: dict[Metric, OfSums | None]
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def value(self, metric: Metric, counts: np.ndarray | None = None) -> np.ndarray:
        """The metric, or its values (draws,) where every chain counts as often as ``counts`` (draws, chains) says."""
        counts = np.ones((1, len(self.sums))) if counts is None else counts
        of_sums = self.values[metric]
        if of_sums is not None:
            return of_sums(counts @ self.sums)
        if self.pairs is None or metric.function is None:
            raise ValueError(f"{metric.name}: neither sums of chains nor residues to compute it from")
        y, predicted, chain = self.pairs
        parts = [counts[i : i + _DRAWS_AT_ONCE] for i in range(0, len(counts), _DRAWS_AT_ONCE)]
        return np.concatenate([np.atleast_1d(metric.function(y, predicted, part[:, chain])) for part in parts])


def score_chains(chains: Chains, task: str, predictions: dict[str, np.ndarray], places: np.ndarray) -> Scored:
    """Contributions of the labelled chains among ``places``.

    Parameters
    ----------
    predictions : chain -> (length, 8) probabilities of Q8, or (length,)
    """
    label = chains.tasks[task]
    names, kept = chains.names, list[int]()
    rows, residues, pairs = [], [], []
    for place in places:
        name, span = names[place], chains.rows(place)
        if name not in predictions or not chains.known(task)[span].any():
            continue
        predicted = np.asarray(predictions[name], dtype=float)
        fine, coarse = chains.labels_at(task, span)
        row, count = label.sums(fine, coarse, predicted)
        if None in label.metrics.values():
            known = label.observed(fine, coarse)
            pairs.append((fine[known].astype(float), predicted[known], np.full(count, len(kept))))
        rows.append(row)
        residues.append(count)
        kept.append(place)
    clusters = chains.obs["cluster"].to_numpy().astype(str)[kept]
    joined = None
    if pairs:
        y, predictions_of_all, chain = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        joined = y, predictions_of_all, chain
    sums = np.array(rows, dtype=float).reshape(len(kept), -1)
    return Scored(clusters, np.array(residues, dtype=int), sums, label.metrics, joined)


@dataclass(frozen=True)
class TaskChains(TaskScores):
    """What the chains contribute to the metrics of one task, by arm; every arm predicted the same chains."""

    task: ResidueLabel
    arms: dict[str, Scored]

    transfer_draws: ClassVar[int | None] = 2000
    asks_chance: ClassVar[bool] = False

    @property
    def compared(self) -> tuple[Metric, ...]:
        """All metrics of the label."""
        return tuple(self.task.metrics)

    @property
    def labelled(self) -> tuple[int, int]:
        """Labelled residues, and clusters of chains."""
        return self._together.n_samples, self._together.n_units

    def common(self, *arms: str) -> ArmScores | None:
        """All arms on all chains."""
        return self._together if self.arms.keys() >= set(arms) else None

    @cached_property
    def _together(self) -> ArmScores:
        first = self.arms.get(MODEL, next(iter(self.arms.values())))
        clusters = len(np.unique(first.clusters))

        def score(arm: str, metric: Metric, counts: np.ndarray | None) -> float | np.ndarray:
            values = self.arms[arm].value(metric, counts)
            return float(values[0]) if counts is None else values

        draw = partial(cluster_draws, first.clusters)
        return ArmScores(score, draw, int(first.residues.sum()), clusters, clusters)
