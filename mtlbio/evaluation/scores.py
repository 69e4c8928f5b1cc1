"""Scores with units and draws: what every table of an evaluation is made of, whatever a run is about.

A kind of run says how a metric comes from weights of its samples (:class:`ArmScores`) and which arms can be scored
together (:class:`TaskScores`); metrics, comparisons and the verdicts on sharing follow from that alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mtlbio.evaluation.bootstrap import Estimate, interval
from mtlbio.labels import Label
from mtlbio.labels.residues import ResidueLabel
from mtlbio.metrics import Metric


@dataclass(frozen=True, eq=False)
class ArmScores:
    """Arms of a task on the samples that all of them predicted.

    Attributes
    ----------
    score : (arm, metric, weights) -> value, or (draws,) for a stack of weights (draws, n); None counts all once
    draw : (draws, seed) -> weights (draws, n) by drawing units (donors, clusters of chains) again
    n_samples, n_units : labelled ones
    rarest : units on which a metric rests, see :func:`mtlbio.evaluation.bootstrap.fewest`
    """

    score: Callable[[str, Metric, np.ndarray | None], float | np.ndarray]
    draw: Callable[[int, int], np.ndarray]
    n_samples: int
    n_units: int
    rarest: int
    _weights: dict = field(default_factory=dict, repr=False)
    _drawn: dict = field(default_factory=dict, repr=False)

    def value(self, arm: str, metric: Metric) -> float:
        """The metric of an arm."""
        return float(self.score(arm, metric, None))

    def drawn(self, arm: str, metric: Metric, draws: int, seed: int) -> np.ndarray:
        """(draws,) the metric on draws of units, the same for all arms and metrics."""
        key = (arm, metric.name, draws, seed)
        if key not in self._drawn:
            if (draws, seed) not in self._weights:
                self._weights.clear()
                self._weights[draws, seed] = self.draw(draws, seed)
            self._drawn[key] = self.score(arm, metric, self._weights[draws, seed])
        return self._drawn[key]

    def estimate(self, arm: str, metric: Metric, draws: int, seed: int) -> Estimate:
        """A metric of an arm with its 95 % interval."""
        return Estimate(self.value(arm, metric), *interval(self.drawn(arm, metric, draws, seed)))

    def difference(self, a: str, b: str, metric: Metric, draws: int, seed: int, level: float = 0.95) -> Estimate:
        """How much better arm ``a`` is than ``b`` on the same draws; positive favours ``a`` whatever the metric."""
        sign = -1.0 if metric.lower_is_better else 1.0
        drawn = self.drawn(a, metric, draws, seed) - self.drawn(b, metric, draws, seed)
        return Estimate(sign * (self.value(a, metric) - self.value(b, metric)), *interval(sign * drawn, level))


class TaskScores(ABC):
    """What the arms of one task predicted, as something to be scored.

    Attributes
    ----------
    task : the label, with its metrics
    arms : by name
    transfer_draws : draws of a verdict on sharing; None: as many as the ends of its interval need
    asks_chance : whether a verdict on sharing needs an arm that is better than chance
    """

    task: Label | ResidueLabel
    arms: Mapping[str, object]
    transfer_draws: ClassVar[int | None] = None
    asks_chance: ClassVar[bool] = True

    @property
    def compared(self) -> tuple[Metric, ...]:
        """Metrics on which arms are compared: the one that decides."""
        return (self.task.decisive,)

    @property
    @abstractmethod
    def labelled(self) -> tuple[int, int]:
        """Samples and units with the label."""

    @abstractmethod
    def common(self, *arms: str) -> ArmScores | None:
        """The arms on the labelled samples that all of them predicted; None where there is no such sample, or arm."""
