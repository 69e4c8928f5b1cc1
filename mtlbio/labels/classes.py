"""What the kinds of label with classes have in common: codes, how their text is read, and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

import numpy as np
from pydantic import Field

from mtlbio.errors import InputError, listing
from mtlbio.labels.base import Label, Note, S, TaskSection, Value
from mtlbio.labels.strata import carried_classes, counted_classes
from mtlbio.text import matching

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ClassLabel(Label[S]):
    """A label of classes; ``classes`` are their names in the order of the codes 0, 1, ..."""

    classes: tuple[str, ...] = ()

    as_covariate: ClassVar[str] = "categorical"
    averaged: ClassVar[bool] = False
    steep: ClassVar[bool] = False
    predicts_value: ClassVar[bool] = False
    contrast: ClassVar[str] = "SD between classes"

    def y(self, column: pd.Series) -> np.ndarray:
        """(samples,) class codes, NaN where missing or of no class."""
        codes = {label: float(code) for code, label in enumerate(self.classes)}
        return np.array([codes.get(v, np.nan) if isinstance(v, str) else np.nan for v in column.astype(object)])

    def check_labels(self, labelled: pd.DataFrame, folds: int, where: str) -> None:
        """Every class needs a donor per fold."""
        label = labelled[self.name].astype(str)
        donors = labelled.groupby(label)["donor"].nunique().reindex(list(self.classes), fill_value=0)
        rarest = donors.idxmin()
        if donors[rarest] < folds:
            counts = listing([f"{c} {n}" for c, n in donors.items()])
            raise InputError(
                f"{where}: {donors[rarest]} donor(s) of class {rarest!r} after quality control, fewer than the {folds} "
                f"folds (donors: {counts}); lower splits.folds or leave the class out"
            )

    def lacks(self, labels: pd.Series) -> str | None:
        """A class that no training label has."""
        absent = [c for c in self.classes if c not in set(labels)]
        return f"no {listing(absent)}" if absent else super().lacks(labels)

    def carried(self, owner: np.ndarray, y: np.ndarray, owners: int, folds: int) -> np.ndarray:
        return carried_classes(owner, y, owners)

    def counted(self, owner: np.ndarray, y: np.ndarray) -> np.ndarray:
        return counted_classes(owner, y)

    def strata(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y)

    def groups(self, y: np.ndarray) -> list[np.ndarray]:
        """A mask per class that occurs."""
        return [y == k for k in np.unique(y)]

    def codes(self, y: np.ndarray) -> np.ndarray:
        return y.astype(int)

    def summary(self, column: pd.Series) -> str:
        """Samples per class."""
        counts = column.value_counts()
        return ", ".join(f"{c} {int(counts.get(c, 0))}" for c in self.classes)


class SeveralSection(TaskSection):
    """A label of several classes."""

    classes: Annotated[list[Value], Field(min_length=2)] | None = Field(
        None,
        description="multiclass: the classes; ordinal: the levels from low to high; values outside count as missing",
    )


C = TypeVar("C", bound=SeveralSection)


@dataclass(frozen=True)
class SeveralClasses(ClassLabel[C]):
    """A label of classes that the YAML may list; a prediction is the probabilities of all of them."""

    @classmethod
    def check(cls, key: str, section: C) -> None:
        """No class stands twice."""
        classes = section.classes or []
        if len(set(map(str, classes))) != len(classes):
            raise ValueError(f"{key}.classes: a class is listed twice")

    @classmethod
    def read(
        cls, name: str, section: C, columns: dict[str, pd.Series], source: str, note: Note
    ) -> tuple[pd.Series, Label]:
        """The listed classes, or all that occur; an InputError where one never occurs, or where there is only one."""
        column = columns["column"]
        if section.classes is None:
            classes = tuple(sorted(column.dropna().unique()))
            meaning = {c: c for c in classes}
        else:
            key = f"tasks.{name}.classes"
            written = {str(value): occurring(value, column, key, source) for value in section.classes}
            meaning = {text: texts[0] for texts in written.values() for text in texts}
            classes = tuple(texts[0] for texts in written.values())
        if len(set(classes)) < 2:
            problem = f"one class only ({classes[0]!r})" if classes else "no class"
            raise InputError(
                f"{source}: tasks.{name}: column {column.name!r}: found {problem}; "
                f"a {section.kind} task needs at least two"
            )
        note_ignored(name, column, meaning, note)
        return categories(column.map(meaning), classes), cls(name, classes)

    @property
    def row_labels(self) -> Sequence[str]:
        return list(self.classes)

    def rows(self, y: np.ndarray, predicted: np.ndarray) -> list[dict]:
        """A block of rows per class, with the probability of that class."""
        return [
            {"label": label, "y_true": np.where(np.isnan(y), np.nan, y == code), "y_pred": predicted[:, code]}
            for code, label in enumerate(self.classes)
        ]

    def from_rows(self, truth: np.ndarray, labelled: np.ndarray) -> np.ndarray:
        """The class whose row is true."""
        return np.where(labelled, np.nan_to_num(truth).argmax(axis=1), np.nan)


def categories(column: pd.Series, classes: tuple[str, ...] | None = None) -> pd.Series:
    """A text column as categories, sorted unless ``classes`` gives their order."""
    import pandas as pd  # here, so that a YAML is checked without

    levels = list(classes) if classes is not None else sorted(column.dropna().unique())
    return pd.Series(pd.Categorical(column, categories=levels), index=column.index, name=column.name)


def occurring(value: Value, column: pd.Series, key: str, source: str) -> list[str]:
    """The texts of a column that a YAML value means; where it never occurs, an InputError that names what does."""
    texts = matching(value, column.dropna())
    if not texts:
        shown = listing([f"{v} ({n})" for v, n in column.value_counts().items()], 8)
        folded = str(value).strip().casefold()
        near = next((str(text) for text in column.dropna().unique() if str(text).casefold() == folded), None)
        hint = f"did you mean {near!r}? " if near else ""
        raise InputError(f"{source}: {key}: {value!r} never occurs in column {column.name!r}; {hint}found: {shown}")
    return texts


def note_ignored(name: str, column: pd.Series, meaning: dict[str, str], note: Note) -> None:
    """Say which values of a column count as missing."""
    ignored = column[column.notna() & ~column.isin(list(meaning))].value_counts()
    if len(ignored):
        detail = listing([f"{value} ({n})" for value, n in ignored.items()])
        note([f"tasks.{name}"], "note", "values set to missing", detail)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def softmax(x: np.ndarray) -> np.ndarray:
    """Probabilities (..., K) of logits (..., K)."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
