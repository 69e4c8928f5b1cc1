"""Whether a residue is something: 0 or 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from mtlbio.errors import InputError
from mtlbio.labels.base import Label
from mtlbio.labels.binary import Binary
from mtlbio.labels.residues.base import ResidueSection
from mtlbio.labels.residues.numbers import NumberLabel, NumberSection
from mtlbio.metrics import metric

if TYPE_CHECKING:
    import torch


class ResidueBinarySection(NumberSection):
    """Whether a residue is something."""

    kind: Literal["binary"]


@dataclass(frozen=True)
class ResidueBinary(NumberLabel):
    """Cross-entropy, AUROC over all residues."""

    kind: ClassVar[str] = "binary"
    section: ClassVar[type[ResidueSection]] = ResidueBinarySection
    metrics: ClassVar = {metric.AUROC: None}
    bounded: ClassVar[bool] = True

    @classmethod
    def check_range(cls, values: np.ndarray, name: str, where: str) -> None:
        """Nothing but 0 and 1."""
        wrong = values[~np.isin(values, (0, 1))]
        if len(wrong):
            raise InputError(f"{where}: {wrong[0]:g} is neither 0 nor 1; tasks.{name} is binary")

    def loss_sum(self, raw: torch.Tensor, fine: torch.Tensor, coarse: None) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy of a logit."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        present, raw, fine = self.labelled(raw, fine)
        return binary_cross_entropy_with_logits(raw, fine, reduction="sum"), present.sum()

    def null_loss(self, fine: np.ndarray, coarse: None) -> float:
        """Entropy."""
        share = fine[~np.isnan(fine)].astype(float).mean()
        return max(entropy(np.array([share, 1 - share])), 1e-3)

    def on_trial(self, fine: np.ndarray, coarse: None) -> list[str | None]:
        return [None if np.isnan(v) else str(int(v)) for v in fine.astype(float)]

    @property
    def trial_label(self) -> Label:
        return Binary(self.name, ("0", "1"))


def entropy(share: np.ndarray) -> float:
    """Of shares that sum to 1, natural logarithm."""
    positive = share[share > 0]
    return float(-(positive * np.log(positive)).sum())
