"""What the kinds of label with one number per residue have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from mtlbio.errors import InputError
from mtlbio.labels.base import Label
from mtlbio.labels.regression import Regression
from mtlbio.labels.residues.alphabet import NO_LABELS
from mtlbio.labels.residues.base import ResidueLabel, ResidueSection
from mtlbio.metrics import metric, sums

if TYPE_CHECKING:
    import torch


class NumberSection(ResidueSection):
    """A label that is a number per residue."""

    column: str | None = Field(
        None,
        description="column with the values, separated by spaces (nan: missing); the task's own name where left out",
    )


@dataclass(frozen=True)
class NumberLabel(ResidueLabel[NumberSection, None]):
    """A number per residue, float32 with NaN where missing; Pearson's r decides."""

    section: ClassVar[type[ResidueSection]] = NumberSection
    metrics: ClassVar = {metric.PEARSON: sums.pearson, metric.MAE: sums.ratio(6, 0)}

    @classmethod
    def check_range(cls, values: np.ndarray, name: str, where: str) -> None:
        """Raise InputError where a value (n,) cannot be."""

    @classmethod
    def columns(cls, name: str, section: NumberSection) -> list[str]:
        """One, the task's own name where left out."""
        return [section.column or name]

    @classmethod
    def read(
        cls, name: str, section: NumberSection, columns: dict[str, str], length: int, resolved: np.ndarray, where: str
    ) -> tuple[np.ndarray, None]:
        """A value per residue."""
        (column,) = cls.columns(name, section)
        numbers = values(columns, column, length, where)
        cls.check_range(numbers[~np.isnan(numbers)], name, f"{where}: {column}")
        return np.where(resolved, numbers, np.nan).astype(np.float32), None

    def observed(self, fine: np.ndarray, coarse: None) -> np.ndarray:
        return ~np.isnan(fine)

    def batch(
        self, fine: np.ndarray, coarse: None, mask: np.ndarray, mean: float, scale: float
    ) -> tuple[np.ndarray, None]:
        """float32, NaN where missing."""
        return np.where(mask, (fine - mean) / scale, np.nan).astype(np.float32), None

    def loss_sum(self, raw: torch.Tensor, fine: torch.Tensor, coarse: None) -> tuple[torch.Tensor, torch.Tensor]:
        """Squared error of what :meth:`activated` makes of the output."""
        from torch.nn.functional import mse_loss

        present, raw, fine = self.labelled(raw, fine)
        return mse_loss(self.activated(raw), fine, reduction="sum"), present.sum()

    @staticmethod
    def labelled(raw: torch.Tensor, fine: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Which residues have the label, and outputs and labels of those."""
        import torch

        present = ~torch.isnan(fine)
        return present, raw[present][:, 0].float(), fine[present]

    def activated(self, raw: torch.Tensor) -> torch.Tensor:
        """The output as a squared error sees it."""
        return raw

    def null_loss(self, fine: np.ndarray, coarse: None) -> float:
        """Variance."""
        return max(float(fine[~np.isnan(fine)].astype(float).var()), 1e-4)

    def to_prediction(self, raw: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(n,) between 0 and 1."""
        return 1 / (1 + np.exp(-np.clip(np.asarray(raw, dtype=np.float64)[..., 0], -35, 35)))

    def sums(self, fine: np.ndarray, coarse: None, predicted: np.ndarray) -> tuple[list[float], int]:
        """Moments of truth and prediction."""
        present = ~np.isnan(fine)
        return sums.moments(fine[present].astype(float), predicted[present]), int(present.sum())

    def from_linear(self, fitted: list[np.ndarray]) -> np.ndarray:
        """Cut to what can be."""
        return np.clip(fitted[0][:, 0], 0, 1)

    def on_trial(self, fine: np.ndarray, coarse: None) -> list | np.ndarray:
        return fine.astype(float)

    @property
    def trial_label(self) -> Label:
        return Regression(self.name)


def values(columns: dict[str, str], column: str, length: int, where: str) -> np.ndarray:
    """(length,) a value per residue: numbers separated by spaces or commas, or one digit each; nan and ``?`` missing.

    Raises InputError at another number of values than residues, or at text that is no finite number.
    """
    text = columns.get(column, "").strip()
    if text.lower() in NO_LABELS and len(text) != length:
        return np.full(length, np.nan)
    apart = text.replace(",", " ")
    parts = apart.split() if " " in apart or length == 1 else list(text)
    if len(parts) != length:
        raise InputError(f"{where}: {column} has {len(parts)} values; the sequence has {length} residues")
    try:
        numbers = np.array([_number(part) for part in parts])
    except ValueError as error:
        raise InputError(f"{where}: {column}: {error}") from None
    if np.isinf(numbers).any():
        raise InputError(f"{where}: {column}: infinite; expected numbers, nan where missing")
    return numbers


def _number(text: str) -> float:
    if text.lower() in (*NO_LABELS, "?"):
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; expected one per residue, nan where missing") from None
