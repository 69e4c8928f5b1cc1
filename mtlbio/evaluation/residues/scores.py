"""Metrics of predictions per residue, as sums over chains: a bootstrap of chains only has to add the sums again.

Most metrics are a ratio (or a correlation) of sums that each chain contributes to, so a thousand draws of chains cost
one product of matrices. AUROC is no such sum; it takes the residues' weights (:mod:`mtlbio.metrics`).
"""

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
    label, labelled = chains.tasks[task], chains.labelled(task)
    places = np.array([p for p in places if chains.names[p] in predictions and labelled[p]], dtype=int)
    rows, residues, triples = [], [], []
    for i, place in enumerate(places):
        predicted = np.asarray(predictions[chains.names[place]], dtype=float)
        fine, coarse = chains.labels_at(task, chains.rows(place))
        row, count = label.sums(fine, coarse, predicted)
        rows.append(row)
        residues.append(count)
        if None in label.metrics.values():
            observed = label.observed(fine, coarse)
            triples.append((fine[observed].astype(float), predicted[observed], np.full(count, i)))
    pairs = None
    if triples:
        y, values, chain = (np.concatenate(parts) for parts in zip(*triples, strict=True))
        pairs = y, values, chain
    clusters = chains.obs["cluster"].to_numpy().astype(str)[places]
    sums = np.array(rows, dtype=float).reshape(len(places), -1)
    return Scored(clusters, np.array(residues, dtype=int), sums, label.metrics, pairs)


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
