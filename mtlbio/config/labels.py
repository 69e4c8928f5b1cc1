"""What is known of a sample: labels to be predicted, and covariates to be controlled for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mtlbio.section import Section


class Task(Section):
    """A label to be predicted."""

    kind: Literal["binary", "multiclass", "regression", "ordinal"] = Field(description="what kind of label")
    column: str | None = Field(None, description="metadata column; the task's own name where left out")
    positive: str | int | float | bool | None = Field(None, description="binary: the value that counts as 1; required")
    negative: str | int | float | bool | None = Field(
        None,
        description="binary: the value that counts as 0; where given, other values count as missing, "
        "where left out, all of them count as 0",
    )
    classes: list[str | int | float | bool] | None = Field(
        None,
        description="multiclass: the classes; ordinal: the levels from low to high; values outside count as missing",
    )
    transform: Literal["none", "sqrt", "log", "log2", "log10"] = Field(
        "none", description="regression: the scale on which it is learnt; predictions come back in the label's units"
    )
    unit: str | None = Field(None, description="regression: what the label is in, for the page (mg/week)")
    within: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="regression: relative error up to which a prediction counts as right (0.2: within 20 %); where "
        "left out, 0.2 with a transform and none without",
    )
    head: Literal["free", "multiplicative"] = Field(
        "free",
        description="multiplicative: the label is a product of one factor per feature (clearance proportional to the "
        "activity of an enzyme); needs a table of features and a logarithm",
    )
    where: dict[str, str | int | float | bool] = Field(
        {}, description="column: value; labels of other samples count as missing"
    )
    auxiliary: bool = Field(
        False, description="only shapes what the tasks share: trained with them, not evaluated and not put on trial"
    )


class Covariate(Section):
    """Something that is known about a sample and must be controlled for."""

    role: Literal["confounder", "technical"] = Field(
        description="confounder: upstream of the disease (age, sex, site); technical: processing (plate, chip, run)"
    )
    kind: Literal["categorical", "continuous"] = Field("categorical", description="factors stay factors")
    column: str | None = Field(None, description="metadata column; the covariate's own name where left out")
