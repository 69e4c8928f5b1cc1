"""Two classes: a disease, a response. One logit, cross-entropy, AUROC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from mtlbio.errors import InputError, listing
from mtlbio.labels.base import Label, Note, TaskSection, Value
from mtlbio.labels.classes import ClassLabel, categories, note_ignored, occurring, sigmoid
from mtlbio.metrics import metric

if TYPE_CHECKING:
    import pandas as pd
    import torch


class BinarySection(TaskSection):
    """A label of two classes."""

    kind: Literal["binary"]
    positive: Value | None = Field(
        None,
        description="binary: the value that counts as 1, required; survival: the value of `event` that is the event",
    )
    negative: Value | None = Field(
        None,
        description="binary: the value that counts as 0; where given, other values count as missing, "
        "where left out, all of them count as 0",
    )


@dataclass(frozen=True)
class Binary(ClassLabel[BinarySection]):
    """``classes`` are (negative, positive); a prediction is the probability of the positive class."""

    kind: ClassVar[str] = "binary"
    section: ClassVar[type[TaskSection]] = BinarySection
    metrics: ClassVar = (
        metric.AUROC, metric.AUPRC, metric.BRIER, metric.LOG_LOSS, metric.ACCURACY, metric.BALANCED_ACCURACY,
        metric.SLOPE, metric.INTERCEPT, metric.CALIBRATION_ERROR,
    )  # fmt: skip

    @classmethod
    def check(cls, key: str, section: BinarySection) -> None:
        """``positive`` is required, and differs from ``negative``."""
        if section.positive is None:
            raise ValueError(f"{key}.positive: a binary task needs the value that counts as 1")
        if section.negative is not None and str(section.negative) == str(section.positive):
            raise ValueError(f"{key}.negative: {section.negative!r} is the positive value too")

    @classmethod
    def read(
        cls, name: str, section: BinarySection, columns: dict[str, pd.Series], source: str, note: Note
    ) -> tuple[pd.Series, Label]:
        """Texts that mean the positive value, and those that mean the negative one or are all the others."""
        column = columns["column"]
        assert section.positive is not None  # :meth:`check`
        positives = occurring(section.positive, column, f"tasks.{name}.positive", source)
        others = sorted(set(column.dropna()) - set(positives))
        if not others:
            raise InputError(
                f"{source}: tasks.{name}: column {column.name!r}: found one class only ({positives[0]!r}); "
                f"a binary task needs samples of the other class too"
            )
        positive = positives[0]
        if section.negative is not None:
            negatives = occurring(section.negative, column, f"tasks.{name}.negative", source)
            if set(negatives) & set(positives):
                raise InputError(f"{source}: tasks.{name}.negative: {section.negative!r} is the positive value too")
            negative = negatives[0]
        elif len(others) == 1:
            negatives, negative = others, others[0]
        else:
            negatives, negative = others, f"not {positive}"
            detail = f"{listing(others)} pooled as {negative!r}; tasks.{name}.negative restricts it to one of them"
            note([f"tasks.{name}"], "note", "classes pooled", detail)
        meaning = dict.fromkeys(positives, positive) | dict.fromkeys(negatives, negative)
        note_ignored(name, column, meaning, note)
        classes = (negative, positive)
        return categories(column.map(meaning), classes), cls(name, classes)

    def loss(self, outputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of logits (..., n, 1) against 0/1 targets (n,)."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(outputs[..., 0], target.expand(outputs.shape[:-1]), reduction="none")

    def to_prediction(self, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(...) probability of the positive class."""
        return sigmoid(outputs[..., 0])

    @property
    def row_labels(self) -> Sequence[str]:
        return [self.classes[-1]]

    def from_classes(self, probabilities: np.ndarray) -> np.ndarray:
        """(m,) of the positive class."""
        return probabilities[:, 1]

    def test_columns(self, y: np.ndarray) -> np.ndarray:
        return y[:, None].astype(float)

    def indicators(self, y: np.ndarray) -> list[np.ndarray]:
        return [y]

    def test_variance(self, rarest: float) -> float:
        return rarest * (1 - rarest)

    def difference(self, size: str, rarest: str | None) -> str:
        return f"{' and '.join(self.classes)} differ in it by at least {size}"
