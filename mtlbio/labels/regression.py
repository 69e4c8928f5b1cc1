"""A number: age, a dose. Squared error of standardised values on the scale that is learnt, R2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from mtlbio.errors import InputError
from mtlbio.labels.base import Label, Note, TaskSection
from mtlbio.labels.transforms import TRANSFORMS
from mtlbio.metrics import Metric, metric
from mtlbio.metrics.values import within
from mtlbio.text import first_of, numbers

if TYPE_CHECKING:
    import pandas as pd
    import torch

# Scales on which a sum of effects is a product of factors.
LOGARITHMS = ("log", "log2", "log10")
# Relative error of a dose up to which a prediction counts as right, unless the run says otherwise.
DEFAULT_WITHIN = 0.2


class RegressionSection(TaskSection):
    """A label that is a number."""

    kind: Literal["regression"]
    transform: Literal["none", "sqrt", "log", "log2", "log10"] = Field(
        "none", description="regression: the scale on which it is learnt; predictions come back in the label's units"
    )
    unit: str | None = Field(
        None, description="regression: what the label is in, for the page (mg/week); survival: what times are in"
    )
    within: Annotated[float, Field(ge=0.001, lt=1)] | None = Field(
        None,
        description="regression: relative error up to which a prediction counts as right (0.2: within 20 %); where "
        "left out, 0.2 with a transform and none without",
    )
    head: Literal["free", "multiplicative"] = Field(
        "free",
        description="multiplicative: the label is a product of one factor per feature (clearance proportional to the "
        "activity of an enzyme); needs a table of features and a logarithm",
    )


@dataclass(frozen=True)
class Regression(Label[RegressionSection]):
    """A number."""

    scale: str = "none"  # on which it is learnt, a key of :data:`mtlbio.labels.transforms.TRANSFORMS`
    within: float | None = None  # relative error that still counts as right, None where nobody asked
    unit: str | None = None
    multiplicative: bool = False

    kind: ClassVar[str] = "regression"
    section: ClassVar[type[TaskSection]] = RegressionSection
    noisy: ClassVar[bool] = True

    @classmethod
    def check(cls, key: str, section: RegressionSection) -> None:
        """A product needs a logarithm."""
        if section.head == "multiplicative" and section.transform not in LOGARITHMS:
            raise ValueError(
                f"{key}.head: multiplicative needs transform: {', '.join(LOGARITHMS)}, where a product is a "
                f"sum; found {section.transform}"
            )

    @classmethod
    def needs_features(cls, section: RegressionSection) -> bool:
        return section.head == "multiplicative"

    @classmethod
    def read(
        cls, name: str, section: RegressionSection, columns: dict[str, pd.Series], source: str, note: Note
    ) -> tuple[pd.Series, Label]:
        """Numbers that the scale can take."""
        column = columns["column"]
        where = f"{source}: tasks.{name}: column {column.name!r}"
        values, transform = numbers(column, where), TRANSFORMS[section.transform]
        wrong = values[values.notna() & ~transform.valid(values)]
        if len(wrong):
            raise InputError(
                f"{where}: transform {section.transform} meets {wrong.iloc[0]:g} ({first_of(wrong)}); "
                f"expected {transform.domain}, or transform: none"
            )
        tolerance = DEFAULT_WITHIN if section.within is None and section.transform != "none" else section.within
        return values, cls(name, section.transform, tolerance, section.unit, section.head == "multiplicative")

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Self:
        """As :meth:`Label.restored`; the scale was once called transform."""
        return super().restored(saved | {"scale": saved.get("scale", saved.get("transform", "none"))})

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """R2 decides; a label with a tolerance has ``within_20pct`` or the like as well."""
        always = (metric.R2, metric.MAE, metric.PEARSON, metric.SPEARMAN)
        if self.within is None:
            return always
        return (*always, Metric(f"within_{100 * self.within:g}pct", within(self.within)))

    def transform(self, y: np.ndarray) -> np.ndarray:
        return TRANSFORMS[self.scale].forward(y)

    def inverse_transform(self, values: np.ndarray) -> np.ndarray:
        return TRANSFORMS[self.scale].inverse(values)

    def standard(self, values: np.ndarray) -> tuple[float, float]:
        """Mean and standard deviation of the training labels."""
        return values.mean(), max(values.std(), 1e-9)

    def loss(self, outputs: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Half the squared error of standardised values; .5 for the mean, near the .69 of an uninformed class head."""
        return 0.5 * (outputs[..., 0] - target) ** 2

    def to_prediction(self, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """(...) values in the user's units."""
        return self.inverse_transform(outputs[..., 0] * scale + mean)
