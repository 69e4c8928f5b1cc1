"""The section ``covariates`` of a run's YAML: what is known of a sample and must be controlled for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mtlbio.section import Section


class Covariate(Section):
    """Something that is known about a sample and must be controlled for."""

    role: Literal["confounder", "technical"] = Field(
        description="confounder: upstream of the disease (age, sex, site); technical: processing (plate, chip, run)"
    )
    kind: Literal["categorical", "continuous"] = Field("categorical", description="factors stay factors")
    column: str | None = Field(None, description="metadata column; the covariate's own name where left out")
