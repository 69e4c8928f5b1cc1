"""Secondary structure: eight states, or three where no more is known, told by one head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from mtlbio.labels.base import Label
from mtlbio.labels.classes import softmax
from mtlbio.labels.multiclass import Multiclass
from mtlbio.labels.residues.alphabet import MISSING_STATE, Q3, Q3_OF_Q8, Q8, states, three_states
from mtlbio.labels.residues.base import ResidueLabel, ResidueSection
from mtlbio.labels.residues.binary import entropy
from mtlbio.metrics import metric, sums
from mtlbio.metrics.sov import overlap_sums

if TYPE_CHECKING:
    import torch

NO_STATE = -1  # in a batch


class StatesSection(ResidueSection):
    """Secondary structure."""

    kind: Literal["secondary_structure"]
    q8: str | None = Field(None, description="secondary_structure: column with eight states, ? where not known")
    q3: str | None = Field(
        None,
        description="secondary_structure: column with three states, for chains without Q8; they train the same head",
    )


@dataclass(frozen=True)
class SecondaryStructure(ResidueLabel[StatesSection, np.ndarray]):
    """``fine`` are Q8 codes, ``coarse`` Q3 codes, uint8 with 255 where not known; a prediction is (n, 8) of Q8."""

    kind: ClassVar[str] = "secondary_structure"
    section: ClassVar[type[ResidueSection]] = StatesSection
    outputs: ClassVar[int] = len(Q8)
    metrics: ClassVar = {metric.Q3: sums.ratio(1, 0), metric.Q8: sums.ratio(3, 2), metric.SOV: sums.ratio(4, 5)}
    has_coarse: ClassVar[bool] = True

    @classmethod
    def check(cls, key: str, section: StatesSection) -> None:
        """One of the two columns is there."""
        if section.q8 is None and section.q3 is None:
            raise ValueError(f"{key}.q8: missing; a secondary structure needs the column of q8 or of q3")

    @classmethod
    def columns(cls, name: str, section: StatesSection) -> list[str]:
        """Of eight states, of three, or both."""
        return [column for column in (section.q8, section.q3) if column]

    @classmethod
    def read(
        cls, name: str, section: StatesSection, columns: dict[str, str], length: int, resolved: np.ndarray, where: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """A string of states from either column."""
        pairs = ((section.q8, Q8), (section.q3, Q3))
        eight, three = (states(columns, column, alphabet, length, where) for column, alphabet in pairs)
        fine, coarse = (np.where(resolved, codes, MISSING_STATE).astype(np.uint8) for codes in (eight, three))
        return fine, coarse

    def observed(self, fine: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        """Where three states are known at least."""
        return coarse != MISSING_STATE

    def batch(
        self, fine: np.ndarray, coarse: np.ndarray, mask: np.ndarray, mean: float, scale: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """int64, -1 where not known."""
        eight, three = (
            np.where(mask & (codes != MISSING_STATE), codes.astype(np.int64), NO_STATE) for codes in (fine, coarse)
        )
        return eight, three

    def loss_sum(
        self, raw: torch.Tensor, fine: torch.Tensor, coarse: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy; a residue of which only Q3 is known asks for any of that state's eight-state classes.

        That is minus the logarithm of their summed probability: so chains with Q3 and chains with Q8 train one head.
        """
        import torch
        from torch.nn.functional import log_softmax

        observed = coarse != NO_STATE
        raw, label, three = raw[observed].float(), fine[observed], coarse[observed]
        every = torch.arange(raw.shape[1], device=raw.device)
        exact = (label != NO_STATE)[:, None]
        group = torch.as_tensor(Q3_OF_Q8, device=raw.device)
        allowed = torch.where(exact, every == label[:, None], group == three[:, None])
        chosen = log_softmax(raw, dim=1).masked_fill(~allowed, -torch.inf)
        return -torch.logsumexp(chosen, dim=1).sum(), observed.sum()

    def null_loss(self, fine: np.ndarray, coarse: np.ndarray) -> float:
        """Entropy of the shares of eight states, and of three where no more is known."""
        exact = fine[fine != MISSING_STATE]
        share8 = np.bincount(exact, minlength=8) / max(len(exact), 1)
        rest = coarse[(coarse != MISSING_STATE) & (fine == MISSING_STATE)]
        share3 = np.bincount(rest, minlength=3) / max(len(rest), 1)
        cost = entropy(share8) * len(exact) + entropy(share3) * len(rest)
        return max(cost / max(len(exact) + len(rest), 1), 1e-3)

    def to_prediction(self, raw: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(n, 8) probabilities."""
        return softmax(np.asarray(raw, dtype=np.float64))

    def rows(self, fine: np.ndarray, predicted: np.ndarray) -> Sequence[tuple[str, np.ndarray, np.ndarray]]:
        return [
            (state, np.where(fine == MISSING_STATE, np.nan, fine == k), predicted[:, k]) for k, state in enumerate(Q8)
        ]

    def sums(self, fine: np.ndarray, coarse: np.ndarray, predicted: np.ndarray) -> tuple[list[float], int]:
        """Residues and right ones of three states, of eight, and both sums of SOV."""
        observed, exact = coarse != MISSING_STATE, fine != MISSING_STATE
        called = three_states(predicted).argmax(axis=1)
        gained, total = overlap_sums(coarse, called, observed)
        right = (called == coarse)[observed].sum()
        eight = (predicted.argmax(axis=1) == fine)[exact].sum()
        return [observed.sum(), right, exact.sum(), eight, gained, total], int(observed.sum())

    def regressed(self, fine: np.ndarray, coarse: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Three states on all chains, eight on those that have them."""
        return [(coarse, len(Q3)), (fine, len(Q8))]

    def from_linear(self, fitted: list[np.ndarray]) -> np.ndarray:
        """Shares of three states, and within each of them those of eight (equal ones where none were fitted)."""
        three = np.clip(fitted[0], 1e-3, None)
        three /= three.sum(axis=1, keepdims=True)
        eight = np.clip(fitted[1], 1e-3, None) if len(fitted) > 1 else np.ones((len(three), len(Q8)))
        return eight / three_states(eight)[:, Q3_OF_Q8] * three[:, Q3_OF_Q8]

    def table_columns(self, predicted: np.ndarray, three: bool) -> dict[str, object]:
        """The likeliest of eight and of three states, and probabilities of eight (of three where no more is told)."""
        mean = predicted.mean(axis=0)
        coarse, columns = three_states(mean), {}
        if not three:
            columns[f"{self.name}_q8"] = [Q8[k] for k in mean.argmax(axis=1)]
        columns[f"{self.name}_q3"] = [Q3[k] for k in coarse.argmax(axis=1)]
        shares, alphabet = (coarse, Q3) if three else (mean, Q8)
        return columns | {f"{self.name}_{state}": np.round(shares[:, k], 4) for k, state in enumerate(alphabet)}

    def on_trial(self, fine: np.ndarray, coarse: np.ndarray) -> list[str | None]:
        return [None if c == MISSING_STATE else Q3[c] for c in coarse]

    @property
    def trial_label(self) -> Label:
        return Multiclass(self.name, tuple(Q3))

    def for_trial(self, predicted: np.ndarray) -> np.ndarray:
        """(..., 3) probabilities of helix, strand and coil."""
        return three_states(predicted)
