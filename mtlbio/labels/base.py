"""What a kind of label offers: everything that the rest of the package asks of a label to be predicted.

A kind of label is one class in one file of this room. It holds the keys of its YAML, how its column is read and
checked, how the network's outputs are packed, the loss, the link and its inverse, the metrics and which of them
decides, how donors are spread over folds, the columns of its test in the trial, its rows of ``predictions.tsv`` and how
a baseline predicts it. Nothing outside asks which kind a label is. What a method gives is said here; where a kind
overrides it without a word, its one line says how. No kind imports torch before a loss is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from pydantic import Field

from mtlbio.errors import InputError
from mtlbio.labels.strata import carried_values, counted_values
from mtlbio.metrics import Metric
from mtlbio.section import Section
from mtlbio.text import number

if TYPE_CHECKING:
    import pandas as pd
    import torch

Value = str | int | float | bool
# (items, kind, reason, detail): a row of qc.tsv
Note = Callable[[list[str], str, str, str], None]


class TaskSection(Section):
    """A label to be predicted: the keys of ``tasks.<name>`` that every kind has; a kind adds its own."""

    kind: str = Field(description="what kind of label")
    column: str | None = Field(None, description="metadata column; the task's own name where left out")
    where: dict[str, Value] = Field({}, description="column: value; labels of other samples count as missing")
    auxiliary: bool = Field(
        False, description="only shapes what the tasks share: trained with them, not evaluated and not put on trial"
    )


@dataclass(frozen=True)
class Effects:
    """Effects (D,) of a label on dimensions with their 95 % intervals, the share (0-1) that the two have in common, and
    how the effects change with time: in standard errors (above 0 they grow) and its p."""

    effect: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    changes: np.ndarray
    p_changes: np.ndarray


class OwnModel(Protocol):
    """A linear model that a kind of label brings along for the baselines; of n labelled samples.

    ``path(x, rows, penalties)`` has a method ``predict(x) -> (penalties, m)``; penalties are relative to the total
    variance of the columns.
    """

    @property
    def penalties(self) -> np.ndarray:
        """Candidates, strong to weak."""

    def path(self, x: np.ndarray, rows: np.ndarray | slice, penalties: np.ndarray) -> Any:
        """Fits to rows of x (n, p)."""

    def loss(self, rows: np.ndarray, scores: np.ndarray) -> float:
        """Summed over held-out rows, of their scores."""

    def values(self) -> np.ndarray:
        """(n,) numbers for arms that fit nothing but numbers."""

    def from_scores(self, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Predictions in the label's form from scores (m,); those of the training samples (n,) set the level."""

    def from_values(self, test: np.ndarray) -> np.ndarray:
        """The same from predicted :meth:`values` (m,)."""


S = TypeVar("S", bound=TaskSection)


@dataclass(frozen=True)
class Label(Generic[S]):
    """A label to be predicted, after its column was read; ``S`` holds its keys of the YAML.

    Attributes
    ----------
    name : of the task
    kind : as the YAML says it
    section : keys of the YAML
    as_covariate : kind of a covariate that holds the same values; empty where none can
    names_values_of : key of the column in which the values are found that the YAML names (positive, classes)
    averaged : whether samples of a donor are averaged to one label; otherwise a donor may be seen in several states
    steep : whether the loss can curve by more than one half where outputs are near the target
    reads_weights : whether the loss of a sample depends on the weights of others (risk sets)
    likelihood : how much of minus the log likelihood the loss is
    noisy : whether the loss is half the squared error of the only output; its likelihood has a spread of its own
    anchored : whether the loss leaves something open that :meth:`anchor` finds after training, such as a level
    predicts_value : whether a baseline predicts a number, for :meth:`from_value` to make a prediction of; else classes'
        probabilities
    predicts_label : whether a prediction is a label, or probabilities of labels: one that is far off can be suspected
    effect_unit : of an effect on a dimension: SD, or R where there is no single direction
    contrast : what an effect of one standard deviation is per, in words
    ratio : what an effect is the logarithm of, where it is one, in words
    counts : what the power of its test grows with, where that is not the donors (:meth:`telling`)
    """

    name: str

    kind: ClassVar[str]
    section: ClassVar[type[TaskSection]]
    as_covariate: ClassVar[str] = "continuous"
    names_values_of: ClassVar[str] = "column"
    averaged: ClassVar[bool] = True
    steep: ClassVar[bool] = True
    reads_weights: ClassVar[bool] = False
    likelihood: ClassVar[float] = 1.0
    noisy: ClassVar[bool] = False
    anchored: ClassVar[bool] = False
    predicts_value: ClassVar[bool] = True
    predicts_label: ClassVar[bool] = True
    effect_unit: ClassVar[str] = "SD"
    contrast: ClassVar[str] = "SD per SD"
    counts: ClassVar[str] = ""
    ratio: ClassVar[str] = ""

    # what some kinds take from their section, and others from their class

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in code order; empty where the label is a number."""
        return ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All of the kind; the first decides: arms are compared on it and dimensions ablated."""
        raise NotImplementedError

    @property
    def unit(self) -> str | None:
        """What numbers are in, for the page."""
        return None

    @property
    def multiplicative(self) -> bool:
        """Whether the label is a product of one factor per feature: only a sum of terms may predict its logarithm."""
        return False

    # reading

    @classmethod
    def check(cls, key: str, section: S) -> None:
        """Raise ValueError, with the key, where keys of the YAML do not go together; ``key`` is ``tasks.<name>``."""

    @classmethod
    def needs_features(cls, section: S) -> bool:
        """Whether the label can only be learnt from a table of features (``tasks.<name>.head``)."""
        return False

    @classmethod
    def columns(cls, name: str, section: S) -> dict[str, str]:
        """Metadata columns that the label is read from, by the key that names them; ``column`` decides who has one."""
        return {"column": section.column or name}

    @classmethod
    def number_keys(cls) -> tuple[str, ...]:
        """Keys of :meth:`columns` whose columns hold numbers; those of the others hold names."""
        return ("column",) if cls.as_covariate == "continuous" else ()

    @classmethod
    def read(
        cls, name: str, section: S, columns: dict[str, pd.Series], source: str, note: Note
    ) -> tuple[pd.Series, Label]:
        """The column of the cohort and the label; an InputError of one line where the column cannot be such a label.

        Parameters
        ----------
        columns : text by key, as :meth:`columns` names them; missing = NaN
        source : the metadata file, for messages
        note : takes a row of ``qc.tsv``
        """
        raise NotImplementedError

    def saved(self) -> dict:
        """What JSON can hold; :func:`mtlbio.labels.read_label` is the inverse."""
        return {"kind": self.kind} | asdict(self)

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Self:
        """From :meth:`saved`, by way of JSON; keys that the kind does not have are left aside."""
        values: dict[str, Any] = {field.name: saved[field.name] for field in fields(cls) if field.name in saved}
        values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        return cls(**values)

    def y(self, column: pd.Series) -> np.ndarray:
        """(samples,) float of the cohort's column: codes or values, NaN where missing."""
        return column.to_numpy(dtype=float)

    # checks of the design, and folds

    def check_labels(self, labelled: pd.DataFrame, folds: int, where: str) -> None:
        """Raise InputError where the labels that are left after quality control cannot be learnt.

        ``labelled`` has the columns ``donor`` and the task's of samples with a label; ``where`` begins the line.
        """
        values = labelled[self.name]
        if values.nunique() < 2:
            shown = ", ".join(str(v) for v in values.unique()[:8]) or "(none)"
            raise InputError(f"{where}: the label is constant (found {shown}); nothing to predict")
        if labelled["donor"].nunique() < folds:
            raise InputError(
                f"{where}: {labelled['donor'].nunique()} labelled donor(s) after quality control, fewer than the "
                f"{folds} folds (splits.folds)"
            )

    def lacks(self, labels: pd.Series) -> str | None:
        """What is missing from training labels (the cohort's column, no gaps) without which nothing can be learnt."""
        return "fewer than two values" if labels.nunique() < 2 else None

    def carried(self, owner: np.ndarray, y: np.ndarray, owners: int, folds: int) -> np.ndarray:
        """What folds should spread evenly: bool (owners, labels), which label an owner (a donor) carries.

        ``owner`` (n,) is 0 .. owners - 1, ``y`` (n,) is NaN where missing.
        """
        return carried_values(owner, y, owners, folds)

    def counted(self, owner: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The same of owners with many samples (sites): samples of every label, and without one, (owners, labels)."""
        return counted_values(owner, y)

    def spread_evenly(self, y: np.ndarray) -> np.ndarray:
        """(n,) numbers or codes in place of labels, which inner folds spread evenly."""
        return y

    def strata(self, y: np.ndarray) -> np.ndarray | None:
        """(n,) within which donors are drawn again, so that no draw loses a class; None where nothing can be lost."""
        return None

    def groups(self, y: np.ndarray) -> list[np.ndarray]:
        """Masks of labelled samples (n,) of which the smallest decides how much a metric rests on."""
        return [np.ones(len(y), dtype=bool)]

    def codes(self, y: np.ndarray) -> np.ndarray | None:
        """(n,) int codes of the classes of labels without gaps; None where the label is a number."""
        return None

    # the network

    @property
    def n_columns(self) -> int:
        """Directions of the latents that the head reads."""
        return 1

    @property
    def n_outputs(self) -> int:
        """Numbers that the head gives, each with its own bias; one per column, or all on the only column."""
        return 1

    def as_value(self, y: np.ndarray) -> np.ndarray:
        """(n,) numbers in place of labels (n,), for what fits by least squares; larger where a prediction is to be."""
        return y

    def transform(self, y: np.ndarray) -> np.ndarray:
        """Labels in the user's units on the scale that is learnt."""
        return y

    def inverse_transform(self, values: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`transform`."""
        return values

    def standard(self, values: np.ndarray) -> tuple[float, float]:
        """Mean and scale by which transformed training labels (n,) become targets."""
        return 0.0, 1.0

    def loss(self, outputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Loss of every sample (..., n), not yet weighted.

        Parameters
        ----------
        outputs : (..., n, outputs)
        target : (n,) codes or standardised values, any number where the label is missing
        weights : (..., n) what the caller will weigh every loss with, 0 where the label is missing or the sample does
            not take part; only a loss over risk sets reads them (``reads_weights``)
        """
        raise NotImplementedError

    def anchor(self, outputs: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(outputs,) what is added to the outputs once training is over, where the kind is ``anchored``.

        Parameters
        ----------
        outputs : (n, outputs) of training samples, of replicas that have not seen them where there are such
        target : (n,) codes or standardised values, none missing
        weights : (n,) of the samples, every donor once
        """
        return np.zeros(self.n_outputs)

    def to_prediction(self, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """What a user reads, from outputs (..., outputs); ``mean`` and ``scale`` are of :meth:`standard`.

        That is (...) a probability or a value in the task's own units, or (..., K) probabilities of the classes.
        """
        raise NotImplementedError

    # predictions

    @property
    def row_labels(self) -> Sequence[str | None]:
        """``label`` of the rows of ``predictions.tsv`` that a sample has: one, or one per class."""
        return [None]

    @property
    def width(self) -> tuple[int, ...]:
        """Shape of one sample's prediction: () or (K,)."""
        return (len(self.row_labels),) if len(self.row_labels) > 1 else ()

    def rows(self, y: np.ndarray, predicted: np.ndarray) -> list[dict]:
        """Columns ``label, y_true, y_pred`` of a block of rows per entry of ``row_labels``.

        ``y`` (n,) are codes or values, NaN where missing; ``predicted`` is (n,) or (n, K).
        """
        return [{"label": self.row_labels[0], "y_true": y, "y_pred": predicted}]

    def from_rows(self, truth: np.ndarray, labelled: np.ndarray) -> np.ndarray:
        """(n,) ``y`` from the truths (n, rows) of :meth:`rows`; ``labelled`` (n,) says who has one."""
        return truth[:, 0]

    def score(
        self, y: np.ndarray, pred: np.ndarray, weights: np.ndarray | None = None, metric: Metric | None = None
    ) -> float | np.ndarray:
        """A metric (the one that decides where left out) on the labelled samples: float, or (draws,).

        Parameters
        ----------
        y : (n,) codes or values; NaN = no label, the sample is left out
        pred : (n,) or (n, K)
        weights : None, (n,) or (draws, n), a stack of weights
        """
        y, pred = np.asarray(y, dtype=float), np.asarray(pred, dtype=float)
        labelled = ~np.isnan(y)
        if not labelled.all():
            y, pred = y[labelled], pred[labelled]
            weights = None if weights is None else np.asarray(weights)[..., labelled]
        function = (metric or self.decisive).function
        assert function is not None, "a metric that is only read from tables"
        return function(y, pred, weights)

    @property
    def decisive(self) -> Metric:
        """The metric of comparisons and ablation."""
        return self.metrics[0]

    def typical(self, predicted: np.ndarray) -> float:
        """One number for the predictions (...) of many samples: their mean on the scale that is learnt, in the task's
        units; of a label without classes."""
        return float(self.inverse_transform(self.transform(predicted).mean()))

    def own_model(self, y: np.ndarray, weights: np.ndarray) -> OwnModel | None:
        """The linear model that baselines fit to labels (n,) in place of a regression; None where that is one."""
        return None

    def from_value(self, value: np.ndarray, spread: float) -> np.ndarray:
        """A prediction from a predicted value (m,) on the scale that is learnt, with errors of sd ``spread``."""
        return self.inverse_transform(value)

    def from_classes(self, probabilities: np.ndarray) -> np.ndarray:
        """A prediction from probabilities (m, K) of all classes."""
        return probabilities

    # the trial

    def test_columns(self, y: np.ndarray) -> np.ndarray:
        """(units, k) columns of the label in a test: a standardised number, 0/1, or indicators of classes."""
        spread = y.std()
        return ((y - y.mean()) / (spread if spread > 0 else 1.0))[:, None]

    def test_columns_given(self, y: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """The same where columns (units, r) are held fixed; only what is left of a time depends on them."""
        return self.test_columns(y)

    def effects(
        self, y: np.ndarray, z: np.ndarray, fixed: np.ndarray, cluster: np.ndarray | None = None
    ) -> Effects | None:
        """Effects on dimensions (units, D) beside what is held fixed (units, r); None: coefficients of the test.

        ``cluster``: (units,) what is independent of each other, where units are not.
        """
        return None

    def follow_up(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """Time, event (bool), entry and stratum (n,) each, where the label is a time to an event."""
        return None

    def telling(self, y: np.ndarray) -> np.ndarray:
        """Mask (units,) of the units that are :attr:`counts`."""
        return np.ones(len(y), dtype=bool)

    def indicators(self, y: np.ndarray) -> list[np.ndarray] | None:
        """0/1 targets (n,) of the logistic heads that are refitted on latents; None for a linear one on ``y``."""
        return None

    def test_variance(self, rarest: float) -> float:
        """Variance of the column that is tested, from the share of the rarest class."""
        return 1.0

    def difference(self, size: str, rarest: str | None) -> str:
        """The smallest effect that is found, in words; ``size`` is in standard deviations of a dimension."""
        return f"it moves by at least {size} per SD of {self.name}"

    def smallest(self, size: float, rarest: str | None) -> str:
        """The same of a size in standard deviations."""
        return self.difference(f"{size:.2f} of its standard deviations (SD)", rarest)

    def summary(self, column: pd.Series) -> str:
        """The labels of a cohort in a few words."""
        values = column.astype(float)
        low, high, middle = (number(value, 1) for value in (values.min(), values.max(), values.median()))
        text = f"{low} to {high}, median {middle}"
        return text + (f" {self.unit}" if self.unit else "")
