"""Classes with an order: one direction and a threshold between neighbours (Cao et al. 2020, CORAL)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from mtlbio.labels.base import TaskSection
from mtlbio.labels.classes import SeveralClasses, SeveralSection, sigmoid
from mtlbio.metrics import metric

if TYPE_CHECKING:
    import torch


class OrdinalSection(SeveralSection):
    """A label of levels from low to high."""

    kind: Literal["ordinal"]


@dataclass(frozen=True)
class Ordinal(SeveralClasses[OrdinalSection]):
    """``classes`` are the levels from low to high; a prediction is the probabilities of all levels."""

    kind: ClassVar[str] = "ordinal"
    section: ClassVar[type[TaskSection]] = OrdinalSection
    metrics: ClassVar = (
        metric.LEVEL_SPEARMAN, metric.MAE_LEVELS, metric.ACCURACY, metric.BALANCED_ACCURACY, metric.LOG_LOSS
    )  # fmt: skip
    predicts_value: ClassVar[bool] = True
    contrast: ClassVar[str] = "SD per SD"

    @classmethod
    def check(cls, key: str, section: OrdinalSection) -> None:
        """The levels are listed, each once."""
        if not section.classes:
            raise ValueError(f"{key}.classes: an ordinal task needs its levels from low to high")
        super().check(key, section)

    @property
    def n_outputs(self) -> int:
        """A logit of ``level > k`` for every level but the highest."""
        return len(self.classes) - 1

    def loss(self, outputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the logits of ``level > k`` (..., n, K - 1)."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        levels = torch.arange(outputs.shape[-1], device=outputs.device)
        above = (target[:, None] > levels).to(outputs.dtype)
        return binary_cross_entropy_with_logits(outputs, above.expand(outputs.shape), reduction="none").mean(-1)

    def to_prediction(self, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(..., K) probabilities of the levels."""
        # thresholds that cross would give negative probabilities
        above = np.minimum.accumulate(sigmoid(outputs), axis=-1)
        edge = np.ones_like(above[..., :1])
        return -np.diff(np.concatenate([edge, above, 0 * edge], axis=-1), axis=-1)

    def from_value(self, value: np.ndarray, spread: float) -> np.ndarray:
        """(m, K) probabilities of the levels from predicted levels (m,) with normal errors, cut halfway between."""
        from scipy.special import ndtr

        cuts = np.arange(len(self.classes) - 1) + 0.5
        below = ndtr((cuts - value[:, None]) / max(spread, 1e-3))
        return np.diff(below, axis=1, prepend=0.0, append=1.0)
