"""What a kind of label of residues offers.

A label is an array over the residues of all chains, ``fine``, and for some kinds a second one, ``coarse``, that is
known for more residues (three states where eight are not known). Where a method takes both, ``coarse`` is None for the
others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy as np
from pydantic import Field

from mtlbio.labels.base import Label
from mtlbio.metrics import Metric
from mtlbio.metrics.sums import OfSums
from mtlbio.section import Section

if TYPE_CHECKING:
    import torch


class ResidueSection(Section):
    """A label of every residue; strings and lists are as long as the sequence."""

    kind: str = Field(
        description="secondary_structure: Q8 or Q3 strings; accessibility: relative, 0-1; binary: 0 and 1; "
        "regression: numbers, or one digit each"
    )
    auxiliary: bool = Field(False, description="trained with the others, not evaluated and not put on trial")


S = TypeVar("S", bound=ResidueSection)
C = TypeVar("C", np.ndarray, None)


@dataclass(frozen=True)
class ResidueLabel(Generic[S, C]):
    """A label of residues: ``S`` holds its keys of the YAML, and ``C`` says whether there are ``coarse`` labels."""

    name: str  # of the task
    auxiliary: bool = False  # trained, but neither evaluated nor put on trial

    kind: ClassVar[str]
    section: ClassVar[type[ResidueSection]]
    outputs: ClassVar[int] = 1  # numbers that a head gives for a residue
    # the first decides; with the function that makes it from sums over chains, None where it needs all residues
    metrics: ClassVar[dict[Metric, OfSums | None]]
    bounded: ClassVar[bool] = False  # whether predictions lie between 0 and 1 and can be drawn as such
    has_coarse: ClassVar[bool] = False

    # reading

    @classmethod
    def check(cls, key: str, section: S) -> None:
        """Raise ValueError, with the key, where keys of the YAML do not go together; ``key`` is ``tasks.<name>``."""

    @classmethod
    def columns(cls, name: str, section: S) -> list[str]:
        """Columns of a table of chains that the label is read from."""
        raise NotImplementedError

    @classmethod
    def read(
        cls, name: str, section: S, columns: dict[str, str], length: int, resolved: np.ndarray, where: str
    ) -> tuple[np.ndarray, C]:
        """Labels ``fine`` and ``coarse`` (length,) of a chain, from the text of its row.

        Labels count at ``resolved`` residues, (length,) bool. An InputError, which begins with ``where``, file and
        chain, where there is another number of labels than residues, or one that cannot be.
        """
        raise NotImplementedError

    def saved(self) -> dict:
        """What JSON can hold."""
        return {"kind": self.kind} | asdict(self)

    def observed(self, fine: np.ndarray, coarse: C) -> np.ndarray:
        """(n,) bool, which residues have the label."""
        raise NotImplementedError

    # the network

    def standard(self, fine: np.ndarray) -> tuple[float, float] | None:
        """Mean and scale of training labels by which they are standardised; None where they are not."""
        return None

    def batch(self, fine: np.ndarray, coarse: C, mask: np.ndarray, mean: float, scale: float) -> tuple[np.ndarray, C]:
        """Labels (b, length) as the loss takes them; ``mask`` says which are residues and not padding."""
        raise NotImplementedError

    def loss_sum(self, raw: torch.Tensor, fine: torch.Tensor, coarse: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed loss of the labelled residues of a batch, and how many there are.

        A residue without a label is taken out before the loss, not multiplied by zero, so that a missing value cannot
        leave a NaN in a gradient. ``raw`` is (b, length, outputs), the labels are (b, length) of :meth:`batch`.
        """
        raise NotImplementedError

    def null_loss(self, fine: np.ndarray, coarse: C) -> float:
        """Mean loss of the best constant answer to training labels: entropy or variance."""
        raise NotImplementedError

    def to_prediction(self, raw: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """What a head says in the task's own terms, (n,) or (n, K), from (n, outputs).

        ``mean`` and ``scale`` are of :meth:`standard`.
        """
        raise NotImplementedError

    # predictions and their metrics

    @property
    def decisive(self) -> Metric:
        """The metric of comparisons."""
        return next(iter(self.metrics))

    def rows(self, fine: np.ndarray, predicted: np.ndarray) -> Sequence[tuple[str | float, np.ndarray, np.ndarray]]:
        """(label, truth, prediction) of the rows of ``predictions.tsv`` that a chain has."""
        return [(np.nan, fine, predicted)]

    def sums(self, fine: np.ndarray, coarse: C, predicted: np.ndarray) -> tuple[list[float], int]:
        """What a chain contributes to the metrics, and its number of labelled residues."""
        raise NotImplementedError

    def regressed(self, fine: np.ndarray, coarse: C) -> list[tuple[np.ndarray, int]]:
        """Codes or values (n,) that a linear baseline regresses, each with its number of classes, 0 for values."""
        return [(fine, 0)]

    def from_linear(self, fitted: list[np.ndarray]) -> np.ndarray:
        """A prediction from linear ones (length, targets) of what :meth:`regressed` gave."""
        raise NotImplementedError

    def table_columns(self, predicted: np.ndarray, three: bool) -> dict[str, object]:
        """Columns of ``mtlbio predict`` for a chain, from (replicas, length) or (replicas, length, K).

        ``three`` says whether the model learnt from coarse labels only.
        """
        mean = predicted.mean(axis=0)
        columns: dict[str, object] = {self.name: np.round(mean, 4)}
        if len(predicted) > 1:
            columns[f"{self.name}_sd"] = np.round(predicted.std(axis=0, ddof=1), 4)
        return columns

    # the trial

    def on_trial(self, fine: np.ndarray, coarse: C) -> list | np.ndarray:
        """Labels (n,) as the column of a cohort."""
        raise NotImplementedError

    @property
    def trial_label(self) -> Label:
        """The label that the trial is about."""
        raise NotImplementedError

    def for_trial(self, predicted: np.ndarray) -> np.ndarray:
        """A prediction in the form of :attr:`trial_label`."""
        return predicted
