"""Relative solvent accessibility, the accessible share of a residue's surface: 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from mtlbio.errors import InputError
from mtlbio.labels.residues.base import ResidueSection
from mtlbio.labels.residues.numbers import NumberLabel, NumberSection

if TYPE_CHECKING:
    import torch


class AccessibilitySection(NumberSection):
    """Relative solvent accessibility."""

    kind: Literal["accessibility"]


@dataclass(frozen=True)
class Accessibility(NumberLabel):
    """Squared error of the logistic of an output."""

    kind: ClassVar[str] = "accessibility"
    section: ClassVar[type[ResidueSection]] = AccessibilitySection
    bounded: ClassVar[bool] = True

    @classmethod
    def check_range(cls, values: np.ndarray, name: str, where: str) -> None:
        """Shares lie between 0 and 1."""
        wrong = values[(values < 0) | (values > 1)]
        if len(wrong):
            raise InputError(
                f"{where}: {wrong[0]:g} is outside 0 to 1; tasks.{name} is the accessible share of a surface"
            )

    def activated(self, raw: torch.Tensor) -> torch.Tensor:
        return raw.sigmoid()
