"""Several classes without an order: a logit each, softmax, one-versus-rest AUROC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from mtlbio.labels.base import TaskSection
from mtlbio.labels.classes import SeveralClasses, SeveralSection, softmax
from mtlbio.metrics import metric

if TYPE_CHECKING:
    import torch


class MulticlassSection(SeveralSection):
    """A label of several classes without an order."""

    kind: Literal["multiclass"]


@dataclass(frozen=True)
class Multiclass(SeveralClasses[MulticlassSection]):
    """A prediction is the probabilities of all classes."""

    kind: ClassVar[str] = "multiclass"
    section: ClassVar[type[TaskSection]] = MulticlassSection
    metrics: ClassVar = (
        metric.MACRO_AUROC, metric.ACCURACY, metric.BALANCED_ACCURACY, metric.BRIER, metric.LOG_LOSS
    )  # fmt: skip
    effect_unit: ClassVar[str] = "R"

    @property
    def n_columns(self) -> int:
        return len(self.classes)

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def loss(self, outputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of logits (..., n, K) against class codes (n,)."""
        log_probability = outputs.log_softmax(-1)
        index = target.long().expand(outputs.shape[:-1])[..., None]
        return -log_probability.gather(-1, index)[..., 0]

    def to_prediction(self, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(..., K) probabilities."""
        return softmax(outputs)

    def test_columns(self, y: np.ndarray) -> np.ndarray:
        """Indicators of all classes that occur but the first."""
        return (y[:, None] == np.unique(y)[None, 1:]).astype(float)

    def indicators(self, y: np.ndarray) -> list[np.ndarray]:
        """Each class against the rest."""
        return [(y == k).astype(float) for k in range(len(self.classes))]

    def test_variance(self, rarest: float) -> float:
        return rarest * (1 - rarest)

    def difference(self, size: str, rarest: str | None) -> str:
        return f"{rarest} differs from the other classes by at least {size}"
