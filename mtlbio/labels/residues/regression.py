"""A number per residue in units of its own, standardised on the training residues."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from mtlbio.labels.residues.base import ResidueSection
from mtlbio.labels.residues.numbers import NumberLabel, NumberSection


class ResidueRegressionSection(NumberSection):
    """A number per residue."""

    kind: Literal["regression"]


@dataclass(frozen=True)
class ResidueRegression(NumberLabel):
    """Squared error of standardised values."""

    kind: ClassVar[str] = "regression"
    section: ClassVar[type[ResidueSection]] = ResidueRegressionSection

    def standard(self, fine: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation."""
        values = fine.astype(float)
        return float(np.nanmean(values)), float(np.nanstd(values)) or 1.0

    def null_loss(self, fine: np.ndarray, coarse: None) -> float:
        """1, for the labels are standardised."""
        return 1.0

    def to_prediction(self, raw: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(n,) in the task's units."""
        return np.asarray(raw, dtype=np.float64)[..., 0] * scale + mean

    def from_linear(self, fitted: list[np.ndarray]) -> np.ndarray:
        return fitted[0][:, 0]
