"""A run of kind cohort: measurements of samples of donors."""

from typing import Literal

from pydantic import Field, model_validator

from mtlbio.config import Expression, Pseudobulk
from mtlbio.kinds.schemas.donors import DonorRun
from mtlbio.labels import label_kind


class CohortRun(DonorRun):
    """One run: a cohort, its tasks, its covariates and the options of every step."""

    kind: Literal["cohort"] = Field("cohort", description="cohort; for a run of kind protein see below")
    expression: Expression | None = Field(
        None, description="where the measurements are and on which scale; this or `features` is required"
    )
    pseudobulk: Pseudobulk | None = Field(None, description="only for single-cell input")
    gene_sets: str | None = Field(
        None, description="GMT file, or `builtin` for the small marker sets that ship with mtlbio"
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty_features(cls, content):
        """An empty ``features`` is one that was left out."""
        if isinstance(content, dict) and content.get("features", ...) is None:
            return {key: value for key, value in content.items() if key != "features"}
        return content

    def _source_agrees(self) -> None:
        if self.expression is None:
            problem = "found nothing" if "expression" in self.model_fields_set else "missing"
            raise ValueError(
                f"expression: {problem}; expected {{path, scale, layer}}, or features: {{path, numeric, categories}}"
            )
        for name, task in self.tasks.items():
            if label_kind(task.kind).needs_features(task):
                raise ValueError(f"tasks.{name}.head: multiplicative needs a table of features (features: ...)")
